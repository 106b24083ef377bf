//! A job over several refs: rows are distinct, and the table `refs` says which ref shows
//! which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::merkle::{Leaf, Stat, Tree};
use gristmill_pipeline::run::{Ending, Indexer, RunError, RunPlan, forecast};
use gristmill_pipeline::source::{
    LastScan, Object, Origin, RefRevision, Scan, ScanMeasures, ScanOptions, Source, SourceError,
};
use gristmill_pipeline::{Hash, Mode, RelPath, RowId, ViewValue};
use proptest::prelude::*;

use crate::job::{Between, Job, all_views};
use crate::views::rows;

/// What a ref holds, by path.
type Files = BTreeMap<String, String>;

/// Refs in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refs(BTreeMap<String, Files>);

struct Text(String);

impl Object for Text {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }
}

impl Source for Refs {
    fn scan(&self, _last: Option<&LastScan<'_>>, _options: &ScanOptions) -> Result<Scan, SourceError> {
        let tree = |files: &Files| {
            let leaf = |text: &String| {
                let stat = Stat { bytes: text.len() as u64, ..Stat::default() };
                Leaf { content_hash: Hash::of(text.as_bytes()), stat, note: None }
            };
            Tree::build(files.iter().map(|(path, text)| (RelPath::from(path.as_str()), leaf(text))).collect(), 0)
        };
        let tree = Tree::over_refs(self.0.iter().map(|(name, files)| (name.as_str(), tree(files))));
        let revision = |name: &String| RefRevision { name: name.as_str().into(), revision: "1".into() };
        let measures = ScanMeasures { files: tree.len() as u64, ..ScanMeasures::default() };
        Ok(Scan {
            tree,
            revision: None,
            refs: self.0.keys().map(revision).collect(),
            selection: None,
            notices: Vec::new(),
            measures,
        })
    }

    fn origin(&self, file: &RowId) -> Origin {
        let versions = self.0.values().filter_map(|files| files.get(file.path.as_str()));
        let text = versions.into_iter().find(|text| Hash::of(text.as_bytes()) == file.content_hash);
        Origin::Object(Arc::new(Text(text.expect("some ref has it").clone())))
    }

    fn is_over_refs(&self) -> bool {
        true
    }

    fn place(&self) -> &Path {
        Path::new("/refs")
    }
}

impl Refs {
    pub(crate) fn set(&mut self, name: &str, path: &str, text: &str) {
        self.0.entry(name.into()).or_default().insert(path.into(), text.into());
    }

    /// The rows of the table `refs` that this comes to.
    fn visible(&self) -> Vec<String> {
        let rows: BTreeSet<Vec<ViewValue>> = self
            .0
            .iter()
            .flat_map(|(name, files)| {
                files.iter().map(|(path, text)| {
                    let hash = ViewValue::Hash(Hash::of(text.as_bytes()));
                    vec![ViewValue::Text(name.as_str().into()), ViewValue::Text(path.as_str().into()), hash]
                })
            })
            .collect();
        let text = |row: Vec<ViewValue>| match &row[..] {
            [ViewValue::Text(name), ViewValue::Text(path), ViewValue::Hash(hash)] => format!("{name} {path} {hash}"),
            other => panic!("{other:?} is no row of it"),
        };
        rows.into_iter().map(text).collect()
    }
}

fn from_scratch(job: &Job, refs: &Refs) -> String {
    let fresh = Job { between: job.between, ..Job::new() };
    fresh.try_run_from(refs, Mode::Sequential, false).expect("runs");
    fresh.rows()
}

#[derive(Clone, Debug)]
enum Edit {
    Write(usize, usize, usize),
    Delete(usize, usize),
    /// Makes one ref hold what another holds.
    Reset(usize, usize),
    Drop(usize),
}

const NAMES: [&str; 4] = ["main", "dev", "release/1", "release%2F1"];
const PATHS: [&str; 5] = ["a.x", "b/c.x", "b/d.md", "b/e/f.x", "z.x"];
const TEXTS: [&str; 7] =
    ["def one\n", "def one\ntwo\n# comment\n", "three\n", "binary\n", "", "lost\ndrop this\n", "generated\n"];

fn edit() -> impl Strategy<Value = Edit> {
    let (name, path) = (0..NAMES.len(), 0..PATHS.len());
    prop_oneof![
        4 => (name.clone(), path.clone(), 0..TEXTS.len()).prop_map(|(name, path, text)| Edit::Write(name, path, text)),
        1 => (name.clone(), path).prop_map(|(name, path)| Edit::Delete(name, path)),
        2 => (name.clone(), name.clone()).prop_map(|(from, to)| Edit::Reset(from, to)),
        1 => name.prop_map(Edit::Drop),
    ]
}

impl Refs {
    fn apply(&mut self, edit: &Edit) {
        match *edit {
            Edit::Write(name, path, text) => self.set(NAMES[name], PATHS[path], TEXTS[text]),
            Edit::Delete(name, path) => {
                self.0.entry(NAMES[name].into()).or_default().remove(PATHS[path]);
            }
            Edit::Reset(from, to) => {
                let files = self.0.get(NAMES[from]).cloned().unwrap_or_default();
                self.0.insert(NAMES[to].into(), files);
            }
            Edit::Drop(name) if self.0.len() > 1 => {
                self.0.remove(NAMES[name]);
            }
            Edit::Drop(_) => {}
        }
    }
}

fn cases() -> u32 {
    std::env::var("GRISTMILL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_history_of_refs_equals_from_scratch(
        epochs in prop::collection::vec((prop::collection::vec(edit(), 1..6), 0_usize..3), 1..6),
        is_resident in any::<bool>(),
        // Whether operators of every kind stand between the others.
        is_open in any::<bool>(),
    ) {
        let between = if is_open { Between::all() } else { Between::default() };
        let job = Job { between, ..Job::new() };
        let mut refs = Refs::default();
        refs.set("main", "a.x", "def one\n");
        let mut history = |step: &mut dyn FnMut(&Refs, Mode)| {
            for (edits, mode) in &epochs {
                edits.iter().for_each(|edit| refs.apply(edit));
                step(&refs, Mode::ALL[*mode]);
            }
        };
        let check = |refs: &Refs| {
            assert_eq!(job.rows(), from_scratch(&job, refs));
            assert_eq!(rows(&job, "refs"), refs.visible());
        };
        if is_resident {
            let none = Refs::default();
            job.with_plan(Mode::Parallel, false, |plan| {
                let mut indexer = Indexer::open(RunPlan { source: &none, ..*plan }).expect("opens");
                history(&mut |refs, _| {
                    indexer.update(refs, false).expect("runs");
                    check(refs);
                });
            });
        } else {
            history(&mut |refs, mode| {
                let foretold = job.with_plan(mode, false, |plan| forecast(&RunPlan { source: refs, ..*plan }));
                let foretold = foretold.expect("foretells");
                let report = job.try_run_from(refs, mode, false).expect("runs");
                assert_eq!((foretold.changes, foretold.views), (report.changes, report.views));
                check(refs);
            });
        }
    }
}

#[test]
fn what_refs_share_is_done_once() {
    let job = Job::new();
    let mut refs = Refs::default();
    for path in PATHS {
        refs.set("main", path, &format!("def {}\n", path.len()));
    }
    job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    job.counts.take();

    let main = refs.0.get("main").cloned().expect("is there");
    refs.0.insert("release/1".into(), main);
    let report = job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    assert_eq!((report.ending, job.counts.take()), (Ending::Committed, (0, 0)), "a branch changes no row");
    assert_eq!((report.changes.added, report.changes.directories_entered), (0, 0));
    assert_eq!(report.views.get("refs").map(|rows| (rows.added, rows.deleted)), Some((PATHS.len() as u64, 0)));

    refs.set("main", "a.x", "def new\n");
    let report = job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    assert_eq!(job.counts.take(), (1, 1), "only what main holds now");
    assert_eq!((report.changes.added, report.changes.modified, report.changes.deleted), (1, 0, 0));
    assert_eq!(rows(&job, "refs"), refs.visible());

    refs.0.remove("release/1");
    let report = job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    assert_eq!((report.changes.deleted, job.counts.take()), (1, (0, 0)), "a branch takes what it alone held");
    assert_eq!(job.rows(), from_scratch(&job, &refs));
    let report = job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    assert_eq!(report.ending, Ending::Unchanged);
}

#[test]
fn an_index_can_go_from_one_tree_to_several_refs_and_back() {
    let job = Job::new();
    job.write("a.x", "def one\n");
    job.write("b/c.x", "def two\n");
    job.run(Mode::Parallel);
    let plain = job.rows();
    job.counts.take();
    let mut refs = Refs::default();
    refs.set("main", "a.x", "def one\n");
    refs.set("main", "b/c.x", "def two\n");
    refs.set("dev", "a.x", "def three\n");
    job.try_run_from(&refs, Mode::Parallel, false).expect("runs");
    assert_eq!((rows(&job, "refs"), job.counts.take()), (refs.visible(), (1, 1)), "what was known stays known");
    assert_eq!(job.rows(), from_scratch(&job, &refs));
    let report = job.run(Mode::Parallel);
    assert_eq!((report.changes.deleted, job.counts.take()), (1, (0, 0)));
    assert_eq!(job.rows(), plain);
}

#[test]
fn views_over_refs_are_refused() {
    let job = Job { views: all_views(), ..Job::new() };
    let error = job.try_run_from(&Refs::default(), Mode::Parallel, false).expect_err("is refused");
    assert!(matches!(error, RunError::ViewsOverRefs), "{error}");
}
