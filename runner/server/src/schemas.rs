//! The schemas of the tools, each whole in itself.

use std::sync::LazyLock;

use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

use gristmill_tools::TOOLS;

/// A tool, as callers are told of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct ToolDescription {
    /// Its name.
    pub(super) name: &'static str,
    /// What it answers, and when to use it.
    pub(super) about: &'static str,
    /// The JSON Schema of its input.
    pub(super) input: Value,
    /// The JSON Schema of its answer.
    pub(super) answer: Value,
}

/// All tools.
pub(super) fn tools() -> &'static [ToolDescription] {
    static TOLD: LazyLock<Vec<ToolDescription>> = LazyLock::new(|| {
        let describe = |tool: &gristmill_query::ErasedTool| ToolDescription {
            name: tool.name,
            about: tool.about,
            input: whole(tool.input),
            answer: whole(tool.answer),
        };
        TOOLS.iter().map(describe).collect()
    });
    &TOLD
}

/// A schema with all that it refers to.
fn whole(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = schema(&mut generator);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema.into()
}
