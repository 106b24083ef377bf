//! From a table to a typed value, reporting every error in the table and not the first.
//!
//! A deserializer stops at its first error, so each key is deserialized by itself. What
//! keys there are is asked of the type's JSON schema, which therefore cannot say
//! anything else than what is accepted.

use gristmill_pipeline::nearest;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::error::Fault;
use super::listed::listed;
use super::texts::Place;

/// The keys that `T` takes, from its JSON schema.
pub(super) fn keys_of<T: JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(T);
    let properties = schema.get("properties").and_then(|properties| properties.as_object());
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

/// Deserializes a table whose keys all have defaults.
///
/// `owner` is what errors call the table, such as `[job]`; `others` are keys that the
/// table has beside those of `T` and that someone else reads. Gives nothing if there was
/// anything to report.
pub(super) fn decode<T: DeserializeOwned + JsonSchema>(
    table: &DeTable<'_>,
    place: &Place,
    owner: &str,
    others: &[&str],
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let keys = keys_of::<T>();
    let known = || others.iter().copied().chain(keys.iter().map(String::as_str));
    let before = faults.len();
    let mut own = DeTable::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        if others.contains(&name) {
            continue;
        }
        if !keys.iter().any(|known| known == name) {
            faults.push(unknown_key(owner, name, key.span(), known()));
            continue;
        }
        faults.extend(check_key::<T>(key, value, place));
        own.insert(key.clone(), value.clone());
    }
    if faults.len() > before {
        return None;
    }
    match from_table(own, place) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = format!("{owner}: {}", error.message());
            faults.push(Fault::at("bad-value", error.span().unwrap_or_else(|| place.clone()), message));
            None
        }
    }
}

/// Checks one key by itself; of a list, each item that is wrong is reported.
fn check_key<T: DeserializeOwned>(
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    place: &Place,
) -> Vec<Fault> {
    let check = |value: &Spanned<DeValue<'_>>, item: &Spanned<DeValue<'_>>| {
        let mut single = DeTable::new();
        single.insert(key.clone(), value.clone());
        let error = from_table::<T>(single, place).err()?;
        let at = error.span().filter(|span| within(span, &item.span())).unwrap_or_else(|| item.span());
        Some(wrong_value(key.get_ref(), item.get_ref(), at, error.message()))
    };
    let Some(whole) = check(value, value) else { return Vec::new() };
    let items = match value.get_ref() {
        DeValue::Array(items) => items.iter(),
        _ => return vec![whole],
    };
    let alone = |item| DeValue::Array([item].into_iter().cloned().collect());
    let found: Vec<Fault> = items.filter_map(|item| check(&Spanned::new(value.span(), alone(item)), item)).collect();
    if found.is_empty() { vec![whole] } else { found }
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

fn from_table<T: DeserializeOwned>(table: DeTable<'_>, place: &Place) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(place.clone(), DeValue::Table(table))))
}

fn within(inner: &Place, outer: &Place) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Says in the job file's terms what serde said in Rust's.
fn wrong_value(key: &str, value: &DeValue<'_>, place: Place, message: &str) -> Fault {
    if let Some((got, expected)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, expected "))
    {
        let choices: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let fault = Fault::at("unknown-choice", place, format!("`{key}` cannot be `{got}`"));
        return match nearest(got, choices.iter().copied()) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.label("unknown choice"),
        }
        .help(Some(format!("`{key}` takes {}", listed(choices))));
    }
    let typed = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((got, expected)) = typed.and_then(|rest| rest.rsplit_once(", expected ")) {
        let quoted =
            matches!(value, DeValue::String(text) if text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok());
        let help = quoted.then_some("write it without quotes");
        let sentence = format!("`{key}` takes {}, not {}", expectation(expected), finding(got));
        let label = if message.starts_with("invalid value") { "out of range" } else { kind_of(value) };
        return Fault::at("wrong-type", place, sentence).label(label).help(help);
    }
    if message.starts_with("wanted ") || message.contains("expected string or table") {
        let message = format!("`{key}` takes a string, not {}", kind_of(value));
        return Fault::at("wrong-type", place, message).label(kind_of(value));
    }
    Fault::at("bad-value", place, format!("`{key}`: {message}"))
}

fn expectation(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("a nonzero u") => "a whole number from 1 on",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

fn finding(got: &str) -> String {
    match got {
        "sequence" => "a list".into(),
        "map" => "a table".into(),
        "boolean `true`" => "`true`".into(),
        "boolean `false`" => "`false`".into(),
        _ => match (got.strip_prefix("integer "), got.strip_prefix("floating point ")) {
            (Some(number), _) | (_, Some(number)) => number.into(),
            _ => got.strip_prefix("string ").map_or_else(|| got.into(), |text| format!("the string {text}")),
        },
    }
}

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
