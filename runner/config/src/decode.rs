//! Deserializes a table, and reports every error in it, not only the first.
//!
//! A deserializer stops at its first error, so each key is deserialized separately, after its value
//! was checked against the [form](super::form) from the JSON schema of the type. The schema therefore
//! always agrees with what is accepted.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::error::Fault;
use super::form::{keys_of, unknown_key};
use super::texts::Place;

/// Deserializes a table whose keys all have defaults.
///
/// `owner` is the name of the table in errors, such as `[job]`; `others` are further keys of the
/// table, which are read elsewhere. Returns `None` if it reported anything.
pub(super) fn decode<T: DeserializeOwned + JsonSchema>(
    table: &DeTable<'_>,
    place: &Place,
    owner: &str,
    others: &[&str],
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let keys = keys_of::<T>();
    let known = || others.iter().copied().chain(keys.iter().map(|(known, _)| known.as_str()));
    let before = faults.len();
    let mut own = DeTable::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        if others.contains(&name) {
            continue;
        }
        let Some((_, form)) = keys.iter().find(|(known, _)| known == name) else {
            faults.push(unknown_key(owner, name, key.span(), known()));
            continue;
        };
        let so_far = faults.len();
        form.check(name, value, faults);
        if faults.len() == so_far {
            faults.extend(refused::<T>(key, value, place));
        }
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

/// Returns the errors of the type itself for a value of the right form; for an array, one per invalid
/// item.
fn refused<T: DeserializeOwned>(
    key: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    place: &Place,
) -> Vec<Fault> {
    let check = |value: &Spanned<DeValue<'_>>, item: &Spanned<DeValue<'_>>| {
        let mut single = DeTable::new();
        single.insert(key.clone(), value.clone());
        let error = from_table::<T>(single, place).err()?;
        let at = error.span().filter(|span| within(span, &item.span())).unwrap_or_else(|| item.span());
        Some(Fault::at("bad-value", at, format!("`{}`: {}", key.get_ref(), error.message())))
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

fn from_table<T: DeserializeOwned>(table: DeTable<'_>, place: &Place) -> Result<T, toml::de::Error> {
    T::deserialize(ValueDeserializer::from(Spanned::new(place.clone(), DeValue::Table(table))))
}

fn within(inner: &Place, outer: &Place) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
