//! The operators as a registry of job files sees them.

use std::path::Path;

use gristmill_operators::chunk::ChunkConfig;
use gristmill_operators::embed::{HttpConfig, OnnxConfig, StaticConfig};
use gristmill_operators::{OperatorRegistry, register};
use gristmill_pipeline::AnyOperator;
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Builds each operator with its defaults.
#[derive(Default)]
struct Defaults(Vec<(&'static str, Result<AnyOperator, OperatorConfigError>)>);

impl OperatorRegistry for Defaults {
    fn operator<C: OperatorConfig>(mut self, _summary: &'static str) -> Self {
        self.0.push((C::NAME, C::default().build(Path::new(".")).map(Into::into)));
        self
    }
}

#[test]
fn every_operator_is_registered_under_its_name_and_role() {
    let mut lines = String::new();
    for (name, built) in register(Defaults::default()).0 {
        // Whether its default model is installed depends on the machine.
        if name == "fastembed" {
            continue;
        }
        match built {
            Ok(any) => {
                let (operator, role) = (any.operator(), role(&any));
                assert_eq!(operator.name(), name);
                lines += &format!("{name}: {role}, {} to {}\n", operator.input(), operator.output());
            }
            Err(error) => lines += &format!("{name}: {}: {error}\n", error.parameter.unwrap()),
        }
    }
    insta::assert_snapshot!(lines, @r#"
    read: plain, files to contents
    hash: plain, contents to contents
    parse: parser, contents to syntax
    chunk: chunker, syntax to chunks
    embed: embedder, chunks to vectors
    http: url: `url` is missing; set it, for example `url = "http://localhost:8080/v1"`
    "#);
}

fn role(operator: &AnyOperator) -> &'static str {
    match operator {
        AnyOperator::Plain(_) => "plain",
        AnyOperator::Parser(_) => "parser",
        AnyOperator::Chunker(_) => "chunker",
        AnyOperator::Embedder(_) => "embedder",
        AnyOperator::VectorMap(_) => "vector map",
    }
}

fn error(config: &impl OperatorConfig) -> (&'static str, String) {
    let Err(error) = config.build(Path::new("/no/such/folder")) else { panic!("it was built") };
    (error.parameter.unwrap(), error.message)
}

#[test]
fn errors_name_the_parameter() {
    let found = [
        error(&ChunkConfig { max_tokens: 3, ..ChunkConfig::default() }),
        error(&ChunkConfig { min_tokens: 400, ..ChunkConfig::default() }),
        error(&StaticConfig { dimensions: Some(257), ..StaticConfig::default() }),
        error(&StaticConfig { max_tokens: Some(0), ..StaticConfig::default() }),
        error(&HttpConfig { url: Some("localhost".into()), model: Some("m".into()), ..HttpConfig::default() }),
    ];
    let lines: String = found.iter().map(|(parameter, message)| format!("{parameter}: {message}\n")).collect();
    insta::assert_snapshot!(lines, @"
    max_tokens: `max_tokens` must be at least 16, got 3; the default is 300
    min_tokens: `min_tokens` must be at most `max_tokens` = 300, got 400; the default is 32
    dimensions: `dimensions` must be between 1 and 256 for the model `static-code (built in)`, got 257
    max_tokens: `max_tokens` must be at least 1, got 0; remove it to use the model's own limit
    url: `url` must start with `http://` or `https://`
    ");
}

#[test]
fn relative_paths_are_resolved_against_the_folder_of_the_job() {
    let (parameter, message) = error(&StaticConfig { model: Some("table".into()), ..StaticConfig::default() });
    assert_eq!(parameter, "model");
    assert!(message.contains("`/no/such/folder/table/config.json`"), "{message}");

    let here = tempfile::tempdir().unwrap();
    std::fs::create_dir(here.path().join("export")).unwrap();
    let config = OnnxConfig { model: "./export".into(), ..OnnxConfig::default() };
    let Err(error) = config.build(here.path()) else { panic!("an empty folder is not a model") };
    assert!(error.message.contains("export/model.onnx` is missing"), "{error}");
}
