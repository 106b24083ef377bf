//! What the keys of a table take, by the JSON schema of its type.
//!
//! A value of another kind, out of range, or not among the choices is refused here, in the
//! job file's terms, and so is a key that the table does not have. What else may be wrong
//! with a value, such as a malformed glob, only its type can tell.

use gristmill_pipeline::nearest;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::error::Fault;
use super::listed::listed;
use super::texts::Place;

/// The keyword of a schema that says in words what its type takes, where the kinds of
/// values alone do not say it well. Published schemas are without it.
pub(super) const TAKES: &str = "x-takes";

/// A generator of schemas that are each whole in themselves.
pub(super) fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator()
}

/// What a key takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A string.
    Text,
    /// One of these strings.
    Choice(Vec<String>),
    /// An integer between two others.
    Integer { least: i128, most: i128 },
    /// A number with or without decimals.
    Number,
    /// `true` or `false`.
    Truth,
    /// A list.
    List(Box<Form>),
    /// A table with these keys.
    Table(Vec<(String, Form)>),
    /// Any of several forms, and how to say so.
    Either { takes: Option<String>, forms: Vec<Form> },
    /// Whatever its type takes.
    Any,
}

/// The keys of a table that is deserialized as `T`, with what they take.
pub(super) fn keys_of<T: JsonSchema>() -> Vec<(String, Form)> {
    match Form::of(T::json_schema(&mut generator()).as_value()) {
        Form::Table(keys) => keys,
        // Something without parameters has no `properties`.
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
            let takes = schema.get(TAKES).and_then(Value::as_str).map(ToOwned::to_owned);
            return Self::of_several(takes, forms.iter().filter(|form| !is_null(form)).map(Self::of).collect());
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.and_then(Value::as_str),
        };
        match kind {
            Some("string") => Self::Text,
            Some("integer") => Self::integer(schema),
            Some("number") => Self::Number,
            Some("boolean") => Self::Truth,
            Some("array") => Self::List(Box::new(schema.get("items").map_or(Self::Any, Self::of))),
            Some("object") => match schema.get("properties").and_then(Value::as_object) {
                Some(keys) => Self::Table(keys.iter().map(|(key, schema)| (key.clone(), Self::of(schema))).collect()),
                None => Self::Any,
            },
            _ => Self::Any,
        }
    }

    fn of_several(takes: Option<String>, mut forms: Vec<Self>) -> Self {
        let names = forms.iter().map(|form| if let Self::Choice(names) = form { Some(names) } else { None });
        if let Some(names) = names.collect::<Option<Vec<_>>>() {
            return Self::Choice(names.into_iter().flatten().cloned().collect());
        }
        match (forms.pop(), takes) {
            // An optional key is one form or null.
            (Some(only), None) if forms.is_empty() => only,
            (last, takes) => Self::Either { takes, forms: forms.into_iter().chain(last).collect() },
        }
    }

    /// Limits are said by keywords, or by the format alone.
    fn integer(schema: &Value) -> Self {
        let (least, most) = match schema.get("format").and_then(Value::as_str) {
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
        Self::Integer { least: limit("minimum").unwrap_or(least), most: limit("maximum").unwrap_or(most) }
    }

    /// Reports what of a value does not fit; of a list each item, of a table each key.
    pub(super) fn check(&self, key: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) {
        self.check_as(&self.takes(), key, value, faults);
    }

    fn check_as(&self, takes: &str, key: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Fault>) {
        match (self, value.get_ref()) {
            (Self::Choice(names), DeValue::String(name)) => {
                if !names.iter().any(|known| known == name) {
                    faults.push(unknown_choice(key, name, names, value.span()));
                }
            }
            (Self::Integer { least, most }, DeValue::Integer(number)) => {
                if !whole(number).is_some_and(|number| (*least..=*most).contains(&number)) {
                    faults.push(wrong_type(takes, key, value).label("out of range"));
                }
            }
            (Self::List(form), DeValue::Array(items)) => items.iter().for_each(|item| form.check(key, item, faults)),
            (Self::Table(keys), DeValue::Table(table)) => check_keys(&format!("`{key}`"), keys, table, faults),
            (Self::Either { forms, .. }, found) => match forms.iter().find(|form| form.is_kind_of(found)) {
                Some(form) => form.check_as(takes, key, value, faults),
                None => faults.push(wrong_type(takes, key, value)),
            },
            (form, found) if form.is_kind_of(found) => {}
            _ => faults.push(wrong_type(takes, key, value)),
        }
    }

    fn is_kind_of(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Text | Self::Choice(_) => value.is_str(),
            Self::Integer { .. } => value.is_integer(),
            Self::Number => value.is_integer() || value.is_float(),
            Self::Truth => value.is_bool(),
            Self::List(_) => value.is_array(),
            Self::Table(_) => value.is_table(),
            Self::Either { forms, .. } => forms.iter().any(|form| form.is_kind_of(value)),
            Self::Any => true,
        }
    }

    /// What it takes, as it stands in a sentence.
    fn takes(&self) -> String {
        match self {
            Self::Text | Self::Choice(_) => "a string".into(),
            Self::Integer { least: 1, .. } => "a whole number from 1 on".into(),
            Self::Integer { .. } => "a whole number".into(),
            Self::Number => "a number".into(),
            Self::Truth => "`true` or `false`".into(),
            Self::List(_) => "a list".into(),
            Self::Table(_) => "a table".into(),
            Self::Either { takes: Some(takes), .. } => takes.clone(),
            Self::Either { takes: None, forms } => forms.iter().map(Self::takes).collect::<Vec<_>>().join(" or "),
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

/// The error for a key that a table does not have.
pub(super) fn unknown_key<'k>(
    owner: &str,
    key: &str,
    place: Place,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Fault {
    let fault = Fault::at("unknown-key", place, format!("{owner} has no key `{key}`"));
    match nearest(key, known.clone()) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("unknown key"),
    }
    .help(Some(format!("the keys of {owner} are {}", listed(known).replace(" or ", " and "))))
}

fn unknown_choice(key: &str, name: &str, names: &[String], place: Place) -> Fault {
    let names = || names.iter().map(String::as_str);
    let fault = Fault::at("unknown-choice", place, format!("`{key}` cannot be `{name}`"));
    match nearest(name, names()) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("unknown choice"),
    }
    .help(Some(format!("`{key}` takes {}", listed(names()))))
}

fn wrong_type(takes: &str, key: &str, value: &Spanned<DeValue<'_>>) -> Fault {
    let found = value.get_ref();
    let quoted = found.as_str().is_some_and(|text| text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok());
    Fault::at("wrong-type", value.span(), format!("`{key}` takes {takes}, not {}", shown(found)))
        .label(kind_of(found))
        .help(quoted.then_some("write it without quotes"))
}

/// A value, as it stands in a sentence.
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

/// What kind of value it is.
pub(super) fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
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
    fn what_fits_is_let_through() {
        for text in ["count = 7", "workers = 1", "size = 0x10", "size = \"?\"", "input = \"a\"", "input = [\"a\"]"] {
            assert_eq!(check(text), [""; 0], "{text}");
        }
        assert_eq!(check("names = [\"a\"]\nspeed = \"slow\"\ninner = { on = true }"), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let told = |text: &str, wanted: &str| assert_eq!(check(text), [wanted], "{text}");
        told("count = 5_000_000_000", "wrong-type: `count` takes a whole number, not `5000000000`");
        told("workers = 0", "wrong-type: `workers` takes a whole number from 1 on, not `0`");
        told("size = -1", "wrong-type: `size` takes a number of bytes, such as `64MiB`, not `-1`");
        told("size = true", "wrong-type: `size` takes a number of bytes, such as `64MiB`, not `true`");
        told("input = 1.5", "wrong-type: `input` takes the name of a stage, or a list of names, not `1.5`");
        told("input = [\"a\", 1]", "wrong-type: `input` takes a string, not `1`");
        told("names = [[]]", "wrong-type: `names` takes a string, not a list");
        told("speed = \"Fats\"", "unknown-choice: `speed` cannot be `Fats`");
        told("inner = { on = \"x\" }", "wrong-type: `on` takes `true` or `false`, not the string \"x\"");
        told("inner = { off = true }", "unknown-key: `inner` has no key `off`");
        told("other = 1", "unknown-key: it has no key `other`");
    }
}
