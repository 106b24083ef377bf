//! The tools with self-contained JSON Schemas.

use std::sync::Arc;

use gristmill_query::{ErasedTool, ToolSet};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value};

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
            input: input(tool.input),
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

/// The schema of an input, as simple as it can be written: clients convert it to what models
/// understand, and not all know references and lists of types.
fn input(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let settings = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
    let mut schema = complete(schema, settings.into_generator());
    without_null(&mut schema);
    schema
}

/// A schema with all definitions that it refers to.
fn self_contained(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    complete(schema, SchemaGenerator::default())
}

fn complete(schema: fn(&mut SchemaGenerator) -> Schema, mut generator: SchemaGenerator) -> Value {
    let mut schema = schema(&mut generator);
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    let mut schema = schema.into();
    standard_formats(&mut schema);
    schema
}

/// The formats that JSON Schema defines. Others, such as `uint`, make clients warn or refuse.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];

/// Removes the formats that JSON Schema does not define.
pub(super) fn standard_formats(schema: &mut Value) {
    each_schema(schema, &mut |schema| {
        if schema.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
            schema.remove("format");
        }
    });
}

/// Removes the type `null` from optional properties: they may be left out instead.
fn without_null(schema: &mut Value) {
    each_schema(schema, &mut |schema| {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_mut_slice() {
                let only = std::mem::take(only);
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.entry(key).or_insert(value);
                }
            }
        }
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
    });
}

/// Calls a function with every object in a schema, the innermost first. Values that are data rather
/// than schemas, such as defaults, are left out.
fn each_schema(schema: &mut Value, each: &mut dyn FnMut(&mut Map<String, Value>)) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| each_schema(item, each)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match (key.as_str(), value) {
                    ("default" | "const" | "enum" | "examples", _) => {}
                    // The keys are names.
                    ("properties" | "$defs" | "patternProperties", Value::Object(named)) => {
                        named.values_mut().for_each(|value| each_schema(value, each));
                    }
                    (_, value) => each_schema(value, each),
                }
            }
            each(object);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn count(schema: &Value, wanted: &dyn Fn(&Map<String, Value>) -> bool) -> usize {
        let mut found = 0;
        each_schema(&mut schema.clone(), &mut |schema| found += usize::from(wanted(schema)));
        found
    }

    #[test]
    fn schemas_have_standard_formats_only() {
        for tool in ToolDescriptions::new(&gristmill_tools::standard()).as_slice() {
            for schema in [&tool.input, &tool.answer] {
                assert_eq!(count(schema, &|schema| schema.contains_key("format")), 0, "{}: {schema:#}", tool.name);
            }
        }
    }

    #[test]
    fn inputs_have_neither_references_nor_null() {
        for tool in ToolDescriptions::new(&gristmill_tools::standard()).as_slice() {
            let is_plain = |schema: &Map<String, Value>| {
                !schema.contains_key("$ref") && !schema.get("type").is_some_and(Value::is_array)
            };
            assert_eq!(count(&tool.input, &|schema| !is_plain(schema)), 0, "{}: {:#}", tool.name, tool.input);
        }
    }

    #[test]
    fn names_and_data_are_no_schemas() {
        let mut schema = json!({
            "properties": { "format": { "type": ["integer", "null"], "format": "uint", "default": null } },
            "default": { "format": "uint" },
        });
        standard_formats(&mut schema);
        without_null(&mut schema);
        let expected = json!({ "properties": { "format": { "type": "integer" } }, "default": { "format": "uint" } });
        assert_eq!(schema, expected);
    }
}
