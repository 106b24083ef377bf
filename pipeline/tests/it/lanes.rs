//! Graphs that fan out: lanes that share an embedder or a chunker, and stores that have a part
//! of each record.

use std::sync::Arc;

use gristmill_pipeline::graph::StageSpec;
use gristmill_pipeline::port::{Chunk, Chunked, Header, Span, Syntax};
use gristmill_pipeline::run::{Ending, forecast};
use gristmill_pipeline::testing::{Contextualise, Embed, Lines, Memory, Parse, Read, Select, Shorten, differences};
use gristmill_pipeline::views::Rollups;
use gristmill_pipeline::{
    AnyOperator, Batch, Chunker, Emitter, Extras, Fingerprint, Hash, Mode, Operator, OperatorError, Record,
};

use crate::agreement::from_scratch;
use crate::job::{Job, memory};

/// From the source to one chunk a line.
fn line(job: &Job) -> Vec<StageSpec> {
    let parse = Parse { counts: Arc::clone(&job.counts), version: job.parse_version };
    vec![
        StageSpec::new("read", ["source"], AnyOperator::plain(Read)),
        StageSpec::new("parse", ["read"], AnyOperator::parser(parse)),
        StageSpec::new("chunk", ["parse"], AnyOperator::chunker(Lines { header: job.header })),
    ]
}

fn embed(job: &Job, name: &str, input: &str) -> StageSpec {
    let embed = Embed { counts: Arc::clone(&job.counts), version: job.embed_version, requests: job.requests };
    StageSpec::new(name, [input], AnyOperator::embedder(embed))
}

fn select(name: &str, input: &str) -> StageSpec {
    StageSpec::new(name, [input], AnyOperator::plain(Select { version: 1 }))
}

/// One embedder, whose vectors are stored as they are and shortened.
fn mapped_and_not(job: &Job) -> Vec<StageSpec> {
    let shorten = Shorten { dimension: 1, factor: 3 };
    let mut stages = line(job);
    stages.extend([
        embed(job, "embed", "chunk"),
        StageSpec::new("shorten", ["embed"], AnyOperator::vector_map(shorten)),
        StageSpec::new("whole", ["parse", "embed"], memory(&job.disk)),
        StageSpec::new("short", ["parse", "shorten"], memory(&job.text_disk)),
    ]);
    stages
}

/// All chunks in one store, and those that are not dropped in another one; both embedded by
/// models that are the same.
fn filtered_and_not(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    stages.extend([
        select("select", "chunk"),
        embed(job, "embed", "chunk"),
        embed(job, "embed selected", "select"),
        // The first store does not have the whole text.
        StageSpec::new("selected", ["parse", "embed selected"], memory(&job.text_disk)),
        StageSpec::new("all", ["parse", "embed"], memory(&job.disk)),
    ]);
    stages
}

/// Two chunk lanes, of which each has a context of its own.
fn contexts_side_by_side(job: &Job) -> Vec<StageSpec> {
    let context = |version| AnyOperator::plain(Contextualise { header: job.header, version });
    let mut stages = line(job);
    stages.extend([
        StageSpec::new("context 1", ["chunk"], context(1)),
        StageSpec::new("context 2", ["chunk"], context(2)),
        embed(job, "embed 1", "context 1"),
        embed(job, "embed 2", "context 2"),
        StageSpec::new("store 1", ["parse", "embed 1"], memory(&job.disk)),
        StageSpec::new("store 2", ["parse", "embed 2"], memory(&job.text_disk)),
    ]);
    stages
}

/// A store of chunks that has no symbols comes first, and one that has only symbols last.
fn stores_of_parts(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    stages.extend([
        select("select", "chunk"),
        StageSpec::new("chunks", ["select"], memory(&job.text_disk)),
        StageSpec::new("symbols", ["parse", "chunk"], memory(&job.disk)),
    ]);
    stages
}

/// Two lanes of vectors and two of chunks, stored by two sinks.
fn two_by_two(job: &Job, first: [&str; 2], second: [&str; 2]) -> Vec<StageSpec> {
    let shorten = Shorten { dimension: 2, factor: 3 };
    let mut stages = line(job);
    stages.extend([
        select("select", "chunk"),
        embed(job, "embed", "chunk"),
        StageSpec::new("multiply", ["embed"], AnyOperator::vector_map(shorten)),
        embed(job, "embed selected", "select"),
        StageSpec::new("first", first, memory(&job.disk)),
        StageSpec::new("second", second, memory(&job.text_disk)),
    ]);
    stages
}

pub(crate) type Stages = fn(&Job) -> Vec<StageSpec>;

pub(crate) const GRAPHS: [(&str, Stages); 4] = [
    ("mapped and not", mapped_and_not),
    ("filtered and not", filtered_and_not),
    ("contexts side by side", contexts_side_by_side),
    ("stores of parts", stores_of_parts),
];

fn job(stages: Stages, header: Header) -> Job {
    let job = Job { stages: Some(stages), header, ..Job::new() };
    job.write("a.x", "def one\nuse two\ndrop this\nlast\n");
    job.write("b.x", "drop all\ndef two\n");
    job.write("c.x", "drop one\ndrop two\n");
    job
}

fn record(disk: &Arc<parking_lot::Mutex<gristmill_pipeline::testing::Disk>>, path: &str) -> Record {
    let disk = disk.lock();
    let rows = disk.newest().expect("has an epoch");
    rows.iter().find(|(row, _)| row.path.as_str() == path).expect("has the row").1.clone()
}

#[test]
fn modes_agree_and_incremental_equals_from_scratch() {
    for (name, stages) in GRAPHS {
        for mode in Mode::ALL {
            for header in [Header::Path, Header::None] {
                let job = job(stages, header);
                let check = |what: &str| {
                    let expected = job.with_plan(mode, false, forecast).expect("forecasts");
                    let report = job.run(mode);
                    let what = format!("{name}, {mode}, {header:?}, {what}");
                    assert_eq!(job.rows(), from_scratch(&job), "{what}");
                    assert_eq!((expected.work, expected.rows), (report.work, report.rows), "{what}");
                    assert_eq!(report.rebuilt_because, None, "{what}");
                };
                check("first");
                job.rename("a.x", "moved.x");
                check("renamed");
                job.write("b.x", "drop all\ndef three\nlast\n");
                check("edited");
                job.write("b.x", "drop all\ndef two\n");
                job.write("copy.x", "def one\nuse two\ndrop this\nlast\n");
                check("reverted and copied");
                job.remove("moved.x");
                check("removed");
            }
        }
    }
}

#[test]
fn a_changed_embedder_embeds_the_recalled_texts_of_every_lane() {
    for (name, stages) in GRAPHS {
        let mut job = job(stages, Header::None);
        job.run(Mode::Parallel);
        job.counts.take();
        job.embed_version = 2;
        job.run(Mode::Parallel);
        assert_eq!(job.counts.take().0, 0, "{name}: nothing is parsed");
        assert_eq!(job.rows(), from_scratch(&job), "{name}");
    }
}

#[test]
fn sinks_that_swap_their_inputs_are_written_again() {
    fn vectors(job: &Job) -> Vec<StageSpec> {
        let mut stages = two_by_two(job, ["parse", "embed"], ["parse", "multiply"]);
        stages.retain(|stage| !stage.name.contains("select"));
        stages
    }
    fn vectors_swapped(job: &Job) -> Vec<StageSpec> {
        let mut stages = two_by_two(job, ["parse", "multiply"], ["parse", "embed"]);
        stages.retain(|stage| !stage.name.contains("select"));
        stages
    }
    fn chunks(job: &Job) -> Vec<StageSpec> {
        let mut stages = two_by_two(job, ["parse", "embed"], ["parse", "embed selected"]);
        stages.retain(|stage| &*stage.name != "multiply");
        stages
    }
    fn chunks_swapped(job: &Job) -> Vec<StageSpec> {
        let mut stages = two_by_two(job, ["parse", "embed selected"], ["parse", "embed"]);
        stages.retain(|stage| &*stage.name != "multiply");
        stages
    }
    for [before, after] in [[vectors as Stages, vectors_swapped], [chunks, chunks_swapped]] {
        for mode in Mode::ALL {
            let mut job = job(before, Header::None);
            job.run(mode);
            job.stages = Some(after);
            let expected = job.with_plan(mode, false, forecast).expect("forecasts");
            let report = job.run(mode);
            assert_eq!(report.ending, Ending::Committed, "{mode}");
            assert_eq!(job.rows(), from_scratch(&job), "{mode}");
            assert_eq!((expected.work, expected.rows), (report.work, report.rows), "{mode}");
            job.rename("a.x", "z.x");
            job.run(mode);
            assert_eq!(job.rows(), from_scratch(&job), "{mode}");
        }
    }
}

#[test]
fn an_embedder_with_and_without_a_vector_map_makes_two_lanes() {
    for mode in Mode::ALL {
        let mut job = job(mapped_and_not, Header::None);
        job.run(mode);
        let vectors = |disk| record(disk, "a.x").chunks.expect("has chunks").vectors.expect("has vectors");
        let (whole, short) = (vectors(&job.disk), vectors(&job.text_disk));
        let expected: Vec<f32> = whole.chunks(2).map(|vector| vector[0] * 3.0).collect();
        assert_eq!(short, expected, "{mode}");
        assert_eq!(job.counts.take(), (3, 16), "{mode}: eight passages, embedded for each lane");
        job.embed_version = 2;
        job.run(mode);
        assert_eq!(job.counts.take(), (0, 16), "{mode}");
    }
}

/// Lanes with equal fingerprints share vectors and the journal.
#[test]
fn lanes_with_the_same_embedder_embed_a_passage_once() {
    for mode in Mode::ALL {
        for header in [Header::Path, Header::None] {
            let job = job(filtered_and_not, header);
            let report = job.run(mode);
            assert_eq!((job.counts.take().1, report.work.passages_embedded), (8, 8), "{mode}, {header:?}");
            assert_eq!(report.work.passages_shared, 4, "{mode}, {header:?}: what `select` keeps");
            job.write("d.x", "def two\nnew\n");
            let report = job.run(mode);
            // Where the path is no part of it, `def two` lives in both lanes.
            let embedded = if header == Header::None { 1 } else { 2 };
            assert_eq!(
                (job.counts.take().1, report.work.passages_embedded),
                (embedded, embedded),
                "{mode}, {header:?}"
            );
        }
    }
}

/// One chunk per file, beside one per line.
struct Whole(Lines);

impl Operator for Whole {
    type In = Arc<Syntax>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "whole"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"whole")
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for syntax in batch {
            let text = syntax.content.text.to_string();
            let span = Span { start_byte: 0, end_byte: text.len() as u32, start_line: 1, end_line: syntax.lines };
            let chunk = Chunk {
                span,
                kind: "code",
                symbol: "".into(),
                scope: "".into(),
                tokens: 1,
                body_hash: self.header().body_hash("", "", &text),
                extras: Extras::default(),
            };
            out.emit(Arc::new(Chunked { syntax, chunks: vec![chunk] }));
        }
        Ok(())
    }
}

impl Chunker for Whole {
    fn header(&self) -> Header {
        self.0.header
    }
}

fn lines_and_whole(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    stages.extend([
        StageSpec::new("whole", ["parse"], AnyOperator::chunker(Whole(Lines { header: job.header }))),
        embed(job, "embed", "chunk"),
        embed(job, "embed whole", "whole"),
        StageSpec::new("lines", ["parse", "embed"], memory(&job.disk)),
        StageSpec::new("files", ["parse", "embed whole"], memory(&job.text_disk)),
    ]);
    stages
}

#[test]
fn a_lane_reuses_the_stored_vectors_of_a_lane_with_the_same_embedder() {
    for mode in Mode::ALL {
        let job = Job { stages: Some(lines_and_whole), header: Header::None, ..Job::new() };
        job.write("a.x", "one\ntwo\n");
        job.run(mode);
        assert_eq!(job.counts.take().1, 3, "{mode}: two lines and one file");
        // The passage exists in the lane of lines, and is new in the lane of files.
        job.write("b.x", "two\n");
        let report = job.run(mode);
        assert_eq!((job.counts.take().1, report.work.passages_embedded), (0, 0), "{mode}");
        assert_eq!(job.rows(), from_scratch(&job), "{mode}");
    }
}

#[test]
fn views_count_chunks_of_the_first_lane_in_any_order_of_stores() {
    for stages in [filtered_and_not as Stages, stores_of_parts] {
        let mut job = job(stages, Header::Scope);
        job.views = vec![Arc::new(Rollups)];
        job.run(Mode::Parallel);
        // A cold run loads all facts from the stores.
        job.write("a.x", "def other\nlast\n");
        job.run(Mode::Parallel);
        let mut fresh = Job { stages: Some(stages), header: Header::Scope, ..Job::new() };
        fresh.views = vec![Arc::new(Rollups)];
        for (path, text) in
            [("a.x", "def other\nlast\n"), ("b.x", "drop all\ndef two\n"), ("c.x", "drop one\ndrop two\n")]
        {
            fresh.write(path, text);
        }
        fresh.run(Mode::Sequential);
        assert_eq!(differences(&job.stored_views(), &fresh.stored_views()), "");
    }
}

/// The only sink with definitions is no fact store; the fact store has chunks only.
fn symbols_nowhere(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    let tap = Memory { disk: Arc::clone(&job.disk), gives_nothing_back: true };
    stages.extend([
        embed(job, "embed", "chunk"),
        StageSpec::new("tap", ["parse"], Arc::new(tap)),
        StageSpec::new("store", ["embed"], memory(&job.text_disk)),
    ]);
    stages
}

#[test]
fn files_are_parsed_again_but_not_embedded_if_no_store_has_their_syntax() {
    let job = job(symbols_nowhere, Header::None);
    for resident in [false, true] {
        job.try_run(Mode::Parallel, true).expect("runs");
        job.counts.take();
        job.with_plan(Mode::Parallel, false, |plan| {
            let mut indexer = gristmill_pipeline::run::Indexer::open(*plan).expect("opens");
            for (from, to) in [("a.x", "z.x"), ("z.x", "a.x")] {
                job.rename(from, to);
                if !resident {
                    drop(indexer);
                    indexer = gristmill_pipeline::run::Indexer::open(*plan).expect("opens");
                }
                let report = indexer.update(plan.source, false).expect("updates");
                assert_eq!((report.ending, report.rebuilt_because), (Ending::Committed, None));
                assert!(report.notice.expect("says so").contains("parsed again"));
                assert_eq!(job.counts.take(), (3, 0), "resident: {resident}");
                assert_eq!(job.rows(), from_scratch(&job), "resident: {resident}");
            }
        });
    }
}
