//! Reads that wait, as from a network mount: several are under way at once, and the rows are the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gristmill_pipeline::source::{DirectorySource, LastScan, Object, Origin, Scan, ScanOptions, Source, SourceError};
use gristmill_pipeline::{Mode, RowId};

use crate::job::Job;

/// A folder whose files take a while to read, but for its scan.
struct Slow {
    folder: DirectorySource,
    reads: Arc<Reads>,
}

#[derive(Default)]
struct Reads {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct SlowFile(PathBuf, Arc<Reads>);

impl Object for SlowFile {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        let now = self.1.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.most.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        self.1.now.fetch_sub(1, Ordering::SeqCst);
        std::fs::read(&self.0)
    }
}

impl Source for Slow {
    fn scan(&self, last: Option<&LastScan<'_>>, options: &ScanOptions) -> Result<Scan, SourceError> {
        self.folder.scan(last, options)
    }

    fn origin(&self, file: &RowId) -> Origin {
        let location = self.folder.root.join(file.path.as_str());
        Origin::Object(Arc::new(SlowFile(location, Arc::clone(&self.reads))))
    }

    fn place(&self) -> &Path {
        self.folder.place()
    }
}

#[test]
fn more_reads_wait_at_once_than_there_are_workers() {
    let job = || {
        let job = Job::new();
        (0..150).for_each(|nth| job.write(&format!("{}/{nth}.x", nth % 7), &format!("one {nth}\ntwo {nth}\n")));
        job
    };
    let expected = job();
    expected.run(Mode::Sequential);
    for mode in Mode::ALL {
        let job = job();
        let source = Slow { folder: job.source(), reads: Arc::default() };
        job.try_run_from(&source, mode, false).expect("runs");
        assert!(job.rows() == expected.rows(), "{mode}");
        let most = source.reads.most.load(Ordering::SeqCst);
        if mode == Mode::Sequential {
            assert_eq!(most, 1);
        } else {
            assert!(most >= 6, "two workers, and {most} reads at once in {mode}");
        }
    }
}
