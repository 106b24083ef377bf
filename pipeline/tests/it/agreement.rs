//! Laws 1, 2, 4 and 7: modes agree, incremental equals from scratch, work follows
//! change, operators are part of the key.

use gristmill_pipeline::Mode;
use gristmill_pipeline::port::Header;
use gristmill_pipeline::run::{Ending, Work};
use proptest::prelude::*;

use crate::toys::Job;

/// Rows of the same tree, built from nothing in a fresh index.
fn from_scratch(job: &Job) -> String {
    let fresh =
        Job { header: job.header, parse_version: job.parse_version, embed_version: job.embed_version, ..Job::new() };
    copy(&job.folder.path().join("src"), &fresh.folder.path().join("src"));
    fresh.run(Mode::Sequential);
    fresh.rows()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("creates");
    for entry in std::fs::read_dir(from).expect("lists") {
        let entry = entry.expect("lists");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("has one").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copies");
        }
    }
}

#[test]
fn the_second_run_does_nothing() {
    let job = Job::new();
    job.write("a.x", "def one\ndef two\n");
    let first = job.run(Mode::Parallel);
    assert_eq!((first.ending, first.epoch, job.counts.take()), (Ending::Committed, 1, (1, 2)));
    // Let the clock pass the file's times: within them the racy rule reads it again.
    std::thread::sleep(std::time::Duration::from_millis(30));
    let second = job.run(Mode::Parallel);
    assert_eq!((second.ending, second.epoch, job.counts.take()), (Ending::Unchanged, 1, (0, 0)));
    let third = job.run(Mode::Pipeline);
    assert_eq!((third.ending, third.scan.files_read), (Ending::Unchanged, 0));
}

#[test]
fn equal_contents_are_parsed_once_and_equal_passages_embedded_once() {
    let mut job = Job::new();
    job.header = Header::None;
    job.write("a.x", "same\nother\n");
    job.write("b.x", "same\nother\n");
    job.write("c.x", "same\nthird\n");
    job.write("d.md", "same\nother\n");
    for mode in Mode::ALL {
        let report = job.try_run(mode, true).expect("runs");
        assert_eq!(job.counts.take(), (3, 3), "{mode}: b is a copy of a; d is not, its language differs");
        assert_eq!(report.work.paths_shared, 1, "{mode}");
        assert_eq!((report.work.contents_analysed, report.work.passages_embedded), (3, 3), "{mode}");
    }
    assert_eq!(job.rows(), from_scratch(&job));
}

#[test]
fn a_rename_costs_what_its_header_asks_for() {
    for (header, embedded) in [(Header::Path, 2), (Header::Scope, 0)] {
        let mut job = Job::new();
        job.header = header;
        job.write("a.x", "one\ntwo\n");
        job.write("b.x", "three\n");
        job.run(Mode::Parallel);
        job.counts.take();
        job.rename("a.x", "z.x");
        let report = job.run(Mode::Parallel);
        assert_eq!(job.counts.take(), (0, embedded), "{header:?}");
        assert_eq!((report.changes.added, report.changes.deleted, report.work.paths_recalled), (1, 1, 1));
        assert_eq!(job.rows(), from_scratch(&job));
    }
}

#[test]
fn an_edit_embeds_only_the_chunks_that_changed() {
    let job = Job::new();
    job.write("a.x", "one\ntwo\nthree\n");
    job.write("b.x", "one\n");
    job.run(Mode::Parallel);
    job.counts.take();
    job.write("a.x", "zero\none\ntwo\n3\n");
    let report = job.run(Mode::Pipeline);
    assert_eq!(job.counts.take(), (1, 2));
    assert_eq!((report.work.passages_embedded, report.work.passages_reused), (2, 2));
    assert_eq!(job.rows(), from_scratch(&job));
}

#[test]
fn a_changed_operator_recomputes_what_it_produced() {
    let mut job = Job::new();
    job.write("a.x", "def one\ntwo\n");
    job.write("b.x", "def one\n");
    job.run(Mode::Parallel);
    job.counts.take();

    job.embed_version = 2;
    let report = job.run(Mode::Parallel);
    assert_eq!(job.counts.take(), (0, 3), "another embedder: nothing is parsed");
    assert_eq!((report.work.paths_recalled, report.rebuilt_because.as_deref()), (2, None));
    assert_eq!(job.rows(), from_scratch(&job));

    job.parse_version = 2;
    let report = job.run(Mode::Parallel);
    assert_eq!(job.counts.take(), (2, 0), "another parser, the same passages: nothing is embedded");
    assert_eq!(report.work.passages_reused, 3);
    assert_eq!(job.rows(), from_scratch(&job));

    job.header = Header::None;
    job.run(Mode::Parallel);
    assert_eq!(job.counts.take(), (2, 2), "another header: new passages, of which two are equal");
    assert_eq!(job.rows(), from_scratch(&job));
}

#[test]
fn full_builds_from_nothing() {
    let job = Job::new();
    job.write("a.x", "one\n");
    job.run(Mode::Parallel);
    job.counts.take();
    let report = job.try_run(Mode::Parallel, true).expect("runs");
    assert_eq!(
        (report.epoch, job.counts.take(), report.work),
        (2, (1, 1), Work { contents_analysed: 1, passages_embedded: 1, ..Work::default() })
    );
}

#[derive(Clone, Debug)]
enum Edit {
    Write(u8, u8),
    Remove(u8),
    Rename(u8, u8),
    Copy(u8, u8),
    Swap(u8, u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let path = 0_u8..8;
    prop::collection::vec(
        prop_oneof![
            4 => (path.clone(), 0_u8..12).prop_map(|(path, content)| Edit::Write(path, content)),
            1 => path.clone().prop_map(Edit::Remove),
            2 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Rename(from, to)),
            2 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Copy(from, to)),
            1 => (path.clone(), path).prop_map(|(from, to)| Edit::Swap(from, to)),
        ],
        0..6,
    )
}

fn name(path: u8) -> String {
    let folder = ["", "d/", "d/e/"][usize::from(path) % 3];
    let extension = if path % 4 == 3 { "md" } else { "x" };
    format!("{folder}{path}.{extension}")
}

fn content(content: u8) -> String {
    match content {
        0 => String::new(),
        1 => "binary".into(),
        n => (0..n % 5).map(|line| format!("def line{line}\n")).chain([format!("own {n}\n")]).collect(),
    }
}

impl Edit {
    fn apply(&self, job: &Job) {
        let root = job.folder.path().join("src");
        let at = |path: u8| root.join(name(path));
        match *self {
            Self::Write(path, with) => job.write(&name(path), &content(with)),
            Self::Remove(path) => drop(std::fs::remove_file(at(path))),
            Self::Rename(from, to) | Self::Copy(from, to) if from != to && at(from).exists() => {
                let text = std::fs::read_to_string(at(from)).expect("reads");
                job.write(&name(to), &text);
                if matches!(self, Self::Rename(..)) {
                    job.remove(&name(from));
                }
            }
            Self::Swap(left, right) if left != right && at(left).exists() && at(right).exists() => {
                let texts = [left, right].map(|path| std::fs::read_to_string(at(path)).expect("reads"));
                job.write(&name(left), &texts[1]);
                job.write(&name(right), &texts[0]);
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("GRISTMILL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24),
    ))]

    /// Any history in any modes leads to the rows that the final tree has from scratch.
    #[test]
    fn any_history_equals_from_scratch(
        history in prop::collection::vec((edits(), 0_usize..3), 1..5),
        header in prop::sample::select(vec![Header::Path, Header::Scope, Header::None]),
        plane_workers in 1_usize..3,
        memory_limit in prop::sample::select(vec![1_u64, 100, 1 << 20]),
    ) {
        let mut job = Job::new();
        job.header = header;
        job.plane_workers = plane_workers;
        job.memory_limit = memory_limit;
        for (edits, mode) in history {
            edits.iter().for_each(|edit| edit.apply(&job));
            job.run(Mode::ALL[mode]);
            prop_assert_eq!(job.rows(), from_scratch(&job));
        }
    }
}
