//! The languages, names of files and rules of GitHub Linguist: what `data/linguist.tsv` has of them.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

use super::Named;
use crate::languages::known_languages;

/// The table, read when a language is first asked for.
pub(super) static LINGUIST: LazyLock<Linguist> = LazyLock::new(|| Linguist::parse(TABLE));

/// The table as it stands: part of the parse operator's fingerprint.
pub(crate) const TABLE: &str = include_str!("../../data/linguist.tsv");

/// The bytes at the beginning of a text that rules look at, as in Linguist.
const RULE_BYTES: usize = 50 << 10;

/// What is known of languages by their names and files.
#[derive(Debug, Default)]
pub(super) struct Linguist {
    extensions: HashMap<&'static str, &'static str>,
    file_names: HashMap<&'static str, &'static str>,
    interpreters: HashMap<&'static str, &'static str>,
    aliases: HashMap<&'static str, &'static str>,
    shared: HashMap<&'static str, Shared>,
}

/// An extension that several languages share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The extension.
    pub(super) extension: &'static str,
    rules: Vec<Rule>,
}

/// A rule: its language is that of a text on which all its conditions agree.
#[derive(Debug)]
struct Rule {
    language: &'static str,
    conditions: Vec<Condition>,
}

/// A pattern that must occur, or must not.
#[derive(Debug)]
struct Condition {
    is_wanted: bool,
    pattern: &'static str,
    /// Compiled when it is first needed.
    compiled: OnceLock<Option<Regex>>,
}

impl Linguist {
    fn parse(table: &'static str) -> Self {
        let mut linguist = Self::default();
        for line in table.lines() {
            let mut fields = line.split('\t');
            match fields.next() {
                Some("L") => {
                    let Some(name) = fields.next() else { continue };
                    let tables = [
                        &mut linguist.extensions,
                        &mut linguist.file_names,
                        &mut linguist.interpreters,
                        &mut linguist.aliases,
                    ];
                    for (table, words) in tables.into_iter().zip(fields) {
                        table.extend(words.split(' ').filter(|word| !word.is_empty()).map(|word| (word, name)));
                    }
                }
                Some("R") => {
                    let (Some(extension), Some(language)) = (fields.next(), fields.next()) else { continue };
                    let rule = Rule { language, conditions: fields.filter_map(Condition::parse).collect() };
                    let shared = linguist.shared.entry(extension);
                    shared.or_insert_with(|| Shared { extension, rules: Vec::new() }).rules.push(rule);
                }
                _ => {}
            }
        }
        linguist
    }

    pub(super) fn of_file_name(&self, name: &str) -> Option<Named> {
        self.file_names.get(name).map(|name| Named::of(name))
    }

    /// The language of the longest ending of a file name that is an extension.
    pub(super) fn of_extensions(&self, file_name: &str) -> Option<Named> {
        let file_name = file_name.to_lowercase();
        let mut endings = file_name.match_indices('.').filter(|(at, _)| *at > 0);
        endings.find_map(|(at, _)| self.extensions.get(file_name.get(at + 1..)?)).map(|name| Named::of(name))
    }

    pub(super) fn shared(&self, extension: &str) -> Option<&Shared> {
        self.shared.get(extension).or_else(|| self.shared.get(&*extension.to_lowercase()))
    }

    /// The language of an interpreter's name, with or without a version after it.
    pub(super) fn of_interpreter(&self, program: &str) -> Option<Named> {
        let bare = program.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
        let own = known_languages().iter().copied();
        let own = |program: &str| own.clone().find(|language| language.interpreters.contains(&program));
        [program, bare].into_iter().find_map(|program| {
            own(program).map(Named::from).or_else(|| Some(Named::of(self.interpreters.get(program)?)))
        })
    }

    /// The language that an editor calls so.
    pub(super) fn of_mode(&self, mode: &str) -> Option<Named> {
        let mode = mode.to_lowercase();
        let name = self.aliases.get(mode.as_str()).or_else(|| self.aliases.get(mode.strip_suffix("-mode")?));
        name.map(|name| Named::of(name))
    }
}

impl Shared {
    /// The language that is left where no rule agrees.
    pub(super) fn likeliest(&self) -> Named {
        self.rules.last().map_or(Named::TEXT, |rule| Named::of(rule.language))
    }

    /// Whether the language is one of those that share the extension.
    pub(super) fn includes(&self, language: &str) -> bool {
        self.rules.iter().any(|rule| rule.language == language)
    }

    /// The language of the first rule that agrees.
    pub(super) fn decide(&self, text: &str) -> Named {
        let head = text.get(..text.floor_char_boundary(RULE_BYTES)).unwrap_or(text);
        let head = head.strip_prefix('\u{feff}').unwrap_or(head);
        let rule = self.rules.iter().find(|rule| rule.conditions.iter().all(|condition| condition.agrees(head)));
        rule.map_or_else(|| self.likeliest(), |rule| Named::of(rule.language))
    }
}

impl Condition {
    fn parse(field: &'static str) -> Option<Self> {
        let (sign, pattern) = field.split_at_checked(1)?;
        Some(Self { is_wanted: sign == "+", pattern, compiled: OnceLock::new() })
    }

    fn agrees(&self, text: &str) -> bool {
        let compile = || RegexBuilder::new(self.pattern).multi_line(true).crlf(true).build().ok();
        self.compiled.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(text) == self.is_wanted)
    }
}

/// The patterns that do not compile.
#[cfg(test)]
pub(super) fn broken_patterns() -> Vec<&'static str> {
    let conditions = LINGUIST.shared.values().flat_map(|shared| &shared.rules).flat_map(|rule| &rule.conditions);
    let is_broken = |condition: &&Condition| {
        condition.agrees("");
        condition.compiled.get().is_none_or(Option::is_none)
    };
    conditions.filter(is_broken).map(|condition| condition.pattern).collect()
}
