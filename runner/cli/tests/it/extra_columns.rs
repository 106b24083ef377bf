//! Searches by extra columns, on an index whose job has operators that add some.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gristmill_config::{Job, JobRequest, Registry};
use gristmill_pipeline::port::{Chunked, Content};
use gristmill_pipeline::run::Interrupt;
use gristmill_pipeline::{
    Batch, Emitter, ExtraColumn, ExtraOwner, ExtraType, Extras, Fingerprint, Hash, Meters, Operator, OperatorConfig,
    OperatorConfigError, OperatorError,
};
use gristmill_query::{
    AnswerOrError, BlockingRunner, CallContext, Request, RequestOptions, Runner, ToolCall, ToolError,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::World;

fn column(owner: ExtraOwner, name: &str, kind: ExtraType) -> ExtraColumn {
    ExtraColumn { owner, name: name.into(), kind, description: format!("The {name} of a test.").into() }
}

/// Adds the licence that a file names, and the size of its text.
#[derive(Clone, Default, Deserialize, JsonSchema)]
struct Licences {}

impl Operator for Licences {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"licences 1")
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![
            column(ExtraOwner::Files, "licence", ExtraType::Text),
            column(ExtraOwner::Files, "kilobytes", ExtraType::Float),
        ]
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for content in batch {
            let mut content = content.with_text(&*content.text);
            let licence = content.text.split_once("SPDX: ").and_then(|(_, rest)| rest.split_whitespace().next());
            if let Some(licence) = licence.map(ToOwned::to_owned) {
                content.extras.set("licence", licence);
            }
            let kilobytes = content.text.len() as f64 / 1000.0;
            content.extras.set("kilobytes", kilobytes);
            out.emit(Arc::new(content));
        }
        Ok(())
    }
}

/// Adds the number of lines of a chunk, and whether it calls `check`.
#[derive(Clone, Default, Deserialize, JsonSchema)]
struct Sizes {}

impl Operator for Sizes {
    type In = Arc<Chunked>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"sizes 1")
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![
            column(ExtraOwner::Chunks, "lines_of_code", ExtraType::Integer),
            column(ExtraOwner::Chunks, "checked", ExtraType::Boolean),
        ]
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for chunked in batch {
            let mut chunks = chunked.chunks.clone();
            for chunk in &mut chunks {
                let text = chunked.syntax.content.text.get(chunk.span.bytes()).unwrap_or_default();
                let mut extras = Extras::default();
                extras.set("lines_of_code", text.lines().count() as i64);
                extras.set("checked", text.contains("check("));
                chunk.extras.extend(&extras);
            }
            out.emit(Arc::new(Chunked { syntax: Arc::clone(&chunked.syntax), chunks }));
        }
        Ok(())
    }
}

impl OperatorConfig for Licences {
    type Operator = Self;
    const NAME: &'static str = "licences";

    fn build(&self, _folder: &Path) -> Result<Self, OperatorConfigError> {
        Ok(self.clone())
    }
}

impl OperatorConfig for Sizes {
    type Operator = Self;
    const NAME: &'static str = "sizes";

    fn build(&self, _folder: &Path) -> Result<Self, OperatorConfigError> {
        Ok(self.clone())
    }
}

/// The stages of the job: `chunks` names the stage whose chunks the full-text index takes.
fn job_text(chunks: &str) -> String {
    let stage = |name: &str, operator: &str, input: &str| {
        format!("[[stage]]\nname = \"{name}\"\noperator = \"{operator}\"\ninput = \"{input}\"\n")
    };
    let stages = [
        ("read", "read", "source"),
        ("hash", "hash", "read"),
        ("licences", "licences", "hash"),
        ("parse", "parse", "licences"),
        ("chunk", "chunk", "parse"),
        ("sizes", "sizes", "chunk"),
        ("embed", "embed", "sizes"),
    ];
    let stages: String = stages.iter().map(|(name, operator, input)| stage(name, operator, input)).collect();
    format!(
        "[source]\npath = \"src\"\n[index]\npath = \"index\"\n{stages}\
         [[stage]]\nname = \"lance\"\nsink = \"lance\"\ninput = [\"parse\", \"embed\"]\n\
         [[stage]]\nname = \"tantivy\"\nsink = \"tantivy\"\ninput = \"{chunks}\"\n"
    )
}

fn load(world: &World) -> Job {
    let file = world.folder.path().join("job.toml");
    std::fs::write(&file, job_text("sizes")).unwrap();
    let registry = Registry::standard()
        .operator::<Licences>("Adds the licence of a file.")
        .operator::<Sizes>("Adds the sizes of chunks.");
    let request = JobRequest {
        file: Some(&file),
        overrides: &[],
        environment: &|_| None,
        folder: world.folder.path(),
        check_places: false,
    };
    gristmill_config::load(&request, &registry).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn run(job: &Job) {
    let source = job.open_source().unwrap();
    let meters = Meters::new(&job.graph);
    gristmill_pipeline::run::run(&job.run_plan(&*source, &meters, false, &Interrupt::default())).unwrap();
}

fn write_sources(world: &World) {
    world.write("a.rs", "// SPDX: MIT\n\n/// Counts.\npub fn counter() -> u32 {\n    check(1)\n}\n");
    world.write("b.rs", "// SPDX: Apache-2.0\n\n/// Counts.\npub fn counter() -> u32 {\n    2\n}\n");
    world.write("c.py", "def counter():\n    \"\"\"Counts.\"\"\"\n    return check(3)\n");
}

fn runner(job: Job) -> BlockingRunner {
    BlockingRunner::new(Runner::of_job(job, gristmill_tools::standard())).unwrap()
}

fn search(runner: &BlockingRunner, mode: &str, conditions: &[&str]) -> Result<Vec<String>, ToolError> {
    let input = json!({"query": "counter", "mode": mode, "where": conditions});
    let call = ToolCall { tool: "search".into(), input };
    let request = Request { calls: vec![call], options: RequestOptions::default() };
    let response = runner.ask(request, CallContext::new("test", Duration::from_secs(60))).unwrap();
    match response.answers.into_iter().next().unwrap().result {
        AnswerOrError::Answer(answer) => {
            let hits = answer["hits"].as_array().unwrap();
            let mut paths: Vec<_> = hits.iter().map(|hit| hit["path"].as_str().unwrap().to_owned()).collect();
            paths.sort();
            paths.dedup();
            Ok(paths)
        }
        AnswerOrError::Error(error) => Err(error),
    }
}

#[test]
fn every_mode_filters_by_extra_columns() {
    let world = World::new();
    write_sources(&world);
    let job = load(&world);
    run(&job);
    let runner = runner(job);
    for mode in ["text", "vector", "hybrid", "regex", "literal"] {
        let found = |conditions: &[&str]| search(&runner, mode, conditions).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(found(&[]), ["a.rs", "b.rs", "c.py"], "{mode}");
        assert_eq!(found(&["licence=MIT"]), ["a.rs"], "{mode}");
        // `c.py` has no licence.
        assert_eq!(found(&["licence!=MIT"]), ["b.rs"], "{mode}");
        assert_eq!(found(&["licence=GPL"]), [""; 0], "{mode}");
        assert_eq!(found(&["kilobytes<1"]).len(), 3, "{mode}");
        assert_eq!(found(&["checked=true"]), ["a.rs", "c.py"], "{mode}");
        assert_eq!(found(&["checked=true", "licence=MIT"]), ["a.rs"], "{mode}");
        assert_eq!(found(&["lines_of_code>=1", "licence=MIT"]), ["a.rs"], "{mode}");
        assert_eq!(found(&["lines_of_code>1000"]), [""; 0], "{mode}");
    }
}

#[test]
fn a_condition_that_cannot_be_met_is_an_error() {
    let world = World::new();
    write_sources(&world);
    let job = load(&world);
    run(&job);
    let runner = runner(job);
    let refused = |condition: &str| {
        let error = search(&runner, "text", &[condition]).expect_err(condition);
        format!("{}; {}", error.message, error.help.unwrap_or_default())
    };
    let error = refused("license=MIT");
    assert!(error.contains("unknown extra column `license`; did you mean `licence`?"), "{error}");
    assert!(error.contains("`licence` (text of files)") && error.contains("`checked` (boolean of chunks)"), "{error}");
    let error = refused("lines_of_code=many");
    assert!(error.contains("has type integer: expected an integer, got `many`"), "{error}");
    let error = refused("licence<MIT");
    assert!(error.contains("has type text, which has no order"), "{error}");
    let error = refused("licence");
    assert!(error.contains("write `COLUMN=VALUE`"), "{error}");
}

#[test]
fn a_later_epoch_has_its_own_values() {
    let world = World::new();
    write_sources(&world);
    let job = load(&world);
    run(&job);
    let runner = runner(load(&world));
    assert_eq!(search(&runner, "text", &["licence=MIT"]).unwrap(), ["a.rs"]);
    world.write("b.rs", "// SPDX: MIT\n\n/// Counts.\npub fn counter() -> u32 {\n    check(2)\n}\n");
    world.write("d.rs", "// SPDX: MIT\n\n/// Counts.\npub fn counter() -> u32 {\n    4\n}\n");
    std::fs::remove_file(world.source().join("a.rs")).unwrap();
    run(&job);
    for index in runner.runner().indexes() {
        index.refresh().unwrap();
    }
    for mode in ["text", "vector", "hybrid", "regex", "literal"] {
        assert_eq!(search(&runner, mode, &["licence=MIT"]).unwrap(), ["b.rs", "d.rs"], "{mode}");
        assert_eq!(search(&runner, mode, &["checked=true"]).unwrap(), ["b.rs", "c.py"], "{mode}");
    }
}

#[test]
fn the_command_line_shows_and_filters_by_extra_columns() {
    let world = World::new();
    write_sources(&world);
    run(&load(&world));
    let files = world.read(&["inspect", "--table", "files"]);
    assert!(files.contains("The licence of a test.") && files.contains("kilobytes"), "{files}");
    let chunks = world.read(&["inspect", "--table", "chunks"]);
    assert!(chunks.contains("lines_of_code") && chunks.contains("The checked of a test."), "{chunks}");
    assert!(world.read(&["inspect"]).contains("licence, kilobytes"));
    let hits: Value =
        world.search(&["counter", "--mode", "regex", "--where", "licence!=MIT", "--where", "kilobytes>0"]);
    let paths: Vec<_> = hits.as_array().unwrap().iter().map(|hit| &hit["path"]).collect();
    assert_eq!(paths, ["b.rs"]);
}
