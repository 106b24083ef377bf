//! The tools with self-contained JSON Schemas.

use std::sync::LazyLock;

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

use gristmill_tools::TOOLS;

/// A tool, as it is described to callers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ToolDescription {
    /// The tool's name.
    pub(super) name: &'static str,
    /// What it answers, and when to use it.
    pub(super) about: &'static str,
    /// JSON Schema of the input.
    pub(super) input: Value,
    /// JSON Schema of the answer.
    pub(super) answer: Value,
}

/// All tools.
pub(super) fn tools() -> &'static [ToolDescription] {
    static DESCRIPTIONS: LazyLock<Vec<ToolDescription>> = LazyLock::new(|| {
        let describe = |tool: &gristmill_query::ErasedTool| ToolDescription {
            name: tool.name,
            about: tool.about,
            input: self_contained(tool.input),
            answer: self_contained(tool.answer),
        };
        TOOLS.iter().map(describe).collect()
    });
    &DESCRIPTIONS
}

/// A schema with all definitions that it refers to.
fn self_contained(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = schema(&mut generator);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema.into()
}
