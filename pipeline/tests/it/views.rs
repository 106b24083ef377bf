//! Views: equal to a plain recomputation at every epoch, kept by whoever wants them.

use std::sync::Arc;

use gristmill_pipeline::plane::{Cell, Difference, FactRow, Tick, VecCollection};
use gristmill_pipeline::run::Indexer;
use gristmill_pipeline::views::{FactCollections, View};
use gristmill_pipeline::{Hash, Mode, ViewColumn, ViewSchema, ViewValue};

use crate::job::{Job, all_views};
use gristmill_pipeline::testing::differences;

#[track_caller]
fn assert_views(job: &Job) {
    let (found, expected) = (job.stored_views(), job.expected_views());
    assert_eq!(differences(&found, &expected), "");
}

/// The rows of a view, each as its values between spaces.
pub(crate) fn rows(job: &Job, view: &str) -> Vec<String> {
    let text = |value: &ViewValue| match value {
        ViewValue::Text(text) => text.to_string(),
        ViewValue::Number(number) => number.to_string(),
        ViewValue::Hash(hash) => hash.to_string(),
    };
    let stored = job.stored_views();
    let rows = stored.get(view).into_iter().flatten();
    rows.map(|row| row.values.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
}

fn with_views() -> Job {
    Job { views: all_views(), ..Job::new() }
}

#[test]
fn uses_are_resolved_by_what_they_are_bound_to() {
    let job = with_views();
    job.write("a/one.x", "def f\nuse f\ndef f.part\n");
    job.write("a/two.x", "use f\nuse g\n");
    job.write("b/three.x", "import four\nuse f\nuse nothing\nuse f.part\n");
    job.write("b/c/four.x", "def f\ndef g\nbase f g\ndef g.part\n");
    job.write("d.x", "import four as four\nuse four.g\nuse b.c.g\ntype value four.g\nuse value.part\nuse value\n");
    job.run(Mode::Parallel);
    assert_eq!(
        rows(&job, "edges"),
        [
            "a/one.x 2 f f call a/one.x 1 f package 94 1",
            "a/two.x 1  f call a/one.x 1 f package 94 1",
            "b/c/four.x 3 g g call b/c/four.x 2 g package 94 1",
            "b/three.x 1  four import b/c/four.x 0  import 97 1",
            "b/three.x 2  f call b/c/four.x 1 f package 94 1",
            "b/three.x 4  part call b/c/four.x 4 g.part inherited 88 1",
            "d.x 1  four import b/c/four.x 0  import 97 1",
            "d.x 2  g call b/c/four.x 2 g package 94 1",
            "d.x 3  g call b/c/four.x 2 g package 94 1",
            "d.x 4  g call b/c/four.x 2 g package 94 1",
            "d.x 5  part call b/c/four.x 4 g.part receiver 92 1",
        ]
    );
    assert_eq!(
        rows(&job, "unresolved"),
        ["a/two.x g 1 1", "b/three.x nothing 1 0", "d.x value 1 0"],
        "a name alone makes no edge"
    );
    assert_views(&job);

    // An import that begins to mean another file moves the edge.
    job.write("b/c/four.x", "def g\n");
    job.write("b/four.x", "def f\n");
    let report = job.run(Mode::Parallel);
    assert_views(&job);
    assert!(rows(&job, "edges").contains(&"b/three.x 2  f call b/four.x 1 f package 94 1".to_owned()));
    assert!(report.views["edges"].added > 0 && report.views["edges"].deleted > 0);
}

#[test]
fn names_are_found_through_imports_of_many_files() {
    let job = with_views();
    const FILES: usize = 14;
    for nth in 0..FILES {
        let two = (nth + 2) % FILES;
        let text = format!("def thing{nth}\nbase thing{nth} thing{two}\ndef thing{nth}.part{nth}\n");
        job.write(&format!("m{nth}/hub{nth}.x"), &text);
    }
    let write = |imported: usize| {
        let imports: String = (0..imported).map(|nth| format!("import hub{nth}\n")).collect();
        let uses = "use thing2\nuse thing2.part2\nuse thing9\nuse thing9.part9\ntype value thing9\nuse value.part9\nuse none\n";
        job.write("all/many.x", &format!("{uses}{imports}"));
    };
    let found = || {
        let edges = rows(&job, "edges");
        let of_names = edges.into_iter().filter(|edge| edge.starts_with("all/") && !edge.contains(" import "));
        of_names.map(|edge| edge.split(' ').skip(1).take(5).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let near = ["1  thing2 call m2/hub2.x", "2  part2 call m2/hub2.x"];
    let far =
        ["3  thing9 call m9/hub9.x", "4  part9 call m9/hub9.x", "5  thing9 call m9/hub9.x", "6  part9 call m9/hub9.x"];

    // So many that the search asks which files have the name.
    write(FILES);
    job.run(Mode::Parallel);
    assert_views(&job);
    assert_eq!(found(), [&near[..], &far].concat());

    // Few are searched one by one.
    write(4);
    job.run(Mode::Parallel);
    assert_views(&job);
    assert_eq!(found(), near);

    write(FILES);
    job.run(Mode::Parallel);
    assert_views(&job);
    assert_eq!(found(), [&near[..], &far].concat());
}

#[test]
fn a_manifest_names_a_file_for_imports_elsewhere() {
    let job = with_views();
    job.write("kit/manifest.x", "import main as =kit\n");
    job.write("kit/main.x", "def f\n");
    job.write("app/one.x", "import kit as it\nuse it.f\n");
    job.run(Mode::Parallel);
    assert_views(&job);
    let uses = |to: &str| rows(&job, "edges").iter().any(|row| row.starts_with("app/one.x 2 ") && row.contains(to));
    assert!(uses("kit/main.x"), "{:?}", rows(&job, "edges"));

    // The file moves, and the manifest names another.
    job.remove("kit/main.x");
    job.write("kit/other.x", "def f\n");
    job.run(Mode::Parallel);
    assert_views(&job);
    assert!(!uses("kit/"));
    job.write("kit/manifest.x", "import other as =kit\n");
    job.run(Mode::Parallel);
    assert_views(&job);
    assert!(uses("kit/other.x"));
}

#[test]
fn a_manifest_names_a_folder_for_imports_below_its_own() {
    let job = with_views();
    job.write("manifest.x", "import src as ~all\n");
    job.write("kit/manifest.x", "import kit/deep as ~all\n");
    job.write("src/tool.x", "def f\n");
    job.write("kit/deep/tool.x", "def f\n");
    for importer in ["one.x", "app/one.x", "kit/one.x", "kit/more/one.x"] {
        job.write(importer, "import all/tool as it\nuse it.f\n");
    }
    job.run(Mode::Parallel);
    let meant = || {
        assert_views(&job);
        let edges = rows(&job, "edges").into_iter().filter(|row| row.contains(" 2  it.f") || row.contains(" import "));
        let edges = edges.map(|row| row.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>());
        edges.map(|row| format!("{} {}", row[0], row.iter().find(|cell| cell.contains("tool.x")).unwrap())).collect()
    };
    let far = ["app/one.x src/tool.x", "one.x src/tool.x"];
    let near = |to: &str| ["kit/more/one.x", "kit/one.x"].map(|from| format!("{from} {to}"));
    let expected = |to: &str| {
        let mut all: Vec<String> = far.map(Into::into).into_iter().chain(near(to)).collect();
        all.sort();
        all
    };
    let found: Vec<String> = meant();
    assert_eq!(found, expected("kit/deep/tool.x"));

    // What the innermost folder says that leads to a module counts.
    job.remove("kit/manifest.x");
    job.run(Mode::Parallel);
    let found: Vec<String> = meant();
    assert_eq!(found, expected("src/tool.x"));

    // A boundary keeps out what outer folders say, but not what is said to all.
    job.write("kit/manifest.x", "import none as ~|\n");
    job.run(Mode::Parallel);
    let found: Vec<String> = meant();
    assert_eq!(found, far);
    job.write("other/manifest.x", "import kit/deep as ~+all\n");
    job.write("other/late.x", "import src as ~+all\n");
    job.run(Mode::Parallel);
    let found: Vec<String> = meant();
    assert_eq!(found, expected("kit/deep/tool.x"));
}

#[test]
fn cycles_come_and_go() {
    let job = with_views();
    job.write("0.x", "import 1\n");
    job.write("1.x", "import 2\n");
    job.write("2.x", "import 0\n");
    job.write("3.x", "import 0\n");
    job.run(Mode::Parallel);
    assert_eq!(rows(&job, "import_cycles").len(), 3);
    assert_eq!(rows(&job, "reachable"), ["0.x 0.x", "0.x 1.x", "0.x 2.x"]);
    assert_views(&job);
    job.write("1.x", "nothing\n");
    job.run(Mode::Parallel);
    assert_eq!(rows(&job, "import_cycles"), [""; 0]);
    assert_eq!(rows(&job, "reachable"), ["0.x 0.x", "0.x 1.x"]);
    assert_views(&job);
}

/// How many definitions each file has: a view from outside of the crate.
struct Definitions {
    version: u32,
}

impl View for Definitions {
    fn schema(&self) -> Arc<ViewSchema> {
        Arc::new(ViewSchema {
            name: "definition_counts".into(),
            description: "How many definitions each file has.".into(),
            columns: vec![
                ViewColumn::text("path", "The file."),
                ViewColumn::number("definitions", "How many definitions it has, plus the version."),
            ],
            fingerprint: Hash::of(&self.version.to_le_bytes()),
        })
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let version = u64::from(self.version);
        facts
            .definitions()
            .map(|(place, _)| place.path)
            .count()
            .map(move |(path, count)| FactRow::new([Cell::from(path), Cell::Number(count as u64 + version)]))
    }
}

#[test]
fn a_view_can_be_added_changed_and_dropped_without_parsing_anything() {
    let mut job = Job::new();
    job.write("a.x", "def f\ndef g\n");
    job.write("b.x", "def h\n");
    job.run(Mode::Parallel);
    job.counts.take();

    job.views = vec![Arc::new(Definitions { version: 0 })];
    let report = job.run(Mode::Parallel);
    assert_eq!(rows(&job, "definition_counts"), ["a.x 2", "b.x 1"]);
    assert_eq!((job.counts.take(), report.rebuilt_because), ((0, 0), None));

    job.views.extend(all_views());
    job.run(Mode::Parallel);
    assert_views(&job);
    assert_eq!(job.counts.take(), (0, 0));

    job.views[0] = Arc::new(Definitions { version: 10 });
    job.write("b.x", "nothing\n");
    let report = job.run(Mode::Parallel);
    assert_eq!(rows(&job, "definition_counts"), ["a.x 12"]);
    assert_views(&job);
    assert_eq!((job.counts.take().0, report.views.contains_key("edges")), (1, false));

    job.views.truncate(1);
    let report = job.run(Mode::Parallel);
    assert_eq!(report.views.len(), 0);
    assert_eq!(rows(&job, "definition_counts"), ["a.x 12"]);
}

#[test]
fn views_follow_changed_operators() {
    let mut job = with_views();
    job.write("a/0.x", "import 1\ndef f\nuse g\n");
    job.write("a/1.x", "import 0\ndef g\nuse f\n");
    job.write("b/gone.x", "def h\n");
    job.run(Mode::Parallel);
    let all = job.stored_views();

    job.embed_version = 2;
    job.run(Mode::Parallel);
    assert_views(&job);
    assert_eq!(job.stored_views(), all);

    job.parse_version = 2;
    job.remove("b/gone.x");
    job.write("b/new.x", "use f\n");
    job.run(Mode::Parallel);
    assert_views(&job);

    job.write("a/1.x", "def g\n");
    job.run(Mode::Parallel);
    assert_views(&job);
}

#[test]
fn an_open_indexer_touches_only_what_changed() {
    let job = with_views();
    for nth in 0..40 {
        job.write(&format!("d{}/{nth}.x", nth % 4), &format!("def f{nth}\nuse f{}\n", (nth + 4) % 40));
    }
    job.with_plan(Mode::Parallel, false, |plan| {
        let mut indexer = Indexer::open(*plan).expect("opens");
        let all = indexer.update(plan.source, false).expect("builds");
        job.write("d0/0.x", "def f0\nuse f4\nuse f8\n");
        let one = indexer.update(plan.source, false).expect("updates");
        assert_eq!(one.plane.loaded, 0, "the plane is warm");
        assert!(one.plane.facts * 20 < all.plane.facts, "{} of {} facts", one.plane.facts, all.plane.facts);
        assert_eq!((one.views["edges"].added, one.views["edges"].deleted), (1, 0));
    });
    assert_views(&job);
}
