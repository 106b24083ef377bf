//! Updates that are told which paths changed.

use std::path::PathBuf;

use gristmill_pipeline::Mode;
use gristmill_pipeline::run::{Ending, Indexer};

use crate::job::Job;

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn an_update_of_paths_equals_an_update() {
    for mode in Mode::ALL {
        let job = Job::new();
        job.write("a.x", "one\n");
        job.write("deep/b.x", "two\n");
        job.with_plan(mode, false, |plan| {
            let mut indexer = Indexer::open(*plan).expect("opens");
            let report = indexer.update_paths(plan.source, &paths(&["a.x"])).expect("builds");
            assert_eq!((report.epoch.get(), report.scan.files), (1, 2), "{mode}: without an epoch, all is scanned");

            job.write("a.x", "one more\n");
            job.write("new/c.x", "three\n");
            job.remove("deep/b.x");
            let changed = [job.folder.path().join("src/a.x"), "new".into(), "deep/b.x".into()];
            let report = indexer.update_paths(plan.source, &changed).expect("updates");
            assert_eq!((report.epoch.get(), report.scan.files, report.scan.files_read), (2, 2, 2), "{mode}");
            assert_eq!((report.changes.added, report.changes.modified, report.changes.deleted), (1, 1, 1), "{mode}");
            let rows = job.rows();
            let report = indexer.update(plan.source, false).expect("updates");
            assert_eq!((report.ending, report.epoch.get()), (Ending::Unchanged, 2), "{mode}: nothing was missed");
            assert_eq!(job.rows(), rows);
        });
    }
}

#[test]
fn an_update_of_paths_looks_at_no_other() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.write("b.x", "two\n");
    job.run(Mode::Parallel);
    let rows = job.rows();
    job.with_plan(Mode::Parallel, false, |plan| {
        let mut indexer = Indexer::open(*plan).expect("opens");
        job.write("b.x", "changed\n");
        let report = indexer.update_paths(plan.source, &paths(&["a.x", "nowhere.x"])).expect("updates");
        assert_eq!((report.ending, job.rows() == rows), (Ending::Unchanged, true));
        let report = indexer.update_paths(plan.source, &paths(&["b.x"])).expect("updates");
        assert_eq!((report.ending, job.rows() == rows), (Ending::Committed, false));
    });
}

#[test]
fn what_a_failed_update_was_told_is_not_forgotten() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.run(Mode::Parallel);
    job.with_plan(Mode::Parallel, false, |plan| {
        let mut indexer = Indexer::open(*plan).expect("opens");
        job.write("a.x", "two\n");
        job.disk.lock().fail_add = true;
        indexer.update_paths(plan.source, &paths(&["a.x"])).expect_err("fails");
        job.disk.lock().fail_add = false;
        let report = indexer.update_paths(plan.source, &[]).expect("updates");
        assert_eq!((report.ending, report.changes.modified), (Ending::Committed, 1));
        assert_eq!(indexer.update_paths(plan.source, &[]).expect("updates").scan.files_read, 0);
    });
}

#[test]
fn a_damaged_tree_is_not_taken_for_what_is_known() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.run(Mode::Parallel);
    std::fs::write(job.index().join("merkle/1"), "garbage").expect("writes");
    job.with_plan(Mode::Parallel, false, |plan| {
        let mut indexer = Indexer::open(*plan).expect("opens");
        let report = indexer.update_paths(plan.source, &[]).expect("updates");
        assert_eq!((report.ending, report.scan.files), (Ending::Unchanged, 1));
    });
}
