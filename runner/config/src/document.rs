//! The job file as a tree of spanned values, with overrides applied.

use gristmill_pipeline::nearest;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::Fault;
use super::texts::{Place, Texts};

/// The stages of a job without `[[stage]]`.
pub const DEFAULT_GRAPH: &str = include_str!("default_graph.toml");

/// A setting that overrides the job file.
#[derive(Clone, Debug)]
pub enum Override {
    /// `section.key=value`, as passed to `--set`; `stage.<name>.key=value` for a stage. The value is
    /// TOML, or else a string.
    Assignment(String),
    /// Sets one key of one section to a string.
    Value {
        /// The name of the option in errors, such as `--mode`.
        origin: &'static str,
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// The literal value.
        value: String,
    },
}

/// A job file with its overrides.
#[derive(Default)]
pub(super) struct Document<'t> {
    pub(super) root: DeTable<'t>,
    pub(super) texts: Texts<'t>,
    pub(super) faults: Vec<Fault>,
}

impl<'t> Document<'t> {
    /// Parses a job file; the text is empty if there is none.
    pub(super) fn parse(name: &str, text: &'t str) -> Self {
        let mut document = Self::default();
        document.root = document.table(name, text);
        if !document.root.contains_key("stage") {
            let mut default = document.table("the default graph", DEFAULT_GRAPH);
            if let Some((key, stages)) = default.remove_entry("stage") {
                document.root.insert(key, stages);
            }
        }
        document
    }

    fn table(&mut self, name: &str, text: &'t str) -> DeTable<'t> {
        let base = self.texts.add(name, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let place = base + span.start..base + span.end;
            let line_ends =
                text.get(span.start..).is_some_and(|rest| rest.is_empty() || rest.starts_with(['\r', '\n']));
            // The parser reports a missing value as a string without quotes.
            let message = match error.message() {
                message if line_ends && message.starts_with("string values must be quoted") => "the key has no value",
                message => message,
            };
            self.faults.push(Fault::at("syntax", place, format!("invalid TOML: {message}")));
        }
        shifted_table(table.into_inner(), base)
    }

    /// Applies a setting.
    pub(super) fn set(&mut self, setting: &'t Override) {
        match setting {
            Override::Value { origin, section, key, value } => {
                let base = self.texts.add(*origin, value);
                let place = base..base + value.len();
                let value = Spanned::new(place.clone(), DeValue::String(DeString::Owned(value.clone())));
                let keys = [(*section, place.clone()), (*key, place.clone())];
                self.assign(&keys, value, &place);
            }
            Override::Assignment(text) => self.set_assignment(text),
        }
    }

    fn set_assignment(&mut self, text: &'t str) {
        let base = self.texts.add("--set", text);
        let whole = base..base + text.len();
        let Some((path, value)) = text.split_once('=') else {
            let message = format!("invalid setting `{text}`: expected `section.key=value`");
            let help = "for example `job.mode=pipeline` or `stage.chunk.max_tokens=200`";
            self.faults.push(Fault::at("bad-setting", whole, message).label("missing `=`").help(Some(help)));
            return;
        };
        let mut keys = Vec::new();
        let mut at = base;
        for key in path.split('.') {
            let lead = key.len() - key.trim_start().len();
            let name = key.trim();
            keys.push((name, at + lead..at + lead + name.len()));
            at += key.len() + 1;
        }
        let value_base = base + text.len() - value.trim_start().len();
        let value = value.trim();
        let value = match DeValue::parse(value) {
            Ok(value) => shifted(value, value_base),
            // A bare word such as `pipeline` or `64MiB` is a string.
            Err(_) => Spanned::new(value_base..value_base + value.len(), DeValue::String(DeString::Borrowed(value))),
        };
        self.assign(&keys, value, &whole);
    }

    /// Sets the value at a path of keys; creates missing tables.
    fn assign(&mut self, keys: &[(&str, Place)], value: Spanned<DeValue<'t>>, whole: &Place) {
        let Self { root, faults, .. } = self;
        let outcome = match keys {
            [(stage, _), (name, place), rest @ ..] if *stage == "stage" && !rest.is_empty() => {
                find_stage(root, name, place).and_then(|table| insert(table, rest, value))
            }
            [_, _, ..] => insert(root, keys, value),
            _ => {
                let message = "expected `section.key=value`, such as `job.mode=pipeline`";
                Err(Box::new(Fault::at("bad-setting", whole.clone(), message).label("missing section")))
            }
        };
        faults.extend(outcome.err().map(|fault| *fault));
    }
}

fn insert<'t>(table: &mut DeTable<'t>, keys: &[(&str, Place)], value: Spanned<DeValue<'t>>) -> Result<(), Box<Fault>> {
    let [(name, place), rest @ ..] = keys else { return Ok(()) };
    let key = Spanned::new(place.clone(), DeString::Owned((*name).to_owned()));
    if rest.is_empty() {
        // Removed first: inserting over a key would keep the old key with its old span.
        table.remove(*name);
        table.insert(key, value);
        return Ok(());
    }
    let empty = || Spanned::new(place.clone(), DeValue::Table(DeTable::new()));
    match table.entry(key).or_insert_with(empty).get_mut() {
        DeValue::Table(inner) => insert(inner, rest, value),
        other => {
            let message = format!("`{name}` is {}, not a table, and has no keys", super::form::kind_of(other));
            Err(Box::new(Fault::at("bad-setting", place.clone(), message)))
        }
    }
}

fn find_stage<'d, 't>(root: &'d mut DeTable<'t>, name: &str, place: &Place) -> Result<&'d mut DeTable<'t>, Box<Fault>> {
    let Some(DeValue::Array(stages)) = root.get_mut("stage").map(Spanned::get_mut) else {
        let message = "the job has no stages";
        return Err(Box::new(Fault::at("bad-setting", place.clone(), message)));
    };
    let names: Vec<String> = stages.iter().filter_map(|stage| stage_name(stage.get_ref())).map(Into::into).collect();
    for stage in stages.iter_mut() {
        if stage_name(stage.get_ref()) == Some(name)
            && let DeValue::Table(table) = stage.get_mut()
        {
            return Ok(table);
        }
    }
    let fault = Fault::at("unknown-stage", place.clone(), format!("unknown stage `{name}`"));
    Err(Box::new(match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("unknown stage").help(Some(format!("the stages are {}", names.join(", ")))),
    }))
}

/// Returns the name of a stage: `name`, else its operator or sink.
fn stage_name<'v>(stage: &'v DeValue<'_>) -> Option<&'v str> {
    ["name", "operator", "sink"].iter().find_map(|key| stage.get(key)).and_then(|value| value.get_ref().as_str())
}

/// Shifts the spans of a value that was parsed separately.
fn shifted(value: Spanned<DeValue<'_>>, base: usize) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let moved = match value.into_inner() {
        DeValue::Array(items) => DeValue::Array(items.into_iter().map(|item| shifted(item, base)).collect()),
        DeValue::Table(table) => DeValue::Table(shifted_table(table, base)),
        scalar => scalar,
    };
    Spanned::new(base + span.start..base + span.end, moved)
}

fn shifted_table(table: DeTable<'_>, base: usize) -> DeTable<'_> {
    let entries = table.into_iter().map(|(key, value)| {
        let span = key.span();
        (Spanned::new(base + span.start..base + span.end, key.into_inner()), shifted(value, base))
    });
    entries.collect()
}
