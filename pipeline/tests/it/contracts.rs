//! Operators that violate their contract: all modes handle them alike.

use std::sync::Arc;

use gristmill_pipeline::graph::StageSpec;
use gristmill_pipeline::port::{CONTEXT, Chunked, Content, Header, Vector};
use gristmill_pipeline::run::RunError;
use gristmill_pipeline::testing::{Embed, Lines, Parse, Read, Strip};
use gristmill_pipeline::{
    AnyOperator, Batch, BatchSize, Embedder, Emitter, Fingerprint, Hash, Mode, Operator, OperatorError, VectorMap,
};

use crate::agreement::from_scratch;
use crate::job::{Between, Job, memory};
use crate::refs::Refs;

/// Gives what `process` makes of each item.
struct Odd<T>(fn(T, &mut Emitter<T>));

impl<T: gristmill_pipeline::port::PortItem> Operator for Odd<T> {
    type In = T;
    type Out = T;

    fn name(&self) -> &str {
        "odd"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"odd")
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize { items: 8, ..BatchSize::ONE }
    }

    fn process(&self, batch: Batch<T>, out: &mut Emitter<T>) -> Result<(), OperatorError> {
        batch.into_iter().for_each(|item| self.0(item, out));
        Ok(())
    }
}

impl VectorMap for Odd<Vector> {
    fn dimension(&self, input: usize) -> usize {
        input
    }
}

/// Returns how many vectors it got at once.
struct BatchLength;

impl Operator for BatchLength {
    type In = Vector;
    type Out = Vector;

    fn name(&self) -> &str {
        "batch_length"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"batch_length")
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize { items: 2, ..BatchSize::ONE }
    }

    fn process(&self, batch: Batch<Vector>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        let length = batch.0.len() as f32;
        batch.into_iter().for_each(|vector| out.emit(Vector { values: [length].into(), ..vector }));
        Ok(())
    }
}

impl VectorMap for BatchLength {
    fn dimension(&self, _: usize) -> usize {
        1
    }
}

/// Panics where nothing of an operator is expected to.
struct Unruly;

impl Operator for Unruly {
    type In = Vector;
    type Out = Vector;

    fn name(&self) -> &str {
        "unruly"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"unruly")
    }

    fn batch_size(&self) -> BatchSize {
        panic!("asked to")
    }

    fn process(&self, _: Batch<Vector>, _: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        Ok(())
    }
}

impl VectorMap for Unruly {
    fn dimension(&self, input: usize) -> usize {
        input
    }
}

/// A panicked thread must not block the run for ever.
#[test]
fn a_panic_outside_of_process_ends_the_epoch() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        with(job, None, None, Some(AnyOperator::vector_map(Unruly)))
    }
    let job = job(stages);
    for mode in Mode::ALL {
        let error = job.try_run(mode, true).expect_err("fails");
        let RunError::Operator(error) = error else { panic!("{mode}: {error}") };
        assert_eq!(&*error.message, "a worker thread panicked (asked to); please report it", "{mode}");
    }
}

/// The stages of a job with one more behind each of these.
fn with(
    job: &Job,
    contents: Option<AnyOperator>,
    chunks: Option<AnyOperator>,
    vectors: Option<AnyOperator>,
) -> Vec<StageSpec> {
    let parse = Parse { counts: Arc::clone(&job.counts), version: 1 };
    let embed = Embed { counts: Arc::clone(&job.counts), version: 1, requests: 0 };
    let mut stages: Vec<StageSpec> = Vec::new();
    let line = [
        ("read", Some(AnyOperator::plain(Read))),
        ("odd contents", contents),
        ("parse", Some(AnyOperator::parser(parse))),
        ("chunk", Some(AnyOperator::chunker(Lines { header: Header::None }))),
        ("odd chunks", chunks),
        ("embed", Some(AnyOperator::embedder(embed))),
        ("odd vectors", vectors),
    ];
    for (name, operator) in line {
        let input = stages.last().map_or("source".into(), |last| last.name.clone());
        stages.extend(operator.map(|operator| StageSpec::new(name, [input], operator)));
    }
    let last = stages.last().expect("has some").name.clone();
    stages.push(StageSpec::new("store", ["parse".into(), last], memory(&job.disk)));
    stages
}

fn job(stages: fn(&Job) -> Vec<StageSpec>) -> Job {
    let job = Job { stages: Some(stages), ..Job::new() };
    for nth in 0..12 {
        job.write(&format!("{nth}.x"), &format!("def one\nown {nth}\n"));
    }
    job
}

#[test]
fn only_the_first_output_for_a_file_is_used() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        let twice = Odd(|content: Arc<Content>, out| {
            out.emit(Arc::clone(&content));
            out.emit(Arc::new(content.with_text("another\n")));
        });
        with(job, Some(AnyOperator::plain(twice)), None, None)
    }
    let job = job(stages);
    for mode in Mode::ALL {
        let report = job.try_run(mode, true).expect("runs");
        assert_eq!(report.findings.get("repeated_output"), Some(&12), "{mode}");
        assert!(job.rows().contains("own 3") && !job.rows().contains("another"), "{mode}");
        assert_eq!(job.rows(), from_scratch(&job), "{mode}");
    }
}

#[test]
fn diagnostics_about_other_files_are_ignored() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        let gossip = Odd(|content: Arc<Content>, out: &mut Emitter<Arc<Content>>| {
            out.report(&"3.x".into(), gristmill_pipeline::Severity::Note, "seen", 0, "seen");
            out.emit(content);
        });
        with(job, Some(AnyOperator::plain(gossip)), None, None)
    }
    let job = job(stages);
    for mode in [Mode::Sequential, Mode::Parallel] {
        let report = job.try_run(mode, true).expect("runs");
        assert_eq!(report.findings.get("seen"), Some(&1), "{mode}: of the file itself");
    }
}

/// A content is identified by the bytes that were read.
#[test]
fn an_operator_cannot_make_a_file_look_changed() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        let renamed = Odd(|content: Arc<Content>, out| {
            let mut other = content.with_text("other\n");
            other.content_hash = Hash::of(b"other\n");
            out.emit(Arc::new(other));
        });
        with(job, Some(AnyOperator::plain(renamed)), None, None)
    }
    let job = job(stages);
    for mode in Mode::ALL {
        let report = job.try_run(mode, true).expect("runs");
        assert_eq!((report.findings.get("changed"), report.work.contents_analysed), (None, 12), "{mode}");
    }
}

#[test]
fn undeclared_extra_values_end_the_epoch() {
    fn undeclared(job: &Job) -> Vec<StageSpec> {
        let context = Odd(|chunked: Arc<Chunked>, out| {
            let mut chunks = chunked.chunks.clone();
            chunks.iter_mut().for_each(|chunk| chunk.set_context("about", Header::None, ""));
            out.emit(Arc::new(Chunked { syntax: Arc::clone(&chunked.syntax), chunks }));
        });
        with(job, None, Some(AnyOperator::plain(context)), None)
    }
    fn of_another_type(job: &Job) -> Vec<StageSpec> {
        let number = Odd(|content: Arc<Content>, out| {
            let mut with_number = content.with_text(content.text.to_string());
            with_number.extras.set("comments", 7_i64);
            out.emit(Arc::new(with_number));
        });
        let mut stages = with(job, Some(AnyOperator::plain(number)), None, None);
        // The stage before declares it as text.
        let strip = Strip { mark: '#', column: "comments", version: 1 };
        stages.push(StageSpec::new("strip", ["read"], AnyOperator::plain(strip)));
        stages.iter_mut().find(|stage| &*stage.name == "odd contents").expect("is one").inputs = vec!["strip".into()];
        stages
    }
    for mode in Mode::ALL {
        for (stages, stage, says) in [
            (undeclared as fn(&Job) -> Vec<StageSpec>, "odd chunks", format!("`{CONTEXT}` of chunks is not declared")),
            (of_another_type, "odd contents", "`comments` is declared as Text".into()),
        ] {
            let error = job(stages).try_run(mode, false).expect_err("fails");
            let RunError::Operator(error) = error else { panic!("{mode}: {error}") };
            assert!(&*error.stage == stage && error.message.contains(&says), "{mode}: {error}");
        }
    }
}

#[test]
fn invalid_vectors_are_rejected() {
    fn longer(job: &Job) -> Vec<StageSpec> {
        let longer = Odd(|vector: Vector, out| {
            let mut values = vector.values.to_vec();
            // One in three has a component too many.
            if (values[0] as u32).is_multiple_of(3) {
                values.push(1.0);
            }
            out.emit(Vector { key: vector.key, values: values.into() });
        });
        with(job, None, None, Some(AnyOperator::vector_map(longer)))
    }
    fn repeated(job: &Job) -> Vec<StageSpec> {
        let repeated = Odd(|vector: Vector, out| {
            out.emit(vector.clone());
            out.emit(Vector { values: [0.0, 0.0].into(), ..vector.clone() });
            out.emit(Vector { key: gristmill_pipeline::PassageKey::NONE, ..vector });
        });
        with(job, None, None, Some(AnyOperator::vector_map(repeated)))
    }
    for mode in Mode::ALL {
        let longer = job(longer);
        let report = longer.run(mode);
        let found = report.findings.get("vector_dimension").copied().unwrap_or_default();
        assert!(found > 0 && found < 13, "{mode}: {found}");
        let says = "stage `odd vectors` returned a vector with 3 components, expected 2";
        assert!(report.quarantined.iter().all(|file| file.message == says), "{mode}");
        assert_eq!(longer.rows(), from_scratch(&longer), "{mode}");

        let repeated = job(repeated);
        let report = repeated.run(mode);
        assert_eq!((report.work.passages_embedded, report.quarantined.len()), (13, 0), "{mode}");
        assert_eq!(repeated.rows(), from_scratch(&repeated), "{mode}");
    }
}

#[test]
fn a_vector_map_gets_batches_of_the_size_it_asks_for() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        with(job, None, None, Some(AnyOperator::vector_map(BatchLength)))
    }
    for mode in Mode::ALL {
        let job = job(stages);
        job.run(mode);
        let disk = job.disk.lock();
        let chunks = disk.newest().expect("has an epoch").values().filter_map(|record| record.chunks.as_ref());
        let lengths: Vec<f32> = chunks.filter_map(|chunks| chunks.vectors.clone()).flatten().collect();
        assert!(
            lengths.len() == 24 && lengths.iter().all(|length| (1.0..=2.0).contains(length)),
            "{mode}: {lengths:?}"
        );
    }
}

/// Over refs a path has several contents, which may meet in one batch.
#[test]
fn contents_of_one_path_are_kept_apart_in_a_batch() {
    let mut refs = Refs::default();
    for nth in 0..40 {
        refs.set(&format!("branch {nth}"), "a.x", &format!("# comment\ndef d{nth}\nown {nth}\n"));
        refs.set(&format!("branch {nth}"), "b.x", &format!("generated {}\n", nth % 3));
    }
    let rows = Mode::ALL.map(|mode| {
        let job = Job { between: Between::all(), ..Job::new() };
        job.try_run_from(&refs, mode, false).expect("runs");
        job.rows()
    });
    assert!(rows[0].contains("own 39"));
    assert!(rows.iter().all(|of_mode| *of_mode == rows[0]));
}

/// An embedder that declares more components than it returns.
struct Boastful;

impl Operator for Boastful {
    type In = Arc<gristmill_pipeline::port::Passage>;
    type Out = Vector;

    fn name(&self) -> &str {
        "boastful"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"boastful")
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        batch.into_iter().for_each(|passage| out.emit(Vector { key: passage.key, values: [1.0].into() }));
        Ok(())
    }
}

impl Embedder for Boastful {
    fn dimension(&self) -> usize {
        2
    }
}

#[test]
fn vectors_of_an_undeclared_dimension_are_rejected() {
    fn stages(job: &Job) -> Vec<StageSpec> {
        let mut stages = with(job, None, None, None);
        let embed = stages.iter_mut().find(|stage| &*stage.name == "embed").expect("is one");
        embed.role = AnyOperator::embedder(Boastful).into();
        stages
    }
    for mode in Mode::ALL {
        let job = job(stages);
        let report = job.run(mode);
        assert_eq!((report.work.passages_embedded, report.quarantined.len()), (0, 12), "{mode}");
        assert_eq!(report.findings.get("vector_dimension"), Some(&12), "{mode}: one for each file");
    }
}
