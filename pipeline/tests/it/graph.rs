//! The one check of a graph finds every fault.

use std::sync::Arc;

use gristmill_pipeline::graph::{Fault, Format, Role, StageSpec};
use gristmill_pipeline::port::Header;
use gristmill_pipeline::testing::{Embed, Lines, Memory, Parse, Read};
use gristmill_pipeline::{AnyOperator, Graph, StageId};

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

#[test]
fn renders_in_three_forms() {
    let graph = Job::new().graph();
    insta::assert_snapshot!(graph.render(Format::Mermaid, 6 << 20));
    insta::assert_snapshot!(graph.render(Format::Text, 6 << 20));
    let json: serde_json::Value = serde_json::from_str(&graph.render(Format::Json, 6 << 20)).expect("is JSON");
    assert_eq!((json["stages"].as_array().map(Vec::len), json["edges"].as_array().map(Vec::len)), (Some(6), Some(7)));
}
