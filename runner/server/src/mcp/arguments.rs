//! The arguments of an MCP tool call: the tool's input, and common arguments that every tool takes.

use std::sync::LazyLock;

use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::{Value, json};

use gristmill_query::{RequestOptions, ToolError};

/// The default of `max_chars`.
const DEFAULT_CHARS: usize = 12_000;

/// The range of `max_chars`.
const MAX_CHARS: std::ops::RangeInclusive<usize> = 200..=400_000;

/// The arguments of a call.
pub(super) struct Arguments {
    /// The tool's own input.
    pub(super) input: JsonObject,
    /// Which index to query.
    pub(super) options: RequestOptions,
    /// Characters of the answer's text.
    pub(super) max_chars: usize,
}

/// The common arguments.
#[derive(Deserialize)]
struct Common {
    #[serde(flatten)]
    options: RequestOptions,
    max_chars: Option<usize>,
}

impl Arguments {
    /// Separates the tool's input, which has this schema, from the common arguments.
    ///
    /// # Errors
    /// If a common argument is invalid.
    pub(super) fn of(schema: Option<&Value>, mut given: JsonObject) -> Result<Self, ToolError> {
        let own = schema.and_then(|schema| schema.get("properties"));
        let mut common = JsonObject::new();
        for name in common_properties().keys() {
            if own.is_none_or(|own| own.get(name).is_none())
                && let Some(value) = given.remove(name)
            {
                common.insert(name.clone(), value);
            }
        }
        let common: Common = serde_json::from_value(Value::Object(common))
            .map_err(|error| ToolError::bad_input(format!("invalid `job`, `epoch`, `ref` or `max_chars`: {error}")))?;
        let max_chars = common.max_chars.unwrap_or(DEFAULT_CHARS);
        if !MAX_CHARS.contains(&max_chars) {
            let (min, max) = (MAX_CHARS.start(), MAX_CHARS.end());
            return Err(ToolError::bad_input(format!("`max_chars` must be between {min} and {max}, got {max_chars}")));
        }
        Ok(Self { input: given, options: common.options, max_chars })
    }
}

/// The schemas of the common arguments.
fn common_properties() -> &'static JsonObject {
    static PROPERTIES: LazyLock<JsonObject> = LazyLock::new(|| {
        let properties = json!({
            "job": { "type": "string", "description": "The job to query; required if there are several." },
            "epoch": { "type": "integer", "minimum": 0, "description": "A retained older epoch; default: the newest." },
            "ref": { "type": "string", "description": "The branch or tag to query, if the job indexes several; default: the first." },
            "max_chars": {
                "type": "integer",
                "minimum": MAX_CHARS.start(),
                "maximum": MAX_CHARS.end(),
                "default": DEFAULT_CHARS,
                "description": "Maximum length of the answer's text in characters; longer text is truncated.",
            },
        });
        match properties {
            Value::Object(properties) => properties,
            _ => JsonObject::new(),
        }
    });
    &PROPERTIES
}

/// The schema of a tool's input with the common arguments added. A property of the tool's own takes
/// precedence over a common one of the same name.
pub(super) fn schema(input: &Value) -> JsonObject {
    let mut schema = input.as_object().cloned().unwrap_or_default();
    schema.insert("type".into(), "object".into());
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        for (name, property) in common_properties() {
            properties.entry(name.clone()).or_insert_with(|| property.clone());
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::super::super::schemas::ToolDescriptions;
    use super::*;

    fn of(given: Value) -> Result<Arguments, ToolError> {
        let tools = ToolDescriptions::new(&gristmill_tools::standard());
        let search = tools.find("search").map(|tool| &tool.input);
        Arguments::of(search, given.as_object().cloned().unwrap())
    }

    #[test]
    fn common_arguments_are_separated() {
        let arguments = of(json!({ "query": "x", "job": "a", "ref": "main", "epoch": 3, "max_chars": 500 })).unwrap();
        assert_eq!(Value::Object(arguments.input), json!({ "query": "x" }));
        assert_eq!(arguments.max_chars, 500);
        let options = RequestOptions {
            job: Some("a".into()),
            epoch: Some(gristmill_pipeline::Epoch::new(3)),
            ref_name: Some("main".into()),
            deadline_ms: None,
        };
        assert_eq!(arguments.options, options);
        assert_eq!(of(json!({ "query": "x" })).unwrap().max_chars, DEFAULT_CHARS);
    }

    #[test]
    fn invalid_common_arguments_are_rejected() {
        for (invalid, part) in [
            (json!({ "max_chars": 1 }), "`max_chars` must be between 200 and 400000, got 1"),
            (json!({ "max_chars": -1 }), "`max_chars`"),
            (json!({ "epoch": "x" }), "`epoch`"),
            (json!({ "job": 3 }), "`job`"),
        ] {
            let error = of(invalid.clone()).err().unwrap();
            assert!(error.message.contains(part), "{invalid}: {error}");
        }
    }

    #[test]
    fn every_tool_has_the_common_arguments() {
        for tool in ToolDescriptions::new(&gristmill_tools::standard()).as_slice() {
            let schema = schema(&tool.input);
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert!(common_properties().keys().all(|name| schema["properties"].get(name).is_some()), "{}", tool.name);
        }
    }
}
