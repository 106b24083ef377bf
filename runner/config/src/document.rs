//! The job file as a tree of values, each with its place, and what is laid over it.

use gristmill_pipeline::nearest;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::Fault;
use super::texts::{Place, Texts};

/// The stages of a job without `[[stage]]`.
pub const DEFAULT_GRAPH: &str = include_str!("default_graph.toml");

/// A setting that replaces what the job file says.
#[derive(Clone, Debug)]
pub enum Override {
    /// `section.key=value` as given to `--set`; `stage.<name>.key=value` for a stage.
    /// The value is TOML, or a string where it is no TOML.
    Assignment(String),
    /// One key of one section, set to a string.
    Value {
        /// What an error calls it, such as `--mode`.
        origin: &'static str,
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// The value, as it is.
        value: String,
    },
}

/// A job file, and what was laid over it.
#[derive(Default)]
pub(super) struct Document<'t> {
    pub(super) root: DeTable<'t>,
    pub(super) texts: Texts<'t>,
    pub(super) faults: Vec<Fault>,
}

impl<'t> Document<'t> {
    /// Parses a job file; the text is empty where there is none.
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
            // The parser takes a missing value for a string without quotes.
            let message = match error.message() {
                message if line_ends && message.starts_with("string values must be quoted") => "the key has no value",
                message => message,
            };
            self.faults.push(Fault::at("syntax", place, format!("this is no TOML: {message}")));
        }
        shifted_table(table.into_inner(), base)
    }

    /// Lays a setting over the job.
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
            let message = format!("`{text}` sets nothing");
            let help = "write `section.key=value`, such as `job.mode=pipeline` or `stage.chunk.max_tokens=200`";
            self.faults.push(Fault::at("bad-setting", whole, message).label("no `=`").help(Some(help)));
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
            // A bare word such as `pipeline` or `64MiB` is no TOML value, and means a string.
            Err(_) => Spanned::new(value_base..value_base + value.len(), DeValue::String(DeString::Borrowed(value))),
        };
        self.assign(&keys, value, &whole);
    }

    /// Replaces the value at a path of keys, making tables where there are none.
    fn assign(&mut self, keys: &[(&str, Place)], value: Spanned<DeValue<'t>>, whole: &Place) {
        let Self { root, faults, .. } = self;
        let outcome = match keys {
            [(stage, _), (name, place), rest @ ..] if *stage == "stage" && !rest.is_empty() => {
                find_stage(root, name, place).and_then(|table| insert(table, rest, value))
            }
            [_, _, ..] => insert(root, keys, value),
            _ => {
                let message = "a setting names a section and a key, such as `job.mode=pipeline`";
                Err(Box::new(Fault::at("bad-setting", whole.clone(), message).label("too short")))
            }
        };
        faults.extend(outcome.err().map(|fault| *fault));
    }
}

fn insert<'t>(table: &mut DeTable<'t>, keys: &[(&str, Place)], value: Spanned<DeValue<'t>>) -> Result<(), Box<Fault>> {
    let [(name, place), rest @ ..] = keys else { return Ok(()) };
    let key = Spanned::new(place.clone(), DeString::Owned((*name).to_owned()));
    if rest.is_empty() {
        // Removed first, because inserting over a key keeps the key of before, and with it
        // the place that an error would name.
        table.remove(*name);
        table.insert(key, value);
        return Ok(());
    }
    let empty = || Spanned::new(place.clone(), DeValue::Table(DeTable::new()));
    match table.entry(key).or_insert_with(empty).get_mut() {
        DeValue::Table(inner) => insert(inner, rest, value),
        other => {
            let message = format!("`{name}` is {} and has no keys", super::form::kind_of(other));
            Err(Box::new(Fault::at("bad-setting", place.clone(), message)))
        }
    }
}

fn find_stage<'d, 't>(root: &'d mut DeTable<'t>, name: &str, place: &Place) -> Result<&'d mut DeTable<'t>, Box<Fault>> {
    let Some(DeValue::Array(stages)) = root.get_mut("stage").map(Spanned::get_mut) else {
        let message = "the job has no stages to set anything of";
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
    let fault = Fault::at("unknown-stage", place.clone(), format!("there is no stage `{name}` to set anything of"));
    Err(Box::new(match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("no such stage").help(Some(format!("the stages are {}", names.join(", ")))),
    }))
}

/// A stage's name, which without `name` is that of what it runs.
fn stage_name<'v>(stage: &'v DeValue<'_>) -> Option<&'v str> {
    ["name", "operator", "sink"].iter().find_map(|key| stage.get(key)).and_then(|value| value.get_ref().as_str())
}

/// Moves the places of a value that was parsed on its own.
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
