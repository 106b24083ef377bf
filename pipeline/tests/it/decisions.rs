//! Law 2, at its root: the fact plane decides what is embedded, and nothing else does.

use gristmill_pipeline::plane::Broken;
use gristmill_pipeline::port::Header;
use gristmill_pipeline::run::{RunError, forecast};
use gristmill_pipeline::{Mode, index::IndexFolder};

use crate::job::Job;

/// Two contents that share a passage, and have one of their own.
fn sharing() -> Job {
    let mut job = Job::new();
    job.header = Header::None;
    job.write("a.x", "same\none\n");
    job.write("b.x", "same\ntwo\n");
    job
}

#[test]
fn a_passage_that_the_plane_gives_once_is_embedded_once() {
    for mode in Mode::ALL {
        let job = sharing();
        let report = job.run(mode);
        assert_eq!((job.counts.take(), report.plane.passages), ((2, 3), (3, 0)), "{mode}");
    }
}

#[test]
fn without_the_passages_of_the_plane_nothing_is_embedded() {
    for mode in Mode::ALL {
        let mut job = sharing();
        job.broken_plane = Some(Broken::PassagesMissing);
        let error = job.try_run(mode, false).expect_err("fails");
        assert!(matches!(&error, RunError::LostVector { .. }), "{mode}: {error}");
        assert_eq!(job.counts.take().1, 0, "{mode}");
        assert!(IndexFolder::open(&job.index()).is_err(), "{mode}: no epoch was committed");
    }
}

#[test]
fn without_distinct_a_passage_is_embedded_twice() {
    let mut job = sharing();
    job.broken_plane = Some(Broken::PassagesRepeat);
    job.run(Mode::Sequential);
    assert_eq!(job.counts.take(), (2, 4));
}

/// A vector that nobody gives back lives no longer than its row.
#[test]
fn a_lane_that_no_sink_gives_back_is_embedded_for_every_row() {
    for mode in Mode::ALL {
        let mut job = sharing();
        job.forgets_vectors = true;
        job.run(mode);
        assert_eq!(job.counts.take(), (2, 3), "{mode}: within an epoch the journal has it");
        job.rename("b.x", "c.x");
        let expected = job.with_plan(mode, false, forecast).expect("forecasts");
        let report = job.run(mode);
        assert_eq!((job.counts.take(), expected.work), ((0, 2), report.work), "{mode}: both rows are new");
        let rows = job.rows();
        job.try_run(mode, true).expect("runs");
        assert_eq!(job.rows(), rows, "{mode}");
    }
}

/// The plane is loaded with paths alone; the chunks of a content that gains a row follow.
#[test]
fn a_copy_of_stored_content_embeds_nothing_where_its_header_holds_no_path() {
    for mode in Mode::ALL {
        let job = sharing();
        job.run(mode);
        job.counts.take();
        job.write("copy/b.x", "same\ntwo\n");
        let report = job.run(mode);
        assert_eq!((job.counts.take(), report.work.passages_reused), ((0, 0), 2), "{mode}");
        assert_eq!(report.work.paths_recalled, 1, "{mode}");
    }
}
