//! The expected form of the keys of a table, from the JSON schema of its type.
//!
//! Rejects values of the wrong type, out of range, or not among the choices, and unknown keys, with
//! errors in the terms of the job file. Anything else, such as an invalid glob, is up to the type.

use gristmill_pipeline::nearest;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::error::Fault;
use super::listed::listed;
use super::texts::Place;

/// A schema keyword that describes the expected value, for types whose alternatives alone describe it
/// badly. Removed from published schemas.
pub(super) const EXPECTED: &str = "x-expected";

/// Creates a generator of self-contained schemas.
pub(super) fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator()
}

/// The expected form of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A string.
    Text,
    /// One of these strings.
    Choice(Vec<String>),
    /// An integer in a range.
    Integer { min: i128, max: i128 },
    /// An integer or a float.
    Number,
    /// A boolean.
    Boolean,
    /// An array.
    List(Box<Form>),
    /// A table with these keys.
    Table(Vec<(String, Form)>),
    /// One of several forms, with a description.
    Either { expected: Option<String>, forms: Vec<Form> },
    /// Anything; the type decides.
    Any,
}

/// Returns the keys of a table that is deserialized as `T`, with their forms.
pub(super) fn keys_of<T: JsonSchema>() -> Vec<(String, Form)> {
    match Form::of(T::json_schema(&mut generator()).as_value()) {
        Form::Table(keys) => keys,
        // A type without fields has no `properties`.
        _ => Vec::new(),
    }
}

impl Form {
    fn of(schema: &Value) -> Self {
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        if let Some(name) = schema.get("const").and_then(Value::as_str) {
            return Self::Choice(vec![name.to_owned()]);
        }
        if let Some(names) = list("enum") {
            return Self::Choice(names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect());
        }
        if let Some(forms) = list("oneOf").or_else(|| list("anyOf")) {
            let expected = schema.get(EXPECTED).and_then(Value::as_str).map(ToOwned::to_owned);
            return Self::of_several(expected, forms.iter().filter(|form| !is_null(form)).map(Self::of).collect());
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.and_then(Value::as_str),
        };
        match kind {
            Some("string") => Self::Text,
            Some("integer") => Self::integer(schema),
            Some("number") => Self::Number,
            Some("boolean") => Self::Boolean,
            Some("array") => Self::List(Box::new(schema.get("items").map_or(Self::Any, Self::of))),
            Some("object") => match schema.get("properties").and_then(Value::as_object) {
                Some(keys) => Self::Table(keys.iter().map(|(key, schema)| (key.clone(), Self::of(schema))).collect()),
                None => Self::Any,
            },
            _ => Self::Any,
        }
    }

    fn of_several(expected: Option<String>, mut forms: Vec<Self>) -> Self {
        let names = forms.iter().map(|form| if let Self::Choice(names) = form { Some(names) } else { None });
        if let Some(names) = names.collect::<Option<Vec<_>>>() {
            return Self::Choice(names.into_iter().flatten().cloned().collect());
        }
        match (forms.pop(), expected) {
            // An optional key is one form or null.
            (Some(only), None) if forms.is_empty() => only,
            (last, expected) => Self::Either { expected, forms: forms.into_iter().chain(last).collect() },
        }
    }

    /// The limits come from keywords, or else from the format.
    fn integer(schema: &Value) -> Self {
        let (min, max) = match schema.get("format").and_then(Value::as_str) {
            Some("uint8") => (0, u8::MAX.into()),
            Some("uint16") => (0, u16::MAX.into()),
            Some("uint32") => (0, u32::MAX.into()),
            Some("uint64" | "uint") => (0, u64::MAX.into()),
            Some("int8") => (i8::MIN.into(), i8::MAX.into()),
            Some("int16") => (i16::MIN.into(), i16::MAX.into()),
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN.into(), u64::MAX.into()),
        };
        let limit = |key: &str| schema.get(key).and_then(Value::as_i64).map(i128::from);
        Self::Integer { min: limit("minimum").unwrap_or(min), max: limit("maximum").unwrap_or(max) }
    }

    /// Reports all errors of a value: of each item of an array and each key of a table.
    pub(super) fn check(&self, key: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) {
        self.check_as(&self.expected(), key, value, faults);
    }

    fn check_as(&self, expected: &str, key: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) {
        match (self, value.get_ref()) {
            (Self::Choice(names), DeValue::String(name)) => {
                if !names.iter().any(|known| known == name) {
                    faults.push(unknown_choice(key, name, names, value.span()));
                }
            }
            (Self::Integer { min, max }, DeValue::Integer(number)) => {
                if !whole(number).is_some_and(|number| (*min..=*max).contains(&number)) {
                    faults.push(wrong_type(expected, key, value).label("out of range"));
                }
            }
            (Self::List(form), DeValue::Array(items)) => items.iter().for_each(|item| form.check(key, item, faults)),
            (Self::Table(keys), DeValue::Table(table)) => check_keys(&format!("`{key}`"), keys, table, faults),
            (Self::Either { forms, .. }, found) => match forms.iter().find(|form| form.is_kind_of(found)) {
                Some(form) => form.check_as(expected, key, value, faults),
                None => faults.push(wrong_type(expected, key, value)),
            },
            (form, found) if form.is_kind_of(found) => {}
            _ => faults.push(wrong_type(expected, key, value)),
        }
    }

    fn is_kind_of(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Text | Self::Choice(_) => value.is_str(),
            Self::Integer { .. } => value.is_integer(),
            Self::Number => value.is_integer() || value.is_float(),
            Self::Boolean => value.is_bool(),
            Self::List(_) => value.is_array(),
            Self::Table(_) => value.is_table(),
            Self::Either { forms, .. } => forms.iter().any(|form| form.is_kind_of(value)),
            Self::Any => true,
        }
    }

    /// Describes the form, for error messages.
    fn expected(&self) -> String {
        match self {
            Self::Text | Self::Choice(_) => "a string".into(),
            Self::Integer { min: 1, max } if *max >= i128::from(i64::MAX) => "a positive integer".into(),
            Self::Integer { min: 0, max } if *max >= i128::from(i64::MAX) => "a non-negative integer".into(),
            Self::Integer { min, max } if *min > i128::from(i64::MIN) => format!("an integer between {min} and {max}"),
            Self::Integer { .. } => "an integer".into(),
            Self::Number => "a number".into(),
            Self::Boolean => "a boolean".into(),
            Self::List(_) => "an array".into(),
            Self::Table(_) => "a table".into(),
            Self::Either { expected: Some(expected), .. } => expected.clone(),
            Self::Either { expected: None, forms } => forms.iter().map(Self::expected).collect::<Vec<_>>().join(" or "),
            Self::Any => "another value".into(),
        }
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null") || schema.get("const").is_some_and(Value::is_null)
}

fn check_keys(owner: &str, keys: &[(String, Form)], table: &DeTable<'_>, faults: &mut Vec<Fault>) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        match keys.iter().find(|(known, _)| known == name) {
            Some((_, form)) => form.check(name, value, faults),
            None => faults.push(unknown_key(owner, name, key.span(), keys.iter().map(|(known, _)| known.as_str()))),
        }
    }
}

/// Creates the error for an unknown key.
pub(super) fn unknown_key<'k>(
    owner: &str,
    key: &str,
    place: Place,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Fault {
    let fault = Fault::at("unknown-key", place, format!("unknown key `{key}` in {owner}"));
    match nearest(key, known.clone()) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("unknown key"),
    }
    .help(Some(format!("expected one of {}", listed(known))))
}

fn unknown_choice(key: &str, name: &str, names: &[String], place: Place) -> Fault {
    let names = || names.iter().map(String::as_str);
    let fault = Fault::at("unknown-choice", place, format!("unknown value `{name}` for `{key}`"));
    match nearest(name, names()) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("unknown value"),
    }
    .help(Some(format!("expected one of {}", listed(names()))))
}

fn wrong_type(expected: &str, key: &str, value: &Spanned<DeValue<'_>>) -> Fault {
    let found = value.get_ref();
    let quoted = found.as_str().is_some_and(|text| text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok());
    Fault::at("wrong-type", value.span(), format!("`{key}`: expected {expected}, found {}", shown(found)))
        .label(kind_of(found))
        .help(quoted.then_some("write it without quotes"))
}

/// Formats a value for an error message.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string {text:?}"),
        DeValue::Integer(number) => whole(number).map_or_else(|| format!("`{number}`"), |number| format!("`{number}`")),
        DeValue::Float(number) => format!("`{number}`"),
        DeValue::Boolean(truth) => format!("`{truth}`"),
        other => kind_of(other).to_owned(),
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Names the type of a value.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a datetime",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::super::values::{ByteSize, Inputs};
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Sample {
        #[schemars(default)]
        count: u32,
        workers: Option<NonZeroUsize>,
        size: Option<ByteSize>,
        input: Inputs,
        names: Vec<String>,
        speed: Option<Speed>,
        inner: Inner,
    }

    #[derive(JsonSchema)]
    #[schemars(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Speed {
        /// Fast.
        Fast,
        /// Slow.
        Slow,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Inner {
        on: bool,
    }

    fn check(text: &str) -> Vec<String> {
        let table = DeTable::parse(text).unwrap();
        let mut faults = Vec::new();
        check_keys("it", &keys_of::<Sample>(), table.get_ref(), &mut faults);
        let errors = super::super::ConfigErrors::new(faults, &super::super::texts::Texts::default());
        errors.errors().iter().map(|error| format!("{}: {error}", error.kind())).collect()
    }

    #[test]
    fn valid_values_are_accepted() {
        for text in ["count = 7", "workers = 1", "size = 0x10", "size = \"?\"", "input = \"a\"", "input = [\"a\"]"] {
            assert_eq!(check(text), [""; 0], "{text}");
        }
        assert_eq!(check("names = [\"a\"]\nspeed = \"slow\"\ninner = { on = true }"), [""; 0]);
    }

    #[test]
    fn invalid_values_are_reported() {
        let reports = |text: &str, wanted: &str| assert_eq!(check(text), [wanted], "{text}");
        reports(
            "count = 5_000_000_000",
            "wrong-type: `count`: expected an integer between 0 and 4294967295, found `5000000000`",
        );
        reports("workers = 0", "wrong-type: `workers`: expected a positive integer, found `0`");
        reports("size = -1", "wrong-type: `size`: expected a size such as `64MiB` or a number of bytes, found `-1`");
        reports(
            "size = true",
            "wrong-type: `size`: expected a size such as `64MiB` or a number of bytes, found `true`",
        );
        reports("input = 1.5", "wrong-type: `input`: expected the name of a stage or an array of names, found `1.5`");
        reports("input = [\"a\", 1]", "wrong-type: `input`: expected a string, found `1`");
        reports("names = [[]]", "wrong-type: `names`: expected a string, found an array");
        reports("speed = \"Fats\"", "unknown-choice: unknown value `Fats` for `speed`");
        reports("inner = { on = \"x\" }", "wrong-type: `on`: expected a boolean, found the string \"x\"");
        reports("inner = { off = true }", "unknown-key: unknown key `off` in `inner`");
        reports("other = 1", "unknown-key: unknown key `other` in it");
    }
}
