//! The one check of a graph finds every fault.

use std::sync::{Arc, Mutex};

use gristmill_pipeline::graph::{Fault, Format, Role, StageSpec};
use gristmill_pipeline::port::Header;
use gristmill_pipeline::{ErasedOperator, Graph};

use crate::toys::{Counts, Disk, Embed, Job, Lines, Memory, Parse, Read};

fn stage(name: &str, inputs: &[&str], role: Role) -> StageSpec {
    StageSpec {
        name: name.into(),
        inputs: inputs.iter().map(|input| (*input).into()).collect(),
        role,
        workers: 1,
        queue_bytes: None,
    }
}

fn operator(operator: impl ErasedOperator + 'static) -> Role {
    Role::Operator(Arc::new(operator))
}

fn read() -> Role {
    operator(Read)
}

fn parse() -> Role {
    operator(Parse { counts: Arc::new(Counts::default()), version: 1 })
}

fn chunk() -> Role {
    operator(Lines { header: Header::Path })
}

fn embed() -> Role {
    operator(Embed { counts: Arc::new(Counts::default()), version: 1 })
}

fn sink() -> Role {
    Role::Sink(Arc::new(Memory { disk: Arc::new(Mutex::new(Disk::default())) }))
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
    read: a stage named `read` exists already; names must differ
    read: `read` takes these `files` already; a graph fans out after `syntax` and `chunks` only
    parse: there is no stage `reed`; did you mean `read`?
    chunk: `read` gives `contents`, but this stage takes `syntax`
    more: `store` is a sink and gives nothing to take
    none: the stage takes from no other; set `input` to a stage or to `source`
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
    a: `b` gives `syntax`, but this stage takes `contents`
    a: the stages b → a feed each other in a circle
    b: `a` gives `syntax`, but this stage takes `contents`
    store: the chunks of `other` are not those that `embed` embeds; use two sinks
    ");
    let unused = faults(vec![
        stage("read", &["source"], read()),
        stage("parse", &["read"], parse()),
        stage("chunk", &["parse"], chunk()),
        stage("store", &["parse"], sink()),
    ]);
    assert_eq!(unused, ["chunk: no sink stores what this stage gives; add a sink, or remove the stage"]);
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
    let name = |stage: usize| graph.stages()[stage].name.to_string();
    let lanes: Vec<_> = graph
        .sinks()
        .iter()
        .map(|sink| {
            let chunk = sink.chunk_lane.map(|lane| name(graph.chunk_lanes()[lane].stage));
            let embed = sink.embed_lane.map(|lane| name(graph.embed_lanes()[lane].stage));
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

#[test]
fn renders_in_three_forms() {
    let graph = Job::new().graph();
    insta::assert_snapshot!(graph.render(Format::Mermaid, 6 << 20));
    insta::assert_snapshot!(graph.render(Format::Text, 6 << 20));
    let json: serde_json::Value = serde_json::from_str(&graph.render(Format::Json, 6 << 20)).expect("is JSON");
    assert_eq!((json["stages"].as_array().map(Vec::len), json["edges"].as_array().map(Vec::len)), (Some(6), Some(7)));
}
