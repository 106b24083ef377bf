//! Laws 1, 2, 4 and 7: modes agree, incremental equals from scratch, work follows
//! change, operators are part of the key.

use gristmill_pipeline::Mode;
use gristmill_pipeline::port::Header;
use std::collections::BTreeMap;

use gristmill_pipeline::run::{Ending, Indexer, RunReport, Work, forecast};
use proptest::prelude::*;

use crate::job::{Between, Job, Versions, all_views};
use crate::lanes::GRAPHS;
use gristmill_pipeline::testing::differences;

/// Rows of the same tree, built from nothing in a fresh index.
pub(crate) fn from_scratch(job: &Job) -> String {
    let Job { header, parse_version, embed_version, between, stages, .. } = *job;
    let fresh = Job { header, parse_version, embed_version, between, stages, ..Job::new() };
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
    assert_eq!((first.ending, first.epoch.get(), job.counts.take()), (Ending::Committed, 1, (1, 2)));
    // Let the clock pass the file's times: within them the racy rule reads it again.
    std::thread::sleep(std::time::Duration::from_millis(30));
    let second = job.run(Mode::Parallel);
    assert_eq!((second.ending, second.epoch.get(), job.counts.take()), (Ending::Unchanged, 1, (0, 0)));
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
fn jobs_that_share_vectors_embed_nothing_twice() {
    let folder = tempfile::tempdir().expect("creates");
    let shared = || Some(folder.path().join("vectors"));
    let first = Job { vectors: shared(), ..Job::new() };
    first.write("a.x", "one\ntwo\n");
    first.run(Mode::Parallel);
    assert_eq!(first.counts.take(), (1, 2));

    let mut second = Job { vectors: shared(), ..Job::new() };
    second.write("a.x", "two\nthree\n");
    let foretold = second.with_plan(Mode::Parallel, false, |plan| forecast(plan).expect("foretells").work);
    second.counts.take();
    let report = second.run(Mode::Pipeline);
    assert_eq!((report.work, second.counts.take()), (foretold, (1, 1)), "`two` is known");
    assert_eq!((report.work.passages_embedded, report.work.passages_reused), (1, 1));
    assert_eq!(second.rows(), from_scratch(&second));

    second.embed_version = 2;
    second.run(Mode::Parallel);
    assert_eq!(second.counts.take(), (0, 2), "vectors of another model are none");
    let third = Job { vectors: shared(), ..Job::new() };
    third.write("a.x", "one\nthree\n");
    third.run(Mode::Sequential);
    assert_eq!(third.counts.take(), (1, 0), "what any of them embedded");
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
        (report.epoch.get(), job.counts.take(), report.work),
        (2, (1, 1), Work { contents_analysed: 1, passages_embedded: 1, ..Work::default() })
    );
}

/// What a file holds that went back, or came back, is neither parsed nor embedded again.
#[test]
fn reverts_and_returns_cost_nothing() {
    for resident in [false, true] {
        let job = Job::new();
        job.write("a.x", "one\ntwo\n");
        job.write("b.x", "three\n");
        let steps: [(&str, Option<&str>, (u64, u64)); 5] = [
            ("a.x", Some("one\nchanged\n"), (1, 1)),
            ("a.x", Some("one\ntwo\n"), (0, 0)),
            ("b.x", None, (0, 0)),
            ("b.x", Some("three\n"), (0, 0)),
            ("a.x", Some("one\nchanged\n"), (0, 0)),
        ];
        let edit = |path: &str, content: Option<&str>| match content {
            Some(content) => job.write(path, content),
            None => job.remove(path),
        };
        job.with_plan(Mode::Parallel, false, |plan| {
            let mut indexer = Indexer::open(*plan).expect("opens");
            indexer.update(plan.source, false).expect("builds");
            job.counts.take();
            for (path, content, expected) in steps {
                edit(path, content);
                if !resident {
                    drop(indexer);
                    indexer = Indexer::open(*plan).expect("opens");
                }
                let report = indexer.update(plan.source, false).expect("updates");
                assert_eq!(job.counts.take(), expected, "{path} {content:?}, resident: {resident}");
                if expected == (0, 0) && content.is_some() {
                    assert_eq!((report.work.contents_analysed, report.work.paths_recalled), (0, 1));
                }
                assert_eq!(job.rows(), from_scratch(&job));
            }
        });
    }
}

/// A cold run loads what the diff touches, not what the index holds.
#[test]
fn a_cold_run_loads_only_what_the_diff_touches() {
    let job = Job::new();
    for nth in 0..60 {
        job.write(&format!("{nth}.x"), &format!("own {nth}\nshared\n"));
    }
    job.write("copy.x", "own 7\nshared\n");
    job.run(Mode::Parallel);
    job.write("7.x", "other\n");
    let report = job.run(Mode::Parallel);
    // Two files that hold the content, and that it was analysed.
    assert_eq!(report.plane.loaded, 3);
    assert_eq!(job.rows(), from_scratch(&job));
    job.write("fresh.x", "nobody had this\n");
    assert_eq!(job.run(Mode::Parallel).plane.loaded, 0);
    assert_eq!(job.rows(), from_scratch(&job));
}

#[derive(Clone, Debug)]
enum Edit {
    Write(u8, u8),
    Remove(u8),
    Rename(u8, u8),
    Copy(u8, u8),
    Swap(u8, u8),
    Touch(u8),
    /// The same name in other letters.
    Case(u8),
    MoveFolder(u8, u8),
    /// All files go back to what they were so many epochs ago.
    Revert(u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let path = 0_u8..8;
    prop::collection::vec(
        prop_oneof![
            6 => (path.clone(), 0_u8..14).prop_map(|(path, content)| Edit::Write(path, content)),
            1 => path.clone().prop_map(Edit::Remove),
            2 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Rename(from, to)),
            2 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Copy(from, to)),
            1 => (path.clone(), path.clone()).prop_map(|(from, to)| Edit::Swap(from, to)),
            1 => path.clone().prop_map(Edit::Touch),
            1 => path.prop_map(Edit::Case),
            1 => (0_u8..3, 0_u8..3).prop_map(|(from, to)| Edit::MoveFolder(from, to)),
            2 => (1_u8..4).prop_map(Edit::Revert),
        ],
        0..6,
    )
}

const FOLDERS: [&str; 4] = ["", "d/", "d/e/", "m/"];

fn name(path: u8) -> String {
    let extension = if path % 4 == 3 { "md" } else { "x" };
    format!("{}{path}.{extension}", FOLDERS[usize::from(path) % 3])
}

fn content(content: u8) -> String {
    match content {
        0 => String::new(),
        1 => "binary".into(),
        n => {
            let lines = (0..n % 5).map(|line| format!("def line{line}\nuse line{}\n", (line + n) % 6));
            let imports = (0..n % 3).map(|nth| format!("import {}\n", (nth + n) % 8));
            let links = [
                format!("def line{}.part\nuse line{}.part\n", n % 3, n % 4),
                format!("import {} as other\nuse other.line{}.part\n", n % 8, n % 3),
                format!("base line{} line{}\ntype thing{} line{}\n", n % 3, n % 5, n % 2, n % 4),
                format!(
                    "use thing{}.part\nuse d.e.line{}\nimport {}.line1\nimport {} as ={}\n",
                    n % 2,
                    n % 3,
                    n % 7,
                    n % 8,
                    n % 4
                ),
            ];
            let links = links.into_iter().take(usize::from(n % 5));
            let folder = ["d", "d/e", "m"][usize::from(n) % 3];
            let places = match n % 4 {
                0 => format!("import {folder} as ~{}\n", n % 8 / 4),
                1 => format!(
                    "import {folder} as ~+{}\n{}",
                    n % 8 / 4,
                    ["import no as ~/\n", "import no as ~|\n"][usize::from(n / 8)]
                ),
                _ => format!("import {}/{} as far\nuse far.line{}\nimport 0/e/5.line1\n", n % 2, 1 + n % 3 * 3, n % 4),
            };
            imports
                .chain(lines)
                .chain(links)
                .chain([places])
                .chain([format!("own {n}\n")])
                .chain(odd(n).map(Into::into))
                .collect()
        }
    }
}

/// What operators between those of a plain job leave out, drop, cannot map or fail on.
fn odd(content: u8) -> Option<&'static str> {
    match content {
        4 => Some("# comment\ndrop this\n"),
        5 => Some("drop that\nlost\n"),
        6 => Some("explosive\nlost\n"),
        7 => Some("generated\n"),
        8 => Some("def hidden\n"),
        9 => Some("unembeddable\n% percent\n"),
        10 => Some("boom chunks\n"),
        _ => None,
    }
}

/// What every file holds.
type Files = BTreeMap<String, String>;

fn files(root: &std::path::Path) -> Files {
    fn walk(root: &std::path::Path, folder: &std::path::Path, files: &mut Files) {
        for entry in std::fs::read_dir(folder).expect("lists").map(|entry| entry.expect("lists").path()) {
            if entry.is_dir() {
                walk(root, &entry, files);
            } else {
                let path = entry.strip_prefix(root).expect("lies below").to_str().expect("is UTF-8").to_owned();
                files.insert(path, std::fs::read_to_string(&entry).expect("reads"));
            }
        }
    }
    let mut all = Files::new();
    walk(root, root, &mut all);
    all
}

impl Edit {
    fn apply(&self, job: &Job, past: &[Files]) {
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
            Self::Touch(path) if at(path).exists() => {
                let text = std::fs::read_to_string(at(path)).expect("reads");
                job.write(&name(path), &text);
            }
            Self::Case(path) if at(path).exists() => job.rename(&name(path), &name(path).replace(".x", ".X")),
            Self::MoveFolder(from, to) => {
                let (from, to) = (FOLDERS[1 + usize::from(from)], FOLDERS[1 + usize::from(to)]);
                let nested = to.starts_with(from) || from.starts_with(to);
                if !nested && root.join(from).is_dir() {
                    drop(std::fs::remove_dir_all(root.join(to)));
                    std::fs::create_dir_all(root.join(to).parent().expect("has one")).expect("creates");
                    job.rename(from, to);
                }
            }
            Self::Revert(back) => {
                let Some(then) = past.len().checked_sub(usize::from(back)).and_then(|at| past.get(at)) else { return };
                std::fs::remove_dir_all(&root).expect("removes");
                std::fs::create_dir(&root).expect("creates");
                then.iter().for_each(|(path, text)| job.write(path, text));
            }
            _ => {}
        }
    }
}

/// With several workers the embedder waits for requests, to have both kinds.
const fn waits(workers: usize) -> usize {
    if workers > 1 { 2 } else { 0 }
}

/// Whether passages could not be embedded, which no forecast knows.
fn has_failed_vectors(report: &RunReport) -> bool {
    let of_vectors =
        |message: &str| ["embed", "shorten"].iter().any(|stage| message.starts_with(&format!("stage `{stage}")));
    report.quarantined.iter().any(|file| of_vectors(&file.message))
}

/// How many cases to try: more by night.
fn cases() -> u32 {
    std::env::var("GRISTMILL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Any history in any modes leads to the rows that the final tree has from scratch,
    /// and to the views that a plain recomputation finds; whether each epoch is a run of
    /// its own or one process makes them all.
    #[test]
    fn any_history_equals_from_scratch(
        history in prop::collection::vec((edits(), 0_usize..3, 1_usize..4), 1..6),
        // Mostly the operators stay what they are.
        versions in prop::collection::vec(prop_oneof![3 => Just(0_u32), 1 => 1_u32..4], 6),
        header in prop::sample::select(vec![Header::Path, Header::Scope, Header::None]),
        memory_limit in prop::sample::select(vec![1_u64, 100, 1 << 20]),
        views in any::<bool>(),
        resident in any::<bool>(),
        // Operators of every kind between the others, or several lanes.
        (open, lanes) in prop_oneof![
            2 => Just((false, None)),
            2 => Just((true, None)),
            1 => prop::sample::select(GRAPHS.to_vec()).prop_map(|(_, stages)| (false, Some(stages))),
        ],
    ) {
        let mut job = Job { stages: lanes, ..Job::new() };
        if open {
            job.between = Between::all();
        }
        job.header = header;
        job.memory_limit = memory_limit;
        if views {
            job.views = all_views();
        }
        let root = job.folder.path().join("src");
        let mut past = Vec::new();
        let check = |job: &Job| -> Result<(), TestCaseError> {
            prop_assert_eq!(job.rows(), from_scratch(job));
            if views {
                let (found, expected) = (job.stored_views(), job.expected_views());
                prop_assert_eq!(differences(&found, &expected), "");
            }
            Ok(())
        };
        if resident {
            job.plane_workers = history.first().map_or(1, |(_, _, workers)| *workers);
            job.requests = waits(job.plane_workers);
            let mode = Mode::ALL[history.first().map_or(0, |(_, mode, _)| *mode)];
            job.with_plan(mode, false, |plan| {
                let mut indexer = Indexer::open(*plan).expect("opens");
                for (edits, ..) in &history {
                    edits.iter().for_each(|edit| edit.apply(&job, &past));
                    past.push(files(&root));
                    indexer.update(plan.source, false).expect("updates");
                    check(&job)?;
                }
                Ok::<(), TestCaseError>(())
            })?;
        } else {
            for ((edits, mode, workers), version) in history.into_iter().zip(versions) {
                (job.parse_version, job.embed_version) = (1 + version / 2, 1 + version % 2);
                if open {
                    job.between.versions = Versions::nth(version);
                }
                edits.iter().for_each(|edit| edit.apply(&job, &past));
                past.push(files(&root));
                (job.plane_workers, job.requests) = (workers, waits(workers));
                job.counts.take();
                let expected = job.with_plan(Mode::ALL[mode], false, forecast).expect("is told");
                prop_assert_eq!(job.counts.take().1, 0, "a forecast embeds nothing");
                let report = job.run(Mode::ALL[mode]);
                check(&job)?;
                prop_assert_eq!(expected.epoch.is_some(), report.ending == Ending::Committed);
                prop_assert_eq!(expected.changes, report.changes);
                if !has_failed_vectors(&report) {
                    prop_assert_eq!(expected.work, report.work);
                }
                prop_assert_eq!(expected.rows, report.rows);
                prop_assert_eq!(expected.views, report.views);
            }
        }
    }
}
