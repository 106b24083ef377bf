//! The JSON Schema of job files.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::form::{EXPECTED, generator};
use super::registry::{Entry, Registry};
use super::sections::{IndexSection, JobSection, SourceSection, StageSection, ViewsSection};

/// Generates the JSON Schema (draft 2020-12) of job files for a registry. Each stage is one of the
/// operators and sinks, with its own parameters.
#[must_use]
pub fn schema(registry: &Registry) -> Value {
    let mut generator = generator();
    let stages: Vec<Value> = registry.entries().iter().map(|entry| stage(entry, &mut generator)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gristmill job",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "job": section::<JobSection>(&mut generator),
            "source": source(registry, &mut generator),
            "index": section::<IndexSection>(&mut generator),
            "views": views(registry, &mut generator),
            "stage": {
                "description": "The stages of the graph. Without any, the default graph is used.",
                "type": "array",
                "items": { "oneOf": stages },
            },
        },
    })
}

fn section<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = T::json_schema(generator).to_value();
    if let Some(properties) = properties(&mut schema) {
        properties.values_mut().for_each(adapt);
    }
    schema
}

fn source(registry: &Registry, generator: &mut SchemaGenerator) -> Value {
    let standard = section::<SourceSection>(generator);
    if registry.sources.is_empty() {
        return standard;
    }
    let path = standard["properties"]["path"].clone();
    let own = registry.sources.iter().map(|entry| {
        let mut schema = (entry.schema)(generator).to_value();
        let mut own = Map::from_iter([("kind".into(), json!({ "const": entry.kind })), ("path".into(), path.clone())]);
        for (key, mut value) in properties(&mut schema).map(std::mem::take).unwrap_or_default() {
            adapt(&mut value);
            own.insert(key, value);
        }
        json!({ "type": "object", "additionalProperties": false, "required": ["kind"], "properties": own })
    });
    let kinds: Vec<Value> = [standard].into_iter().chain(own).collect();
    json!({ "anyOf": kinds })
}

fn views(registry: &Registry, generator: &mut SchemaGenerator) -> Value {
    let mut schema = section::<ViewsSection>(generator);
    for entry in &registry.views {
        let mut params = (entry.schema)(generator).to_value();
        if let Some(keys) = properties(&mut params) {
            keys.values_mut().for_each(adapt);
        }
        if let Some(own) = properties(&mut schema) {
            own.insert(entry.name.into(), json!({ "anyOf": [{ "type": "boolean" }, params] }));
        }
    }
    schema
}

fn stage(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let mut params = (entry.schema)(generator).to_value();
    let mut schema = section::<StageSection>(generator);
    let (role, other) = if entry.is_sink { ("sink", "operator") } else { ("operator", "sink") };
    if let Some(own) = properties(&mut schema) {
        own.remove(other);
        own.insert(role.into(), json!({ "const": entry.name, "description": entry.summary }));
        // A type without fields has no `properties`.
        for (key, mut value) in properties(&mut params).map(std::mem::take).unwrap_or_default() {
            adapt(&mut value);
            own.insert(key, value);
        }
    }
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), entry.summary.into());
        schema.insert("required".into(), json!([role, "input"]));
    }
    schema
}

fn properties(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties")?.as_object_mut()
}

/// Converts the schema of a Rust field to that of a TOML key.
fn adapt(schema: &mut Value) {
    remove_descriptions(schema);
    forbid_null(schema);
    allow_variables(schema);
}

/// Removes [`EXPECTED`], which is for error messages only.
fn remove_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            *keywords = std::mem::take(keywords).into_iter().filter(|(keyword, _)| keyword != EXPECTED).collect();
            keywords.values_mut().for_each(remove_descriptions);
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(remove_descriptions),
        _ => {}
    }
}

/// Removes null: TOML has none, optional keys are omitted.
fn forbid_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [only] = choices.as_mut_slice() {
            let only = only.take();
            object.remove("anyOf");
            for (keyword, rule) in only.as_object().into_iter().flatten() {
                object.entry(keyword.as_str()).or_insert_with(|| rule.clone());
            }
        }
    }
}

/// Allows strings with variables wherever strings are restricted.
fn allow_variables(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let of_strings = |value: &Value| {
        let string = |key| value.get(key).is_some_and(Value::is_string);
        value.get("type").is_some_and(|kind| kind == "string")
            && (value.get("pattern").is_some() || value.get("enum").is_some())
            || string("const")
    };
    let choices = ["oneOf", "anyOf"].iter().find_map(|key| object.get(*key)).and_then(Value::as_array);
    let limited =
        choices.is_some_and(|choices| choices.iter().any(of_strings)) || of_strings(&Value::Object(object.clone()));
    if limited {
        let mut outer = Map::new();
        for key in ["description", "default"] {
            if let Some(value) = object.remove(key) {
                outer.insert(key.into(), value);
            }
        }
        let variable = json!({ "type": "string", "pattern": "\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}" });
        outer.insert("anyOf".into(), json!([std::mem::take(object), variable]));
        *object = outer;
    }
}
