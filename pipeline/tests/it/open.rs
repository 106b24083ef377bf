//! An operator fits wherever its ports do: operators whose output port is their input port, of
//! each kind and several in a row.

use gristmill_pipeline::port::{CONTEXT, Header};
use gristmill_pipeline::run::{Ending, Indexer, RunReport, Work, forecast};
use gristmill_pipeline::{ExtraValue, Mode, Record, RelPath};

use crate::agreement::from_scratch;
use crate::job::{Between, Job, Versions};

/// One operator of each kind, two in a row of it, and all at once.
fn shapes() -> Vec<(&'static str, Between)> {
    let none = Between::default();
    vec![
        ("contents", Between { contents: 1, ..none }),
        ("contents twice", Between { contents: 2, ..none }),
        ("syntax", Between { syntax: 1, ..none }),
        ("syntax twice", Between { syntax: 2, ..none }),
        ("select", Between { select: true, ..none }),
        ("context", Between { context: true, ..none }),
        ("chunks twice", Between { select: true, context: true, ..none }),
        ("vectors", Between { vectors: 1, ..none }),
        ("vectors twice", Between { vectors: 2, ..none }),
        ("all", Between::all()),
    ]
}

/// A job with files for operators of every kind to work on.
fn job(between: Between) -> Job {
    let job = Job { between, header: Header::Scope, ..Job::new() };
    job.write("a.x", "# comment\n% percent\ndef one\nuse two\ndrop this\nlast\n");
    job.write("b.x", "def two\ndrop all\n");
    job.write("copy/b.x", "def two\ndrop all\n");
    job.write("whole.x", "# comment\ndef one\n");
    job.write("other.x", "# comment\ndef one\n");
    job.write("drop.x", "drop one\ndrop two\n");
    job.write("prose.md", "no definition\n");
    job
}

/// How many items a stage took.
fn items(report: &RunReport, stage: &str) -> u64 {
    report.stages.iter().find(|of| of.name == stage).unwrap_or_else(|| panic!("no stage {stage}")).items
}

/// A stored record of the sink of vectors.
fn record(job: &Job, path: &str) -> Record {
    let disk = job.disk.lock();
    let rows = disk.newest().expect("has an epoch");
    rows.iter().find(|(row, _)| row.path == RelPath::from(path)).unwrap_or_else(|| panic!("no row {path}")).1.clone()
}

fn texts(record: &Record) -> Vec<String> {
    let chunks = record.chunks.as_ref().expect("has chunks");
    let text =
        |chunk: &gristmill_pipeline::port::Chunk| record.analysis.text.get(chunk.span.bytes()).map(str::to_owned);
    chunks.chunks.iter().map(|chunk| text(chunk).expect("lies in the text")).collect()
}

#[test]
fn modes_agree_and_measure_every_stage() {
    for (name, between) in shapes() {
        let job = job(between);
        let mut rows = Vec::new();
        for mode in Mode::ALL {
            let report = job.try_run(mode, true).expect("runs");
            let idle: Vec<&str> =
                report.stages.iter().filter(|stage| stage.items == 0).map(|stage| stage.name.as_str()).collect();
            assert!(idle.is_empty(), "{name}, {mode}: {idle:?} measured nothing");
            let Work { contents_analysed, paths_shared, .. } = report.work;
            assert_eq!((contents_analysed + paths_shared, report.scan.files), (7, 7), "{name}, {mode}");
            rows.push(job.rows());
        }
        assert!(rows.iter().all(|of_mode| *of_mode == rows[0]), "{name}");
        assert_eq!(rows[0], from_scratch(&job), "{name}");
    }
}

#[test]
fn each_kind_does_what_it_is_for() {
    let job = job(Between::all());
    job.run(Mode::Parallel);
    let a = record(&job, "a.x");
    assert_eq!(texts(&a), ["def one\n", "use two\n", "last\n"], "two lines are stripped, and one chunk is dropped");
    let names: Vec<&str> = a.analysis.definitions.iter().map(|definition| &*definition.qualified_name).collect();
    assert_eq!(names, ["one@1@1"]);
    let chunks = a.chunks.expect("has chunks");
    assert_eq!(chunks.vectors.map(|vectors| vectors.len()), Some(3), "one component for each chunk");
    assert_eq!(chunks.chunks[1].context(), "one v1");
}

#[test]
fn equal_bytes_are_processed_once_per_variant_of_any_operator() {
    let job = job(Between { contents: 1, ..Between::default() });
    job.run(Mode::Sequential);
    assert_eq!(texts(&record(&job, "whole.x")), ["# comment\n", "def one\n"]);
    assert_eq!(texts(&record(&job, "other.x")), ["def one\n"]);
    job.rename("other.x", "whole-too.x");
    let report = job.run(Mode::Sequential);
    assert_eq!((report.work.contents_analysed, report.work.paths_recalled), (0, 1), "`whole.x` has it");
    assert_eq!(job.rows(), from_scratch(&job));
}

#[test]
fn incremental_equals_from_scratch_over_edits_renames_and_reverts() {
    for header in [Header::Path, Header::Scope, Header::None] {
        for mode in Mode::ALL {
            let job = Job { header, ..job(Between::all()) };
            job.run(mode);
            let steps: [&dyn Fn(); 5] = [
                &|| job.write("a.x", "# comment\ndef changed\nuse two\nlast\n"),
                &|| job.rename("a.x", "d/a.x"),
                &|| job.write("d/a.x", "# comment\n% percent\ndef one\nuse two\ndrop this\nlast\n"),
                &|| job.rename("copy/b.x", "copy/b.md"),
                &|| job.remove("b.x"),
            ];
            for (nth, step) in steps.into_iter().enumerate() {
                step();
                let expected = job.with_plan(mode, false, forecast).expect("forecasts");
                let report = job.run(mode);
                assert_eq!(job.rows(), from_scratch(&job), "{header:?}, {mode}, step {nth}");
                assert_eq!(
                    (expected.work, expected.rows),
                    (report.work, report.rows),
                    "{header:?}, {mode}, step {nth}"
                );
            }
        }
    }
}

/// What stages take in a run with other versions of operators: the contents that are read,
/// those that are parsed, the chunked contents that `select` takes, passages that are embedded
/// and vectors that are mapped.
fn taken(report: &RunReport) -> [u64; 5] {
    ["strip 0", "parse", "select", "embed", "shorten 0"].map(|stage| items(report, stage))
}

#[test]
fn a_changed_operator_recomputes_what_it_produced_and_nothing_else() {
    for mode in Mode::ALL {
        let mut job = job(Between::all());
        let first = job.run(mode);
        // Of the passages one is shared: `def one` with its context.
        assert_eq!(taken(&first), [6, 6, 6, 6, 6], "{mode}");
        let same = Versions::default();
        let steps = [
            ("vectors", Versions { vectors: 2, ..same }, [0, 0, 0, 6, 6]),
            ("select", Versions { vectors: 2, select: 2, ..same }, [6, 6, 6, 0, 0]),
            // Its text is part of what the embedder sees; prose has no context.
            ("context", Versions { vectors: 2, select: 2, context: 2, ..same }, [6, 6, 6, 5, 5]),
            ("syntax", Versions { vectors: 2, select: 2, context: 2, syntax: 2, ..same }, [6, 6, 6, 0, 0]),
            ("contents", Versions { vectors: 2, select: 2, context: 2, syntax: 2, contents: 2 }, [6, 6, 6, 0, 0]),
            ("vectors back", Versions { vectors: 1, select: 2, context: 2, syntax: 2, contents: 2 }, [0, 0, 0, 6, 6]),
        ];
        for (what, versions, expected) in steps {
            job.between.versions = versions;
            let foretold = job.with_plan(mode, false, forecast).expect("forecasts");
            let report = job.run(mode);
            assert_eq!(taken(&report), expected, "{mode}, {what}");
            assert_eq!((report.ending, report.rebuilt_because.as_deref()), (Ending::Committed, None), "{mode}, {what}");
            assert_eq!((foretold.work, foretold.rows), (report.work, report.rows.clone()), "{mode}, {what}");
            assert_eq!(job.rows(), from_scratch(&job), "{mode}, {what}");
        }
        assert_eq!(job.run(mode).ending, Ending::Unchanged, "{mode}");
    }
}

/// The findings of a run: path, code and message of each file that is quarantined.
fn quarantined(report: &RunReport) -> Vec<(String, String, String)> {
    let of =
        |file: &gristmill_pipeline::run::Quarantined| (file.path.to_string(), file.code.clone(), file.message.clone());
    let mut all: Vec<_> = report.quarantined.iter().map(of).collect();
    all.sort();
    all
}

#[test]
fn a_panic_in_any_stage_quarantines_one_file() {
    let bad = [
        ("strip 0", "boom contents\n"),
        ("qualify 0", "def boom_syntax\n"),
        ("select", "boom chunks\n"),
        ("shorten 0", "explosive\n"),
    ];
    for mode in Mode::ALL {
        for (stage, text) in bad {
            let job = job(Between { context: false, ..Between::all() });
            job.run(Mode::Sequential);
            let before = record(&job, "a.x").analysis;
            job.write("bad.x", text);
            job.write("good.x", "fine\n");
            let report = job.try_run(mode, true).expect("runs");
            let message = format!("stage `{stage}` failed twice on this file (asked to); please report it");
            assert_eq!(quarantined(&report), [("bad.x".into(), "panic".into(), message)], "{mode}");
            let found = &record(&job, "bad.x").analysis.diagnostics;
            assert_eq!(found.iter().map(|found| &*found.stage).collect::<Vec<_>>(), [stage], "{mode}");
            assert_eq!(texts(&record(&job, "good.x")), ["fine\n"], "{mode}, {stage}");
            assert_eq!(record(&job, "a.x").analysis.extras, before.extras, "{mode}, {stage}");
            assert_eq!(job.rows(), from_scratch(&job), "{mode}, {stage}");
        }
    }
}

#[test]
fn a_dropped_file_keeps_a_row_without_text() {
    for mode in Mode::ALL {
        let job = job(Between::all());
        job.write("left-out.x", "def one\ngenerated\n");
        job.write("hidden.x", "def hidden\nrest\n");
        let report = job.run(mode);
        assert_eq!(report.findings.get("generated"), Some(&1), "{mode}");
        assert!(report.quarantined.is_empty(), "{mode}: it was dealt with");
        for path in ["left-out.x", "hidden.x"] {
            let record = record(&job, path);
            assert_eq!((texts(&record).len(), record.analysis.definitions.len()), (0, 0), "{mode}, {path}");
        }
        assert_eq!(&*record(&job, "left-out.x").analysis.text, "", "{mode}: sinks must not see a dropped text");
        assert_eq!(texts(&record(&job, "drop.x")).len(), 0, "{mode}: all of its chunks were dropped");
        job.rename("left-out.x", "moved.x");
        job.rename("drop.x", "dropped.x");
        let report = job.run(mode);
        assert_eq!((report.work.contents_analysed, report.work.paths_recalled), (0, 2), "{mode}");
        assert_eq!(job.rows(), from_scratch(&job), "{mode}");
    }
}

#[test]
fn a_dropped_vector_is_reported_for_every_row_that_needs_it() {
    for mode in Mode::ALL {
        for header in [Header::Path, Header::None] {
            let mut job = Job { header, ..job(Between { vectors: 2, ..Between::default() }) };
            job.write("lost.x", "fine\nlost\n");
            let report = job.run(mode);
            let message = "stage `shorten 0` returned no vector for a chunk of this file";
            let finding = |path: &str| (path.to_owned(), "no_vector".to_owned(), message.to_owned());
            assert_eq!(quarantined(&report), [finding("lost.x")], "{mode}, {header:?}");
            assert_eq!(report.findings.get("no_vector"), Some(&1), "{mode}, {header:?}");
            let steps: [&dyn Fn(); 4] = [
                // Another file with the same passage, which exists already if its header has no path.
                &|| job.write("also.x", "lost\nother\n"),
                &|| job.rename("lost.x", "moved.x"),
                &|| job.remove("moved.x"),
                &|| job.write("back.x", "fine\nlost\n"),
            ];
            // In one process the fact plane knows every passage; a cold run loads what changed.
            for is_resident in [true, false] {
                job.try_run(mode, true).expect("runs");
                job.with_plan(mode, false, |plan| {
                    let mut indexer = Indexer::open(*plan).expect("opens");
                    indexer.update(plan.source, true).expect("updates");
                    for (nth, step) in steps.into_iter().enumerate() {
                        step();
                        if !is_resident {
                            drop(indexer);
                            indexer = Indexer::open(*plan).expect("opens");
                        }
                        indexer.update(plan.source, false).expect("updates");
                        let what = format!("{mode}, {header:?}, resident: {is_resident}, step {nth}");
                        assert_eq!(job.rows(), from_scratch(&job), "{what}");
                    }
                });
                job.rename("back.x", "lost.x");
                job.remove("also.x");
            }
            job.write("also.x", "lost\nother\n");
            job.run(mode);
            assert_eq!(record(&job, "also.x").analysis.diagnostics.len(), 1, "{mode}, {header:?}");
            // Without the operator that failed there is nothing to report, though nothing is parsed.
            job.between.vectors = 0;
            let report = job.try_run(mode, false);
            assert!(report.is_err(), "{mode}: its vectors have two components");
            job.between.vectors = 2;
            job.between.versions.vectors = 2;
            job.counts.take();
            job.run(mode);
            assert_eq!(job.counts.take().0, 0, "{mode}");
            assert_eq!(job.rows(), from_scratch(&job), "{mode}, {header:?}");
        }
    }
}

#[test]
fn diagnostics_of_a_changed_embedder_are_replaced() {
    let mut job = Job::new();
    job.write("a.x", "one\nunembeddable\n");
    job.run(Mode::Sequential);
    let mut check = |version: u32, path: &str, findings: usize| {
        job.embed_version = version;
        job.run(Mode::Sequential);
        assert_eq!(record(&job, path).analysis.diagnostics.len(), findings, "{path}, version {version}");
        assert_eq!(job.rows(), from_scratch(&job), "{path}, version {version}");
    };
    check(1, "a.x", 1);
    check(3, "a.x", 1);
    check(2, "a.x", 0);
    check(1, "a.x", 1);
}

#[test]
fn extra_columns_and_context_reach_sinks_and_embedder() {
    for mode in Mode::ALL {
        let job = job(Between::all());
        job.run(mode);
        let expected = |path: &str| {
            let of_file = record(&job, path);
            let value = |column: &str| of_file.analysis.extras.get(column).cloned();
            assert_eq!(value("comments"), Some(ExtraValue::from("1 by v1")), "{mode}, {path}");
            assert_eq!(value("percents"), Some(ExtraValue::from("1 by v1")), "{mode}, {path}");
            assert_eq!(value("definitions"), Some(ExtraValue::Integer(1)), "{mode}, {path}");
            let chunks = of_file.chunks.expect("has chunks").chunks;
            let length = |nth: usize| chunks[nth].extras.get("length").cloned();
            assert_eq!((length(0), length(2)), (Some(ExtraValue::Integer(8)), Some(ExtraValue::Integer(5))));
            assert_eq!(chunks[0].extras.get(CONTEXT), Some(&ExtraValue::from("one v1")));
        };
        expected("a.x");
        job.rename("a.x", "d/recalled.x");
        let report = job.run(mode);
        assert_eq!(report.work.contents_analysed, 0, "{mode}");
        expected("d/recalled.x");
        let prose = record(&job, "prose.md").chunks.expect("has chunks").chunks;
        assert_eq!(prose[0].extras.get(CONTEXT), None, "an empty context is none");
    }
}

#[test]
fn a_context_changes_what_is_embedded_and_its_hash() {
    let with = job(Between { context: true, ..Between::default() });
    let without = job(Between::default());
    for job in [&with, &without] {
        job.run(Mode::Parallel);
    }
    let of = |job: &Job, path: &str| {
        let chunks = record(job, path).chunks.expect("has chunks");
        (chunks.hashes, chunks.vectors.expect("has vectors"))
    };
    let [(hashes, vectors), (bare_hashes, bare_vectors)] = [of(&with, "b.x"), of(&without, "b.x")];
    assert!(hashes.iter().zip(&bare_hashes).all(|(left, right)| left != right));
    assert_ne!(vectors, bare_vectors);
    assert_eq!(of(&with, "prose.md"), of(&without, "prose.md"), "it has none");
    // Under another header that holds the path all is embedded anew, from what is recalled.
    let by_path = Job { header: Header::Path, ..job(Between { context: true, ..Between::default() }) };
    by_path.run(Mode::Parallel);
    by_path.rename("b.x", "z.x");
    let report = by_path.run(Mode::Parallel);
    assert_eq!((report.work.contents_analysed, report.work.passages_embedded), (0, 2));
    assert_eq!(by_path.rows(), from_scratch(&by_path));
}
