//! Pipelines that are built in a program.

use std::path::Path;
use std::sync::Arc;

use gristmill::operators::chunk::ChunkConfig;
use gristmill::operators::embed::StaticConfig;
use gristmill::operators::read::ReadConfig;
use gristmill::pipeline::graph::Format;
use gristmill::pipeline::port::{Chunked, Content, PortItem};
use gristmill::pipeline::{Batch, Emitter, Fingerprint, Graph, Hash, Mode, Operator, OperatorError};
use gristmill::sinks::{ArrowConfig, LanceConfig, TantivyConfig};
use gristmill::{Directory, Pipeline, PipelineBuilder, PipelineError};
use gristmill_config::{JobRequest, Registry};

/// Gives what it takes.
struct Same<T>(std::marker::PhantomData<fn(T)>);

impl<T> Same<T> {
    const NEW: Self = Self(std::marker::PhantomData);
}

impl<T: PortItem> Operator for Same<T> {
    type In = T;
    type Out = T;

    fn name(&self) -> &str {
        "same"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"same")
    }

    fn process(&self, batch: Batch<T>, out: &mut Emitter<T>) -> Result<(), OperatorError> {
        batch.into_iter().for_each(|item| out.emit(item));
        Ok(())
    }
}

type SameContent = Same<Arc<Content>>;
type SameChunks = Same<Arc<Chunked>>;

fn over(folder: &Path) -> PipelineBuilder {
    Pipeline::builder().source(Directory::new(folder)).index(folder.join(".gristmill"))
}

/// The edges of a graph, as `stage <- inputs`.
fn edges(graph: &Graph) -> Vec<String> {
    let edge = |stage: &gristmill::pipeline::graph::Stage| {
        let inputs: Vec<&str> = stage.inputs.iter().map(|&input| &*graph.stage(input).name).collect();
        format!("{} <- {}", stage.name, inputs.join("+"))
    };
    graph.stages().iter().map(edge).collect()
}

fn built(builder: PipelineBuilder) -> Vec<String> {
    edges(&builder.build().unwrap().job().graph)
}

fn errors(builder: PipelineBuilder) -> Vec<String> {
    let error = builder.build().err().expect("the pipeline must be refused");
    assert!(matches!(error, PipelineError::Invalid(_)), "{error}");
    error.faults().iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_stages_are_those_of_a_job() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = |builder: PipelineBuilder| {
        builder.sink("lance", LanceConfig::default()).sink("tantivy", TantivyConfig::default())
    };
    let built = sinks(over(folder.path()).default_stages()).build().unwrap().into_job();
    let request =
        JobRequest { file: None, overrides: &[], environment: &|_| None, folder: folder.path(), check_places: true };
    let job = gristmill_config::load(&request, &Registry::standard()).unwrap();
    assert_eq!(built.graph.render(Format::Json, 1), job.graph.render(Format::Json, 1));
    assert_eq!((built.source, built.index), (job.source, job.index));
    assert_eq!((built.name, built.mode, built.workers), (job.name, job.mode, job.workers));
    assert_eq!((built.memory_limit, built.keep, built.plane_workers), (job.memory_limit, job.keep, job.plane_workers));
}

#[test]
fn stages_follow_the_last_that_gives_their_port() {
    let folder = tempfile::tempdir().unwrap();
    let builder = over(folder.path())
        .sink("tantivy", TantivyConfig::default())
        .stage("chunks", SameChunks::NEW)
        .stage("first", SameContent::NEW)
        .default_stages()
        .stage("second", SameContent::NEW)
        .stage_after("read", "early", SameContent::NEW)
        .sink("lance", LanceConfig::default());
    let expected = [
        "read <- ",
        "early <- read",
        "hash <- early",
        "first <- hash",
        "second <- first",
        "parse <- second",
        "chunk <- parse",
        "chunks <- chunk",
        "embed <- chunks",
        "tantivy <- chunks",
        "lance <- parse+embed",
    ];
    let mut found = built(builder);
    let mut expected = expected.map(ToOwned::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_stage_replaces_the_default_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let short = ChunkConfig { max_tokens: 100, min_tokens: 20, ..ChunkConfig::default() };
    let graph = |builder: PipelineBuilder| {
        builder.default_stages().sink("tantivy", TantivyConfig::default()).build().unwrap().into_job().graph
    };
    let (own, standard) = (graph(over(folder.path()).configured_stage("chunk", short)), graph(over(folder.path())));
    assert_eq!(edges(&own), edges(&standard));
    let differs = std::iter::zip(own.stages(), standard.stages()).filter(|(own, it)| own.fingerprint != it.fingerprint);
    assert_eq!(differs.map(|(own, _)| &*own.name).collect::<Vec<_>>(), ["chunk"]);
}

#[test]
fn default_stages_that_nothing_takes_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let builder = over(folder.path()).default_stages().sink_of("tap", ["parse"], ArrowConfig::default());
    assert_eq!(built(builder), ["read <- ", "hash <- read", "parse <- hash", "tap <- parse"]);
}

#[test]
fn lanes_are_branches() {
    let folder = tempfile::tempdir().unwrap();
    let builder = over(folder.path())
        .default_stages()
        .configured_stage("again", StaticConfig::default())
        .sink_of("one", ["parse", "embed"], LanceConfig::default())
        .sink("two", LanceConfig::default());
    let edges = built(builder);
    for edge in ["embed <- chunk", "again <- chunk", "one <- parse+embed", "two <- parse+again"] {
        assert!(edges.iter().any(|found| found == edge), "{edges:?}");
    }
}

#[test]
fn every_error_is_reported() {
    let builder = Pipeline::builder()
        .source(Directory::new("no such folder"))
        .configured_stage("read", ReadConfig::default())
        .stage("a/b", SameChunks::NEW)
        .stage_after("redd", "c", SameContent::NEW)
        .sink("lance", LanceConfig::default())
        .workers(0)
        .memory_limit(1);
    let errors = errors(builder);
    for part in [
        "invalid stage name `a/b`",
        "stage `a/b`: no stage outputs `chunks`",
        "stage `c`: unknown input stage `redd`; did you mean `read`?",
        "cannot read the source",
        "no index folder",
        "`workers` must be at least 1, got 0",
        "`memory_limit` must be at least 2097152, got 1",
    ] {
        assert!(errors.iter().any(|error| error.contains(part)), "{part}: {errors:#?}");
    }
    let none = Pipeline::builder().build().err().unwrap().to_string();
    assert!(none.contains("no source") && none.contains("no index folder") && none.contains("no sink"), "{none}");
}

#[test]
fn a_pipeline_runs_in_every_mode_and_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.py"), "def f():\n    return 1\n").unwrap();
    for mode in Mode::ALL {
        let index = folder.path().join(format!(".{mode}"));
        let pipeline = Pipeline::builder()
            .source(Directory::new(folder.path()))
            .default_stages()
            .stage("same", SameContent::NEW)
            .sink("lance", LanceConfig::default())
            .index(index)
            .mode(mode)
            .build()
            .unwrap();
        assert_eq!(pipeline.run().unwrap().work.contents_analysed, 1, "{mode}");
        assert_eq!(pipeline.run().unwrap().work.contents_analysed, 0, "{mode}");
        assert_eq!(pipeline.rebuild().unwrap().work.contents_analysed, 1, "{mode}");
    }
}
