//! Whether files of epochs before the newest are whole.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::index::{IndexFolder, Seals};

/// Tells whether files of epochs before the newest are as they were committed. A store asks before it takes rows from
/// them: what comes of damaged rows gets checksums of its own in the next epoch, where nobody would find the damage.
///
/// Files of the newest epoch are verified as a whole (`gristmill status --verify`), and are not looked at here. The
/// default knows no files, and trusts all.
#[derive(Clone, Default)]
pub struct PastFiles(Option<Arc<Known>>);

struct Known {
    index: PathBuf,
    sink: Box<str>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Seals of files that only older epochs reach; read when the first is asked for.
    seals: Option<Seals>,
    /// What was found out.
    whole: HashMap<PathBuf, bool>,
}

impl PastFiles {
    /// Of a sink of the index in a folder.
    pub(crate) fn of(index: &Path, sink: &str) -> Self {
        Self(Some(Arc::new(Known { index: index.to_owned(), sink: sink.into(), seen: Mutex::default() })))
    }

    /// Whether all of these files, relative to the sink's folder, are whole. Each is read once.
    #[must_use]
    pub fn are_whole(&self, files: &[PathBuf]) -> bool {
        self.0.as_ref().is_none_or(|known| known.are_whole(files))
    }
}

impl Known {
    fn are_whole(&self, files: &[PathBuf]) -> bool {
        let mut seen = self.seen.lock();
        let Seen { seals, whole } = &mut *seen;
        let seals = seals.get_or_insert_with(|| IndexFolder::at(&self.index).past_seals());
        files.iter().all(|file| {
            *whole.entry(file.clone()).or_insert_with(|| {
                let path = Path::new(&*self.sink).join(file);
                // What no older epoch alone reaches is of the newest, or of none that can be opened.
                let seal = path.to_str().and_then(|path| seals.get(path));
                seal.is_none_or(|seal| seal.is_of(&self.index.join(&path)))
            })
        })
    }
}

impl fmt::Debug for PastFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PastFiles")
    }
}
