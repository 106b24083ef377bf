//! Laws 3, 5 and 6: bad files are data, failures leave the epoch before, memory is
//! bounded.

use gristmill_pipeline::index::IndexFolder;
use gristmill_pipeline::run::{Ending, RunError};
use gristmill_pipeline::{Mode, RelPath};

use crate::job::{Job, stored_tree};

#[test]
fn a_panic_quarantines_its_file_and_spares_the_rest() {
    for mode in Mode::ALL {
        let job = Job::new();
        job.write("bad.x", "panic\n");
        job.write("good.x", "def fine\n");
        let report = job.run(mode);
        assert_eq!(report.epoch.get(), 1, "{mode}");
        let quarantined: Vec<_> =
            report.quarantined.iter().map(|file| (file.path.as_str(), file.code.as_str())).collect();
        assert_eq!(quarantined, [("bad.x", "panic")], "{mode}");
        assert!(job.rows().contains("fine"), "{mode}");
        assert!(job.rows().contains("failed twice on this file (asked to)"), "{mode}");
    }
}

#[test]
fn a_chunk_that_cannot_be_embedded_is_a_finding() {
    let job = Job::new();
    job.write("a.x", "one\nunembeddable\nthree\n");
    for mode in Mode::ALL {
        let report = job.try_run(mode, true).expect("runs");
        assert_eq!(report.work.passages_embedded, 2, "{mode}");
        assert_eq!(report.quarantined.len(), 1, "{mode}");
    }
}

#[test]
fn a_failing_sink_leaves_the_epoch_before() {
    for mode in Mode::ALL {
        let job = Job::new();
        job.write("a.x", "one\n");
        job.run(mode);
        let before = job.rows();
        job.write("a.x", "two\n");
        job.disk.lock().fail_add = true;
        let error = job.try_run(mode, false).expect_err("fails");
        assert!(matches!(&error, RunError::Sink(error) if error.message.contains("disk full")), "{mode}: {error}");
        assert_eq!(job.rows(), before, "{mode}");
        job.disk.lock().fail_add = false;
        job.counts.take();
        let report = job.run(mode);
        assert_eq!((report.epoch.get(), report.ending), (2, Ending::Committed), "{mode}");
        assert!(report.work.passages_recovered <= 1, "{mode}: embedded before the failure, so not again");
    }
}

#[test]
fn a_panicking_sink_ends_the_epoch_and_leaves_the_one_before() {
    for mode in Mode::ALL {
        let job = Job::new();
        job.write("a.x", "one\n");
        job.run(mode);
        let before = job.rows();
        for nth in 0..200 {
            job.write(&format!("{nth}.x"), "two\n");
        }
        job.disk.lock().panic_add = true;
        let error = job.try_run(mode, false).expect_err("fails");
        let RunError::Sink(error) = error else { panic!("{mode}: {error}") };
        assert_eq!(&*error.message, "it panicked (asked to); please report it", "{mode}");
        assert_eq!(job.rows(), before, "{mode}");
        job.disk.lock().panic_add = false;
        assert_eq!(job.run(mode).ending, Ending::Committed, "{mode}");
    }
}

#[test]
fn an_interrupted_run_leaves_the_epoch_before_and_its_vectors() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.interrupt.request();
    assert!(matches!(job.try_run(Mode::Parallel, false), Err(RunError::Interrupted)));
    assert!(IndexFolder::open(&job.index()).is_err(), "there is no epoch yet");
}

#[test]
fn in_flight_bytes_stay_under_the_limit() {
    for mode in Mode::ALL {
        let mut job = Job::new();
        // About 1,000 bytes of text and a vector of 8 bytes each.
        for n in 0..40 {
            job.write(&format!("{n}.x"), &format!("{n}{}", "x".repeat(1000)));
        }
        job.memory_limit = 4000;
        let report = job.run(mode);
        let peak = report.in_flight.peak_bytes;
        assert!((1000..=4000).contains(&peak), "{mode}: {peak}");
        assert_eq!(report.work.contents_analysed, 40, "{mode}");
    }
}

#[test]
fn a_file_that_changes_under_the_reader_costs_no_other_file() {
    for mode in Mode::ALL {
        let job = Job::new();
        // Whichever of two paths stands for their content, the other one takes over.
        for (name, content) in [("a", "def one\n"), ("b", "def two\n"), ("c", "def three\n")] {
            job.write(&format!("gone-{name}.x"), content);
            job.write(&format!("stays-{name}.x"), content);
        }
        job.write("moving.x", "def four\n");
        job.write("stays-d.x", "def four\n");
        let report = job.run(mode);
        let rows = job.rows();
        for kept in ["stays-a.x", "stays-b.x", "stays-c.x", "stays-d.x"] {
            assert!(rows.contains(kept), "{mode}: {kept} in {rows}");
        }
        let tree = stored_tree(&job.index());
        // A path whose content was read elsewhere is not looked at, so it stands.
        let gone = ["gone-a.x", "gone-b.x", "gone-c.x"].map(|path| (path, tree.get(path).is_none()));
        for (path, is_gone) in gone {
            assert_eq!(is_gone, !rows.contains(path), "{mode}: {path} in tree and tables alike");
        }
        let vanished = report.findings.get("vanished").copied().unwrap_or_default();
        assert_eq!(vanished, gone.iter().filter(|(_, is_gone)| *is_gone).count() as u64, "{mode}");
        assert_eq!(report.work.contents_analysed, 4, "{mode}: each content from a path that still had it");
        let changed = report.findings.contains_key("changed");
        assert_eq!(changed, tree.get("moving.x").is_some_and(|leaf| leaf.note.is_some()), "{mode}");
    }
}

#[test]
fn an_empty_tree_is_an_epoch() {
    let job = Job::new();
    let report = job.run(Mode::Parallel);
    assert_eq!((report.epoch.get(), report.scan.files), (1, 0));
    job.write("a.x", "one\n");
    job.run(Mode::Parallel);
    job.remove("a.x");
    assert_eq!(job.run(Mode::Parallel).changes.deleted, 1);
    assert!(stored_tree(&job.index()).is_empty());
}

#[test]
fn a_damaged_tree_costs_a_full_diff_and_is_reported() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.run(Mode::Parallel);
    let rows = job.rows();
    std::fs::write(job.index().join("merkle/1"), "garbage").expect("writes");
    let report = job.run(Mode::Parallel);
    assert!(report.notice.expect("says so").contains("Merkle tree cannot be used"));
    assert_eq!(
        (report.ending, report.epoch.get()),
        (Ending::Unchanged, 1),
        "the commit record's root hash vouches for it"
    );
    assert_eq!(job.run(Mode::Parallel).notice, None, "the tree was replaced");

    std::fs::write(job.index().join("merkle/1"), "garbage").expect("writes");
    job.write("b.x", "two\n");
    let report = job.run(Mode::Parallel);
    assert!(report.rebuilt_because.expect("says so").contains("Merkle tree cannot be used"));
    assert!(job.rows().starts_with(rows.lines().next().expect("has one")));
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_quarantined_until_it_can_be_read() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let job = Job::new();
    job.write("a.x", "one\n");
    // Permissions do not bind root, so a link to nowhere stands in for it there.
    let source = job.folder.path().join("src");
    job.write("locked.x", "two\n");
    std::fs::set_permissions(source.join("locked.x"), std::fs::Permissions::from_mode(0o000)).expect("sets");
    if std::fs::read(source.join("locked.x")).is_ok() {
        symlink("nowhere", source.join("dangling.x")).expect("links");
        assert!(stored_after(&job).get("dangling.x").is_none(), "links are left out");
        return;
    }
    let report = job.run(Mode::Parallel);
    assert_eq!(report.quarantined.first().map(|file| file.path.clone()), Some(RelPath::from("locked.x")));
    assert_eq!(job.run(Mode::Parallel).quarantined.len(), 1, "an unchanged run says so too");
    std::fs::set_permissions(source.join("locked.x"), std::fs::Permissions::from_mode(0o644)).expect("sets");
    assert_eq!(job.run(Mode::Parallel).quarantined.len(), 0);
}

fn stored_after(job: &Job) -> gristmill_pipeline::merkle::Tree {
    job.run(Mode::Parallel);
    stored_tree(&job.index())
}
