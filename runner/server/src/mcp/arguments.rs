//! What an agent gives with a call: the tool's input, and what every tool takes beside it.

use std::sync::LazyLock;

use rmcp::model::JsonObject;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::schemas::tools;
use gristmill_query::{Place, ToolError};

/// Letters of an answer where the call does not say.
const DEFAULT_CHARS: usize = 12_000;

/// Letters that a call may ask for.
const CHARS: std::ops::RangeInclusive<usize> = 200..=400_000;

/// What a call gives.
pub(super) struct Arguments {
    /// The tool's own input.
    pub(super) input: JsonObject,
    /// Which index to ask.
    pub(super) place: Place,
    /// Letters of the answer.
    pub(super) max_chars: usize,
}

/// What every tool takes beside its input.
#[derive(Deserialize)]
struct Common {
    #[serde(flatten)]
    place: Place,
    max_chars: Option<usize>,
}

impl Arguments {
    /// Parts what is the tool's from what is not.
    pub(super) fn of(tool: &str, mut given: JsonObject) -> Result<Self, ToolError> {
        let schema = tools().iter().find(|known| known.name == tool).map(|known| &known.input);
        let own = schema.and_then(|schema| schema.get("properties"));
        let mut common = JsonObject::new();
        for name in added().keys() {
            if own.is_none_or(|own| own.get(name).is_none())
                && let Some(value) = given.remove(name)
            {
                common.insert(name.clone(), value);
            }
        }
        let common: Common = serde_json::from_value(Value::Object(common)).map_err(|error| {
            ToolError::bad_input(format!("`job`, `epoch`, `ref` or `max_chars` is not what is taken: {error}"))
        })?;
        let max_chars = common.max_chars.unwrap_or(DEFAULT_CHARS);
        if !CHARS.contains(&max_chars) {
            let message = format!("`max_chars` is {max_chars}; it goes from {} to {}", CHARS.start(), CHARS.end());
            return Err(ToolError::bad_input(message));
        }
        Ok(Self { input: given, place: common.place, max_chars })
    }
}

/// The properties that every tool has beside its own.
fn added() -> &'static JsonObject {
    static ADDED: LazyLock<JsonObject> = LazyLock::new(|| {
        let properties = json!({
            "job": { "type": "string", "description": "The job whose index to ask; needed where there are several." },
            "epoch": { "type": "integer", "minimum": 0, "description": "An older epoch that is still kept, instead of the newest." },
            "ref": { "type": "string", "description": "The branch or tag to ask, where the index holds several; its first if left out." },
            "max_chars": {
                "type": "integer",
                "minimum": CHARS.start(),
                "maximum": CHARS.end(),
                "default": DEFAULT_CHARS,
                "description": "Letters of the answer's text at most; what lies beyond is cut.",
            },
        });
        match properties {
            Value::Object(properties) => properties,
            _ => JsonObject::new(),
        }
    });
    &ADDED
}

/// The schema of all that a tool takes. What a tool has itself under one of our names stays
/// its own.
pub(super) fn schema(input: &Value) -> JsonObject {
    let mut schema = input.as_object().cloned().unwrap_or_default();
    schema.insert("type".into(), "object".into());
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        for (name, property) in added() {
            properties.entry(name.clone()).or_insert_with(|| property.clone());
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: Value) -> Result<Arguments, ToolError> {
        Arguments::of("search", given.as_object().cloned().unwrap())
    }

    #[test]
    fn what_is_not_the_tools_is_taken_out() {
        let arguments = of(json!({ "query": "x", "job": "a", "ref": "main", "epoch": 3, "max_chars": 500 })).unwrap();
        assert_eq!(Value::Object(arguments.input), json!({ "query": "x" }));
        assert_eq!(arguments.max_chars, 500);
        let place = Place { job: Some("a".into()), epoch: Some(3), of_ref: Some("main".into()), deadline_ms: None };
        assert_eq!(arguments.place, place);
        assert_eq!(of(json!({ "query": "x" })).unwrap().max_chars, DEFAULT_CHARS);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in
            [json!({ "max_chars": 1 }), json!({ "epoch": "x" }), json!({ "job": 3 }), json!({ "max_chars": -1 })]
        {
            assert!(of(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_tool_takes_what_is_added() {
        for tool in tools() {
            let schema = schema(&tool.input);
            assert_eq!(schema["type"], "object", "{}", tool.name);
            assert!(added().keys().all(|name| schema["properties"].get(name).is_some()), "{}", tool.name);
        }
    }
}
