//! The JSON Schema agrees with the loader.

use std::collections::BTreeSet;

use gristmill_config::{ConfigError, Registry, schema};
use serde_json::Value;

use crate::config::{configs, job_files, load_file};

/// Whether a value matches a schema. Knows only the keywords that the schema uses.
fn fits(schema: &Value, value: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return schema == true };
    let fit = |schema: &&Value| fits(schema, value);
    keywords.iter().all(|(keyword, rule)| match keyword.as_str() {
        "title" | "description" | "default" | "format" | "$schema" => true,
        "type" => {
            rule.as_array().map_or_else(|| is_type(rule, value), |types| types.iter().any(|rule| is_type(rule, value)))
        }
        "const" => rule == value,
        "enum" => rule.as_array().unwrap().contains(value),
        "anyOf" => rule.as_array().unwrap().iter().any(|schema| fit(&schema)),
        "oneOf" => rule.as_array().unwrap().iter().filter(fit).count() == 1,
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(rule, item))),
        "required" => {
            let has = |key: &Value| value.get(key.as_str().unwrap()).is_some();
            !value.is_object() || rule.as_array().unwrap().iter().all(has)
        }
        "properties" => {
            let own = |(key, rule): (&String, &Value)| value.get(key).is_none_or(|value| fits(rule, value));
            rule.as_object().unwrap().iter().all(own)
        }
        "additionalProperties" => {
            assert_eq!(rule, false, "every table is closed");
            let known = keywords["properties"].as_object().unwrap();
            value.as_object().is_none_or(|table| table.keys().all(|key| known.contains_key(key)))
        }
        "pattern" => value.as_str().is_none_or(|text| matches_pattern(rule.as_str().unwrap(), text)),
        other => panic!("this test does not know the keyword `{other}`"),
    })
}

fn is_type(rule: &Value, value: &Value) -> bool {
    match rule.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("TOML has no `{other}`"),
    }
}

/// Matches the three patterns that the schema uses.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    if pattern.starts_with("\\$") {
        text.contains("${")
    } else if pattern.starts_with("^[A-Za-z0-9_]") {
        !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    } else {
        assert!(pattern.starts_with("^\\s*[0-9_]*"), "{pattern}");
        text.parse::<gristmill_config::ByteSize>().is_ok()
    }
}

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_examples_match_the_schema() {
    let schema = schema(&Registry::standard());
    for (name, path) in job_files(&configs()) {
        assert!(fits(&schema, &json(&std::fs::read_to_string(path).unwrap())), "{name}");
    }
}

/// The kinds of errors that a schema can express. The others depend on other stages, the file system
/// or the environment.
const FORM: [&str; 7] =
    ["unknown-key", "unknown-choice", "wrong-type", "no-role", "two-roles", "unknown-operator", "unknown-sink"];

#[test]
fn jobs_with_errors_of_form_do_not_match_the_schema() {
    let schema = schema(&Registry::standard());
    let mut seen = BTreeSet::new();
    for (name, path) in job_files(&configs().join("invalid")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(job) = toml::from_str::<toml::Table>(&text) else { continue };
        let errors = load_file(&path, &[]).err().unwrap();
        let form: Vec<&str> =
            errors.errors().iter().map(ConfigError::kind).filter(|kind| FORM.contains(kind)).collect();
        if !form.is_empty() {
            assert!(!fits(&schema, &serde_json::to_value(job).unwrap()), "{name}: {form:?}");
        }
        seen.extend(form);
    }
    assert_eq!(seen, BTreeSet::from(FORM), "each kind has an example");
}

#[test]
fn variables_match_wherever_strings_are_restricted() {
    let schema = schema(&Registry::standard());
    let job = "[job]\nmode = \"${MODE:-parallel}\"\nmemory_limit = \"${LIMIT}\"\n[[stage]]\noperator = \"read\"\ninput = \"source\"\nsecrets = \"${SECRETS}\"\n";
    assert!(fits(&schema, &json(job)));
    assert!(!fits(&schema, &json("[job]\nmode = \"MODE\"\n")));
}
