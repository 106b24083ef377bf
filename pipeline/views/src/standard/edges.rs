//! The `edges` view: who uses what.

use std::sync::Arc;

use differential_dataflow::VecCollection;
use differential_dataflow::operators::ThresholdTotal;
use gristmill_ids::NameKey;
use gristmill_plane::{Cell, Difference, FactRow, Tick, distinct};

use super::schema;
use crate::table::{ViewColumn, ViewSchema};
use crate::{FactCollections, Resolution, View};

/// From every use of a name to the definition that it means, and from every import to
/// the file that it means.
///
/// Names are resolved within a language (see [`Resolution`]): a definition in the same
/// file is surest, then one in a file that is imported, then one in the same folder, then
/// any. Where several files are equally sure there is an edge to each, and `candidates`
/// says how many there are. A name that more than 16 files define is resolved within its
/// own file only, and one that only its name speaks for if no more than 4 do.
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
            ViewColumn::text("resolved_by", "What made the choice: `file`, `import`, `folder`, or the `name` alone."),
            ViewColumn::number("candidates", "How many files are as likely."),
        ];
        schema("edges", 1, "From every use of a name to what it means.", columns)
    }

    fn build<'scope>(&self, facts: &FactCollections<'scope>) -> VecCollection<'scope, Tick, FactRow, Difference> {
        let names = Resolution::ALL.map(|resolution| NameKey::of(resolution.as_str()));
        let uses = facts.resolved().map(move |edge| {
            FactRow::new([
                edge.from.into(),
                edge.reference.line.into(),
                edge.reference.within.into(),
                edge.reference.name.into(),
                edge.reference.kind.into(),
                edge.to.into(),
                edge.definition.line.into(),
                edge.definition.qualified.into(),
                Cell::Name(names.get(edge.by as usize).copied().unwrap_or_default()),
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
                Cell::Number(1),
            ])
        });
        // A name may be used twice on a line.
        uses.concat(imports).threshold_total(distinct)
    }
}
