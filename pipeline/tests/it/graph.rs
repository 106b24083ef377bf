//! The one check of a graph finds every fault.

use std::marker::PhantomData;
use std::sync::Arc;

use gristmill_pipeline::graph::{Fault, Format, Role, StageSpec};
use gristmill_pipeline::port::{Chunked, Content, FileItem, Header, Passage, PortItem, Syntax, Vector};
use gristmill_pipeline::testing::{Contextualise, Embed, Lines, Memory, Parse, Qualify, Read, Select, Shorten, Strip};
use gristmill_pipeline::{
    AnyOperator, Batch, EmbedLaneId, Emitter, Fingerprint, Graph, Hash, Operator, OperatorError, StageId, VectorMap,
};

use crate::job::Job;

fn stage(name: &str, inputs: &[&str], role: Role) -> StageSpec {
    StageSpec::new(name, inputs.iter().copied(), role)
}

fn read() -> Role {
    AnyOperator::plain(Read).into()
}

fn parse() -> Role {
    AnyOperator::parser(Parse::default()).into()
}

fn chunk() -> Role {
    AnyOperator::chunker(Lines { header: Header::Path }).into()
}

fn embed() -> Role {
    AnyOperator::embedder(Embed::default()).into()
}

fn sink() -> Role {
    Arc::new(Memory::default()).into()
}

/// The faults of a graph, each with its stage.
fn faults(stages: Vec<StageSpec>) -> Vec<String> {
    let names: Vec<String> = stages.iter().map(|stage| stage.name.to_string()).collect();
    let errors = Graph::build(stages).err().unwrap_or_default();
    let name = |stage: Option<usize>| stage.map_or("graph", |stage| &names[stage]).to_owned();
    errors.iter().map(|error| format!("{}: {error}", name(error.stage))).collect()
}

#[test]
fn every_fault_is_reported_at_once() {
    let found = faults(vec![
        stage("read", &["source"], read()),
        stage("read", &["source"], read()),
        stage("parse", &["reed"], parse()),
        stage("chunk", &["read"], chunk()),
        stage("store", &["chunk"], sink()),
        stage("more", &["store"], parse()),
        stage("none", &[], chunk()),
    ]);
    insta::assert_snapshot!(found.join("\n"), @r"
    read: duplicate stage name `read`; stage names must be unique
    read: `read` already takes this `files` output; a graph fans out only after the last stage that outputs `syntax`
    parse: unknown input stage `reed`; did you mean `read`?
    chunk: port mismatch: `read` outputs `contents`, but this stage accepts `syntax`
    more: `store` is a sink and has no output; use a stage that runs an operator
    none: the stage has no input; set `input` to the name of a stage or to `source`
    ");
}

#[test]
fn cycles_dead_ends_and_lanes_are_found() {
    let found = faults(vec![
        stage("a", &["b"], parse()),
        stage("b", &["a"], parse()),
        stage("read", &["source"], read()),
        stage("parse", &["read"], parse()),
        stage("chunk", &["parse"], chunk()),
        stage("other", &["parse"], chunk()),
        stage("embed", &["chunk"], embed()),
        stage("store", &["other", "embed"], sink()),
    ]);
    insta::assert_snapshot!(found.join("\n"), @r"
    a: port mismatch: `b` outputs `syntax`, but this stage accepts `contents`
    a: the stages b → a form a cycle
    b: port mismatch: `a` outputs `syntax`, but this stage accepts `contents`
    store: the chunks of `other` are not those that `embed` embeds; use two sinks
    ");
    let unused = faults(vec![
        stage("read", &["source"], read()),
        stage("parse", &["read"], parse()),
        stage("chunk", &["parse"], chunk()),
        stage("store", &["parse"], sink()),
    ]);
    assert_eq!(unused, ["chunk: no sink stores the output of this stage; add a sink, or remove the stage"]);
    let storeless = Graph::build(vec![stage("read", &["source"], read())]).err().unwrap_or_default();
    assert_eq!(storeless.iter().map(|error| &error.fault).collect::<Vec<_>>(), [&Fault::NoSink]);
}

#[test]
fn fan_out_makes_lanes() {
    let graph = Graph::build(vec![
        // Out of order on purpose.
        stage("small", &["embed small"], sink()),
        stage("embed small", &["chunk"], embed()),
        stage("chunk", &["parse"], chunk()),
        stage("lines", &["parse"], chunk()),
        stage("embed", &["lines"], embed()),
        stage("large", &["parse", "embed"], sink()),
        stage("text", &["chunk"], sink()),
        stage("parse", &["read"], parse()),
        stage("read", &["source"], read()),
    ])
    .unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!((graph.chunk_lanes().len(), graph.embed_lanes().len()), (2, 2));
    let name = |stage: StageId| graph.stage(stage).name.to_string();
    let lanes: Vec<_> = graph
        .sinks()
        .iter()
        .map(|sink| {
            let chunk = sink.chunk_lane.map(|lane| name(graph.chunk_lane(lane).stage));
            let embed = sink.embed_lane.map(|lane| name(graph.embed_lane(lane).stage));
            (name(sink.stage), chunk.unwrap_or_default(), embed.unwrap_or_default())
        })
        .collect();
    let lane = |sink: &str, chunk: &str, embed: &str| (sink.to_owned(), chunk.to_owned(), embed.to_owned());
    let mut sorted = lanes;
    sorted.sort();
    assert_eq!(
        sorted,
        [lane("large", "lines", "embed"), lane("small", "chunk", "embed small"), lane("text", "chunk", "")]
    );
}

/// An operator without a role, between any ports.
struct Plain<I, O>(PhantomData<fn(I) -> O>);

impl<I: PortItem, O: PortItem> Operator for Plain<I, O> {
    type In = I;
    type Out = O;

    fn name(&self) -> &str {
        "plain"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"plain")
    }

    fn process(&self, _: Batch<I>, _: &mut Emitter<O>) -> Result<(), OperatorError> {
        Ok(())
    }
}

fn plain<I: PortItem, O: PortItem>() -> Role {
    AnyOperator::plain(Plain::<I, O>(PhantomData)).into()
}

fn strip(column: &'static str) -> Role {
    AnyOperator::plain(Strip { mark: '#', column, version: 1 }).into()
}

fn qualify() -> Role {
    AnyOperator::plain(Qualify { column: "definitions", version: 1 }).into()
}

fn context() -> Role {
    AnyOperator::plain(Contextualise { header: Header::Path, version: 1 }).into()
}

fn select() -> Role {
    AnyOperator::plain(Select { version: 1 }).into()
}

fn shorten() -> Role {
    AnyOperator::vector_map(Shorten { dimension: 1, factor: 1 }).into()
}

/// From the source to chunks.
fn line() -> Vec<StageSpec> {
    vec![stage("read", &["source"], read()), stage("parse", &["read"], parse()), stage("chunk", &["parse"], chunk())]
}

fn faults_of_line(more: Vec<StageSpec>) -> Vec<String> {
    faults(line().into_iter().chain(more).collect())
}

#[test]
fn what_has_a_role_must_play_it() {
    let found = faults_of_line(vec![
        stage("embed chunked", &["chunk"], plain::<Arc<Chunked>, Vector>()),
        stage("embed passages", &["chunk"], plain::<Arc<Passage>, Vector>()),
        stage("store 1", &["embed chunked"], sink()),
        stage("store 2", &["embed passages"], sink()),
        stage("passages", &["chunk"], plain::<Arc<Passage>, Arc<Passage>>()),
        stage("to passages", &["chunk"], plain::<Arc<Chunked>, Arc<Passage>>()),
        stage("store 3", &["passages"], sink()),
        stage("store 4", &["to passages"], sink()),
        stage("cut", &["parse"], plain::<Arc<Syntax>, Arc<Chunked>>()),
        stage("store 5", &["cut"], sink()),
        stage("at once", &["parse"], plain::<Arc<Syntax>, Vector>()),
        stage("store 6", &["at once"], sink()),
        stage("back", &["chunk"], plain::<Arc<Chunked>, Arc<Syntax>>()),
        stage("store 7", &["back"], sink()),
    ]);
    insta::assert_snapshot!(found.join("\n"), @r"
    embed chunked: a stage that takes `chunks` and outputs `vectors` must be an `Embedder`
    embed passages: a stage that takes `chunks` and outputs `vectors` must be an `Embedder`
    passages: a stage that takes and outputs `chunks` must use the type `Chunked`; only an `Embedder` takes `Passage`
    to passages: a stage that takes and outputs `chunks` must use the type `Chunked`; only an `Embedder` takes `Passage`
    cut: a stage that takes `syntax` and outputs `chunks` must be a `Chunker`
    at once: unsupported ports: an operator cannot take `syntax` and output `vectors`
    back: unsupported ports: an operator cannot take `chunks` and output `syntax`
    ");
    let parser = faults(vec![
        stage("read", &["source"], read()),
        stage("parse", &["read"], plain::<Arc<Content>, Arc<Syntax>>()),
        stage("store", &["parse"], sink()),
    ]);
    assert_eq!(parser, ["parse: a stage that takes `contents` and outputs `syntax` must be a `Parser`"]);
    let files = faults(vec![
        stage("files", &["source"], plain::<Arc<FileItem>, Arc<FileItem>>()),
        stage("read", &["files"], plain::<Arc<FileItem>, Arc<Content>>()),
        stage("parse", &["read"], parse()),
        stage("store", &["parse"], sink()),
    ]);
    assert_eq!(files, [""; 0], "files may be chosen before they are read");
}

#[test]
fn columns_of_one_row_have_names_of_their_own() {
    let twice = |first: Role, second: Role| {
        faults(vec![
            stage("read", &["source"], read()),
            stage("first", &["read"], first),
            stage("second", &["first"], second),
            stage("parse", &["second"], parse()),
            stage("store", &["parse"], sink()),
        ])
    };
    assert_eq!(twice(strip("one"), strip("two")), [""; 0]);
    assert_eq!(twice(strip("one"), strip("one")), ["second: `first` adds a column `one` already; rename one of them"]);
    for bad in ["", "1st", "_a", "Upper", "with space", "größe"] {
        let says = format!(
            "second: `{bad}` is not a valid column name; use lower-case letters, digits and `_`, beginning with a letter"
        );
        assert_eq!(twice(strip("one"), strip(bad)), [says]);
    }
    let in_a_row = faults_of_line(vec![
        stage("context", &["chunk"], context()),
        stage("select", &["context"], select()),
        stage("again", &["select"], context()),
        stage("store", &["again"], sink()),
    ]);
    assert_eq!(
        in_a_row,
        [
            "again: `context` adds a column `context` already; rename one of them",
            "again: `context` adds a column `length` already; rename one of them"
        ]
    );
    let side_by_side = faults_of_line(vec![
        stage("one", &["chunk"], context()),
        stage("two", &["chunk"], context()),
        stage("store one", &["one"], sink()),
        stage("store two", &["two"], sink()),
    ]);
    assert_eq!(side_by_side, [""; 0], "they are columns of different rows");
}

#[test]
fn a_syntax_that_is_turned_into_another_feeds_nothing_else() {
    let found = faults(vec![
        stage("read", &["source"], read()),
        stage("parse", &["read"], parse()),
        stage("qualify", &["parse"], qualify()),
        stage("chunk", &["parse"], chunk()),
        stage("store", &["parse", "chunk"], sink()),
        stage("other", &["qualify"], sink()),
    ]);
    insta::assert_snapshot!(found.join("\n"), @r"
    chunk: `qualify` already takes this `syntax` output; a graph fans out only after the last stage that outputs `syntax`
    store: `qualify` already takes this `syntax` output; a graph fans out only after the last stage that outputs `syntax`
    ");
    let sound = faults(vec![
        stage("read", &["source"], read()),
        stage("parse", &["read"], parse()),
        stage("qualify", &["parse"], qualify()),
        stage("chunk", &["qualify"], chunk()),
        stage("lines", &["qualify"], chunk()),
        stage("store", &["qualify", "chunk"], sink()),
        stage("other", &["lines"], sink()),
    ]);
    assert_eq!(sound, [""; 0]);
    let contents = faults(vec![
        stage("read", &["source"], read()),
        stage("one", &["read"], strip("one")),
        stage("two", &["read"], strip("two")),
        stage("parse", &["one"], parse()),
        stage("store", &["parse"], sink()),
    ]);
    assert!(contents.iter().any(|fault| fault.starts_with("two: `one` already takes this `contents`")), "{contents:?}");
}

#[test]
fn vectors_begin_at_an_embedder() {
    let found = faults_of_line(vec![
        stage("nothing", &[], shorten()),
        stage("files", &["source"], shorten()),
        stage("chunks", &["chunk"], shorten()),
        stage("one", &["three"], shorten()),
        stage("two", &["one"], shorten()),
        stage("three", &["two"], shorten()),
        stage("store 1", &["nothing"], sink()),
        stage("store 2", &["chunks"], sink()),
        stage("store 3", &["chunk", "two"], sink()),
    ]);
    insta::assert_snapshot!(found.join("\n"), @r"
    nothing: the stage has no input; set `input` to the name of a stage or to `source`
    files: port mismatch: `source` outputs `files`, but this stage accepts `vectors`
    files: `read` already takes this `files` output; a graph fans out only after the last stage that outputs `syntax`
    chunks: port mismatch: `chunk` outputs `chunks`, but this stage accepts `vectors`
    one: the stages two → three → one form a cycle
    ");
    let unused = faults_of_line(vec![
        stage("embed", &["chunk"], embed()),
        stage("shorten", &["embed"], shorten()),
        stage("store", &["embed"], sink()),
    ]);
    assert_eq!(unused, ["shorten: no sink stores the output of this stage; add a sink, or remove the stage"]);
    let foreign = faults_of_line(vec![
        stage("select", &["chunk"], select()),
        stage("embed", &["select"], embed()),
        stage("shorten", &["embed"], shorten()),
        stage("store", &["chunk", "shorten"], sink()),
    ]);
    assert_eq!(foreign, ["store: the chunks of `chunk` are not those that `shorten` embeds; use two sinks"]);
}

#[test]
fn lanes_begin_and_end_where_something_is_taken() {
    let graph = Graph::build(
        line()
            .into_iter()
            .chain([
                stage("select", &["chunk"], select()),
                stage("context", &["select"], context()),
                stage("embed", &["context"], embed()),
                stage("shorten", &["embed"], shorten()),
                stage("short", &["shorten"], sink()),
                stage("long", &["parse", "embed"], sink()),
            ])
            .collect(),
    )
    .unwrap_or_else(|errors| panic!("{errors:?}"));
    let name = |stage: StageId| graph.stage(stage).name.to_string();
    let chunks: Vec<_> = graph.chunk_lanes().iter().map(|lane| (name(lane.stage), lane.header)).collect();
    assert_eq!(chunks, [("context".to_owned(), Header::Path)], "what stands between is no lane");
    let mut vectors: Vec<_> = graph
        .embed_lanes()
        .iter()
        .map(|lane| (lane.dimension, lane.maps.iter().map(|&map| name(map)).collect::<Vec<_>>()))
        .collect();
    vectors.sort();
    assert_eq!(vectors, [(1, vec!["shorten".to_owned()]), (2, Vec::new())]);
    let columns = |sink: usize| graph.sinks()[sink].columns.iter().map(|column| &*column.name).collect::<Vec<_>>();
    assert_eq!([columns(0), columns(1)], [["context", "length"]; 2]);
}

#[test]
fn every_fingerprint_is_part_of_what_decides_rows() {
    let fingerprints = |factor: u32, version: u32| {
        let graph = Graph::build(
            line()
                .into_iter()
                .chain([
                    stage("select", &["chunk"], AnyOperator::plain(Select { version }).into()),
                    stage("embed", &["select"], embed()),
                    stage("shorten", &["embed"], AnyOperator::vector_map(Shorten { dimension: 1, factor }).into()),
                    stage("store", &["shorten"], sink()),
                ])
                .collect(),
        )
        .unwrap_or_else(|errors| panic!("{errors:?}"));
        let lane = graph.embed_lanes()[0].fingerprint;
        (graph.analysis_fingerprint(), graph.rows_fingerprint(), lane)
    };
    let (analysis, rows, lane) = fingerprints(1, 1);
    let map = fingerprints(2, 1);
    assert!(map.0 == analysis && map.1 != rows && map.2 != lane, "a map decides vectors alone");
    let filter = fingerprints(1, 2);
    assert!(filter.0 != analysis && filter.1 != rows && filter.2 == lane, "a filter does not decide vectors");
}

/// Fails as it is told to.
struct Failing(fn(Vector) -> Result<Vec<Vector>, &'static str>);

impl Operator for Failing {
    type In = Vector;
    type Out = Vector;

    fn name(&self) -> &str {
        "failing"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"failing")
    }

    fn process(&self, batch: Batch<Vector>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        for vector in batch {
            let given = self.0(vector).map_err(|why| OperatorError { stage: "failing".into(), message: why.into() })?;
            given.into_iter().for_each(|vector| out.emit(vector));
        }
        Ok(())
    }
}

impl VectorMap for Failing {
    fn dimension(&self, input: usize) -> usize {
        input
    }
}

#[test]
fn a_query_goes_through_the_stages_behind_its_embedder() {
    let embedded = |maps: Vec<Role>, text: &str| {
        let mut stages = line();
        stages.push(stage("embed", &["chunk"], embed()));
        for (nth, map) in maps.into_iter().enumerate() {
            let last = stages.last().expect("has some").name.to_string();
            stages.push(stage(&format!("map {nth}"), &[&last], map));
        }
        let last = stages.last().expect("has some").name.to_string();
        stages.push(stage("store", &[&last], sink()));
        let graph = Graph::build(stages).unwrap_or_else(|errors| panic!("{errors:?}"));
        let embedded = graph.embed_query(EmbedLaneId::new(0), text).expect("embeds queries");
        embedded.map_err(|error| error.to_string())
    };
    let times = |factor, dimension| AnyOperator::vector_map(Shorten { dimension, factor }).into();
    assert_eq!(embedded(vec![], "four"), Ok(vec![4.0, 0.0]));
    assert_eq!(embedded(vec![times(3, 2), times(2, 1)], "four"), Ok(vec![24.0]));
    let says = |message: &str| Err(format!("stage `map 0`: {message}"));
    assert_eq!(embedded(vec![times(3, 2)], "lost"), says("the operator returned no vector for the query"));
    assert_eq!(
        embedded(vec![times(3, 2), times(2, 1)], "explosive"),
        says("the operator panicked on the query (asked to); please report it")
    );
    let failing = |give| AnyOperator::vector_map(Failing(give)).into();
    assert_eq!(embedded(vec![failing(|_| Err("no"))], "four"), Err("stage `failing`: no".into()));
    assert_eq!(
        embedded(vec![failing(|vector| Ok(vec![Vector { values: [1.0].into(), ..vector }]))], "four"),
        says("the operator returned a vector with 1 components for the query, expected 2")
    );
}

#[test]
fn renders_in_three_forms() {
    let graph = Job::new().graph();
    insta::assert_snapshot!(graph.render(Format::Mermaid, 6 << 20));
    insta::assert_snapshot!(graph.render(Format::Text, 6 << 20));
    let json: serde_json::Value = serde_json::from_str(&graph.render(Format::Json, 6 << 20)).expect("is JSON");
    assert_eq!((json["stages"].as_array().map(Vec::len), json["edges"].as_array().map(Vec::len)), (Some(6), Some(7)));
}
