//! The `edges` view: who uses what.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::ThresholdTotal;
use gristmill_ids::NameKey;
use gristmill_plane::{Cell, Difference, FactRow, Tick, UseKind, distinct};

use super::schema;
use crate::table::{ViewColumn, ViewSchema};
use crate::{Evidence, FactCollections, View};

/// The names of [`UseKind`]s, in their order.
pub(crate) const USE_KINDS: [&str; 3] = ["call", "implements", "mention"];

/// The share of import edges that are right, in percent.
fn import_confidence(evidence: Evidence) -> u64 {
    evidence.confidence(1)
}

fn kind_of(kinds: &[NameKey; 3], kind: UseKind) -> NameKey {
    kinds.get(kind as usize).copied().unwrap_or_default()
}

/// From every use of a name to the definition that it means, and from every import to
/// the file that it means, and to that which defines what that one imports in turn.
///
/// A use is resolved by what its file binds it to: scopes, imports, re-exports, the unit that the
/// file belongs to, what stands before the name, and the types of variables (see [`Evidence`]). A
/// name alone makes no edge. Where several definitions are equally likely, such as overloads,
/// there is an edge to each, and `candidates` says how many there are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edges;

impl View for Edges {
    fn schema(&self) -> Arc<ViewSchema> {
        let columns = vec![
            ViewColumn::text("from_path", "The file that uses the name."),
            ViewColumn::number("from_line", "The line of the use, counted from 1."),
            ViewColumn::text(
                "from_symbol",
                "The qualified name of the definition that the use lies in; empty if none.",
            ),
            ViewColumn::text("name", "The name as used; for an import, the module as written."),
            ViewColumn::text("kind", "`call`, `implements`, `mention` or `import`."),
            ViewColumn::text("to_path", "The file that defines it."),
            ViewColumn::number("to_line", "The line of the definition; 0 for an import."),
            ViewColumn::text("to_symbol", "The qualified name of the definition; empty for an import."),
            ViewColumn::text(
                "evidence",
                "How it was found: `scope`, `qualifier`, `import`, `re-export`, `package`, `receiver` or `inherited`.",
            ),
            ViewColumn::number("confidence", "The share of such edges that are right, in percent, as measured."),
            ViewColumn::number("candidates", "How many definitions are as likely."),
        ];
        schema("edges", 2, "From every use of a name to what it means.", columns)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let names = Evidence::ALL.map(|evidence| NameKey::of(evidence.as_str()));
        let kinds = USE_KINDS.map(NameKey::of);
        let uses = facts.resolved().map(move |edge| {
            FactRow::new([
                edge.from.into(),
                edge.reference.line.into(),
                edge.reference.within.into(),
                edge.reference.name.into(),
                Cell::Name(kind_of(&kinds, edge.reference.kind)),
                edge.to.into(),
                edge.definition.line.into(),
                edge.definition.qualified.into(),
                Cell::Name(names.get(edge.evidence as usize).copied().unwrap_or_default()),
                Cell::Number(edge.evidence.confidence(edge.candidates)),
                edge.candidates.into(),
            ])
        });
        let import = NameKey::of("import");
        let imports = facts.import_edges().map(move |edge| {
            FactRow::new([
                edge.from.into(),
                edge.line.into(),
                Cell::Name(NameKey::NONE),
                edge.written.into(),
                import.into(),
                edge.to.into(),
                Cell::Number(0),
                Cell::Name(NameKey::NONE),
                import.into(),
                Cell::Number(import_confidence(Evidence::Import)),
                Cell::Number(1),
            ])
        });
        // What an import names may be defined in a file that the imported one imports it from.
        let named = facts
            .resolved()
            .filter(|edge| edge.from != edge.to && matches!(edge.evidence, Evidence::Import | Evidence::ReExport));
        let named = named.map(|edge| ((edge.from, edge.reference.line), (edge.to, edge.evidence)));
        let named = named.join_map(facts.import_lines(), move |(from, line), (to, evidence), written| {
            FactRow::new([
                (*from).into(),
                (*line).into(),
                Cell::Name(NameKey::NONE),
                (*written).into(),
                import.into(),
                (*to).into(),
                Cell::Number(0),
                Cell::Name(NameKey::NONE),
                Cell::Name(names.get(*evidence as usize).copied().unwrap_or_default()),
                Cell::Number(import_confidence(*evidence)),
                Cell::Number(1),
            ])
        });
        // A name may be used twice on a line.
        uses.concat(imports).concat(named).threshold_total(distinct)
    }
}
