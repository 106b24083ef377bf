//! A filter of kinds: of definitions, of chunks, or of references.

use gristmill_pipeline::nearest;
use gristmill_pipeline::port::DefinitionKind;
use gristmill_query::{Row, TableRows, ToolContext, ToolError, all, quote};
use gristmill_sinks::lance::Resident;

/// Other usual names of kinds of definitions.
const ALIASES: [(&str, &str); 40] = [
    ("alias", "type"),
    ("attribute", "field"),
    ("case", "variant"),
    ("const", "constant"),
    ("ctor", "constructor"),
    ("def", "function"),
    ("enumeration", "enum"),
    ("enumerator", "variant"),
    ("enummember", "variant"),
    ("extension", "implementation"),
    ("fn", "function"),
    ("fun", "function"),
    ("func", "function"),
    ("global", "variable"),
    ("heading", "section"),
    ("iface", "interface"),
    ("impl", "implementation"),
    ("init", "constructor"),
    ("instance", "implementation"),
    ("let", "variable"),
    ("member", "field"),
    ("meth", "method"),
    ("mod", "module"),
    ("namespace", "module"),
    ("ns", "module"),
    ("package", "module"),
    ("proc", "function"),
    ("procedure", "function"),
    ("prop", "field"),
    ("property", "field"),
    ("protocol", "interface"),
    ("record", "struct"),
    ("singleton", "object"),
    ("static", "variable"),
    ("structure", "struct"),
    ("subroutine", "function"),
    ("typealias", "type"),
    ("typeclass", "trait"),
    ("typedef", "type"),
    ("var", "variable"),
];

/// The kinds of references, and other usual names of them.
const REFERENCES: [(&str, &str); 10] = [
    ("call", "call"),
    ("extend", "implements"),
    ("implement", "implements"),
    ("implementation", "implements"),
    ("implements", "implements"),
    ("import", "import"),
    ("inherit", "implements"),
    ("invocation", "call"),
    ("mention", "mention"),
    ("use", "mention"),
];

/// Selects by kind.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    /// The names in the tables; empty for all.
    names: Vec<String>,
}

impl Kinds {
    /// Resolves kinds of definitions. One that is unknown, or that no definition of the index has,
    /// gets the note `no_kind`.
    pub(crate) fn of_definitions(context: &ToolContext<'_>, wanted: &[String]) -> Result<Self, ToolError> {
        let kinds = Self::new(context, wanted, &definition_kind, &definition_kinds());
        if !kinds.names.is_empty() {
            let table = context.epoch.tables()?.symbols()?;
            kinds.check(context, table, "definition", |row| row.table().kind.value(row.row))?;
        }
        Ok(kinds)
    }

    /// Resolves kinds of chunks, as [`of_definitions`](Self::of_definitions) does.
    pub(crate) fn of_chunks(context: &ToolContext<'_>, wanted: &[String]) -> Result<Self, ToolError> {
        let of_chunks = ["code", "text"];
        let mut known = definition_kinds();
        known.extend(of_chunks);
        let resolve = |name: &str| of_chunks.into_iter().find(|kind| *kind == name).or_else(|| definition_kind(name));
        let kinds = Self::new(context, wanted, &resolve, &known);
        if !kinds.names.is_empty()
            && let Ok(tables) = context.epoch.tables()
            && tables.has(&gristmill_sinks::tables::Table::Chunks)
        {
            kinds.check(context, tables.chunks()?, "chunk", |row| row.table().kind.value(row.row))?;
        }
        Ok(kinds)
    }

    /// Resolves kinds of references. An unknown one gets the note `no_kind`.
    pub(crate) fn of_references(context: &ToolContext<'_>, wanted: &[String]) -> Self {
        let resolve =
            |name: &str| REFERENCES.iter().find(|(alias, _)| matches_alias(name, alias)).map(|(_, kind)| *kind);
        Self::new(context, wanted, &resolve, &["call", "implements", "mention", "import"])
    }

    fn new(
        context: &ToolContext<'_>,
        wanted: &[String],
        resolve: &dyn Fn(&str) -> Option<&'static str>,
        known: &[&str],
    ) -> Self {
        let names = wanted.iter().map(|wanted| {
            let plain: String = wanted.to_lowercase().chars().filter(|sign| sign.is_alphanumeric()).collect();
            if let Some(kind) = resolve(&plain) {
                return kind.to_owned();
            }
            let near = nearest(&plain, known.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            context.note("no_kind", format!("unknown kind {}; {near}kinds: {}", quote(wanted), known.join(", ")));
            plain
        });
        Self { names: names.collect() }
    }

    /// Adds a note about each kind that no row has. O(rows) if one has none.
    fn check<T: TableRows>(
        &self,
        context: &ToolContext<'_>,
        table: &Resident<T>,
        what: &str,
        kind_of: impl for<'r> Fn(&Row<'r, T>) -> &'r str,
    ) -> Result<(), ToolError> {
        let mut missing: Vec<&str> = self.names.iter().map(String::as_str).collect();
        for (nth, row) in all(table).enumerate() {
            context.check_row(nth)?;
            let kind = kind_of(&row);
            missing.retain(|missing| *missing != kind);
            if missing.is_empty() {
                return Ok(());
            }
        }
        for kind in missing.into_iter().filter(|kind| definition_kind(kind).is_some()) {
            context.note("no_kind", format!("no {what} of the index has the kind `{kind}`"));
        }
        Ok(())
    }

    /// Returns whether a kind is selected.
    pub(crate) fn allow(&self, kind: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == kind)
    }

    /// Returns whether all kinds are selected.
    pub(crate) fn allow_all(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the names in the tables; none for all.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

fn definition_kinds() -> Vec<&'static str> {
    DefinitionKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

/// Returns the kind of definitions with a name in lower case, without signs: its own, another usual
/// one, or a plural.
fn definition_kind(name: &str) -> Option<&'static str> {
    let own = definition_kinds().into_iter().find(|kind| matches_alias(name, kind));
    own.or_else(|| ALIASES.iter().find(|(alias, _)| matches_alias(name, alias)).map(|(_, kind)| *kind))
}

/// Returns whether a name is another, or its plural.
fn matches_alias(name: &str, alias: &str) -> bool {
    let plural = |ending: &str| name.strip_suffix(ending) == Some(alias);
    let y_plural = || name.strip_suffix("ies").is_some_and(|stem| alias.strip_suffix('y') == Some(stem));
    name == alias || plural("s") || plural("es") || y_plural()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_other_names_and_plurals() {
        for (name, kind) in [
            ("function", "function"),
            ("functions", "function"),
            ("func", "function"),
            ("classes", "class"),
            ("properties", "field"),
            ("typealias", "type"),
            ("namespaces", "module"),
            ("alias", "type"),
        ] {
            assert_eq!(definition_kind(name), Some(kind), "{name}");
        }
        assert_eq!(definition_kind("fucntion"), None);
    }

    #[test]
    fn every_alias_means_a_kind() {
        let kinds = definition_kinds();
        for (alias, kind) in ALIASES {
            assert!(kinds.contains(&kind) && !kinds.contains(&alias), "{alias}");
        }
        assert!(ALIASES.is_sorted_by_key(|(alias, _)| alias));
    }
}
