use std::collections::BTreeMap;

use super::LANGUAGES;
use crate::spec::{Grammar, Language, Part, Use};
use crate::testing::sample;

fn grammars() -> impl Iterator<Item = &'static Grammar> {
    LANGUAGES.iter().filter_map(|language| language.grammar)
}

#[test]
fn no_name_or_extension_is_claimed_twice() {
    let mut claims: Vec<&str> =
        LANGUAGES.iter().flat_map(|l| l.extensions.iter().chain(l.file_names)).copied().collect();
    let mut names: Vec<&str> = LANGUAGES.iter().map(|language| language.name).collect();
    assert!(names.is_sorted());
    for list in [&mut claims, &mut names] {
        list.sort_unstable();
        let all = list.len();
        list.dedup();
        assert_eq!(list.len(), all);
    }
}

/// Languages that share a prefix see each other's definitions, so that is never by mistake.
#[test]
fn only_languages_that_import_each_other_share_a_prefix() {
    let mut sharing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for language in LANGUAGES {
        if let Some(modules) = language.modules {
            assert!(modules.prefix.ends_with(':'), "{}", modules.prefix);
            sharing.entry(modules.prefix).or_default().push(language.name);
        }
    }
    sharing.retain(|_, languages| languages.len() > 1);
    let expected = [
        ("c:", vec!["c", "cpp"]),
        ("js:", vec!["html", "javascript", "svelte", "tsx", "typescript", "vue"]),
        ("jvm:", vec!["java", "kotlin", "scala"]),
    ];
    assert_eq!(sharing, BTreeMap::from(expected));
}

#[test]
fn every_language_has_a_sample_of_definitions() {
    for language in LANGUAGES.iter().filter(|language| language.grammar.is_some()) {
        assert!(sample(language, "definitions").exists(), "no sample for {}", language.name);
    }
}

#[test]
fn every_language_with_code_has_a_sample_of_uses() {
    let has_uses = |language: &&&Language| language.grammar.is_some_and(|grammar| !grammar.uses.is_empty());
    for language in LANGUAGES.iter().filter(has_uses) {
        assert!(sample(language, "uses").exists(), "no sample for {}", language.name);
    }
}

/// A misspelt node kind would silently find nothing.
#[test]
fn every_kind_named_exists_in_its_grammar() {
    for grammar in grammars() {
        let language = (grammar.language)();
        let named = grammar.rules.iter().map(|rule| rule.node);
        let lists = [
            grammar.comments,
            grammar.attributes,
            grammar.modifiers,
            grammar.wraps,
            grammar.groups,
            grammar.through,
            grammar.closures,
            grammar.bodies,
        ];
        let uses = grammar.uses.iter().map(|(node, _)| *node).chain(grammar.parts.iter().map(|(node, _)| *node));
        for kind in named.chain(lists.into_iter().flatten().copied()).chain(uses) {
            assert_ne!(language.id_for_node_kind(kind, true), 0, "{}: no node kind `{kind}`", grammar.version);
        }
        let fields = grammar.uses.iter().filter_map(|(_, what)| match what {
            Use::Field(_, field) | Use::Member(_, field) => Some(*field),
            _ => None,
        });
        let steps = grammar.parts.iter().filter_map(|(_, part)| match part {
            Part::Field(field) => Some(*field),
            _ => None,
        });
        for field in fields.chain(steps) {
            assert!(language.field_id_for_name(field).is_some(), "{}: no field `{field}`", grammar.version);
        }
        assert!(grammar.rules.len() <= 256);
    }
}

/// Versions are part of the fingerprint, so they must be those that are linked.
#[test]
fn versions_are_those_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    for grammar in grammars() {
        let (name, version) = grammar.version.split_once(' ').expect("name and version");
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(
            lock.contains(&entry),
            "`{}` is not the version in Cargo.lock; update the language's grammar",
            grammar.version
        );
    }
}
