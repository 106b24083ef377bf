//! The tools with self-contained JSON Schemas.

use std::sync::Arc;

use gristmill_query::{ErasedTool, ToolSet};
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

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

/// The descriptions of all tools of a runner. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct ToolDescriptions(Arc<[ToolDescription]>);

impl ToolDescriptions {
    /// Generates the schemas of the tools.
    pub(super) fn new(tools: &ToolSet) -> Self {
        let describe = |tool: &ErasedTool| ToolDescription {
            name: tool.name,
            about: tool.about,
            input: self_contained(tool.input),
            answer: self_contained(tool.answer),
        };
        Self(tools.iter().map(describe).collect())
    }

    /// The descriptions, in the order of the tools.
    pub(super) fn as_slice(&self) -> &[ToolDescription] {
        &self.0
    }

    /// The description of the tool with this name.
    pub(super) fn find(&self, name: &str) -> Option<&ToolDescription> {
        self.0.iter().find(|tool| tool.name == name)
    }
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
