//! The resident view `edges`.

use std::cmp::Ordering;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use gristmill_pipeline::SinkError;
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;

use super::{Columns, Row, TableRows, find, order_by};

/// Edges, looked up by either end.
pub struct EdgeRows {
    /// The file of the reference.
    pub from_path: StringArray,
    /// The line of the reference.
    pub from_line: UInt64Array,
    /// The qualified name of the definition that encloses the reference; empty if none.
    pub from_symbol: StringArray,
    /// The name as written; for an import, the module.
    pub name: StringArray,
    /// `call`, `implements`, `mention` or `import`.
    pub kind: StringArray,
    /// The file of the definition.
    pub to_path: StringArray,
    /// The line of the definition; 0 for an import.
    pub to_line: UInt64Array,
    /// The qualified name of the definition; empty for an import.
    pub to_symbol: StringArray,
    /// How it was found.
    pub evidence: StringArray,
    /// The share of such edges that are right, in percent.
    pub confidence: UInt64Array,
    by_from: Box<[u32]>,
    by_to: Box<[u32]>,
}

impl TableRows for EdgeRows {
    const COLUMNS: &'static [&'static str] = &[
        "from_path",
        "from_line",
        "from_symbol",
        "name",
        "kind",
        "to_path",
        "to_line",
        "to_symbol",
        "evidence",
        "confidence",
    ];

    fn table() -> Table {
        Table::View("edges".into())
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        let columns = Columns(&batch);
        let (from_path, from_symbol) = (columns.text("from_path")?, columns.text("from_symbol")?);
        let (to_path, to_symbol) = (columns.text("to_path")?, columns.text("to_symbol")?);
        let by_from = order_by(batch.num_rows(), |row| (from_path.value(row), from_symbol.value(row)));
        let by_to = order_by(batch.num_rows(), |row| (to_path.value(row), to_symbol.value(row)));
        Ok(Self {
            from_line: columns.number("from_line")?,
            name: columns.text("name")?,
            kind: columns.text("kind")?,
            to_line: columns.number("to_line")?,
            evidence: columns.text("evidence")?,
            confidence: columns.number("confidence")?,
            from_path,
            from_symbol,
            to_path,
            to_symbol,
            by_from,
            by_to,
        })
    }
}

impl EdgeRows {
    /// Iterates over the edges from a definition; without a symbol, from any definition in the file.
    pub fn from<'a>(
        table: &'a Resident<Self>,
        path: &'a str,
        symbol: Option<&'a str>,
    ) -> impl Iterator<Item = Row<'a, Self>> {
        find(
            table,
            |rows| &rows.by_from,
            move |rows, row| compare((rows.from_path.value(row), rows.from_symbol.value(row)), (path, symbol)),
        )
    }

    /// Iterates over the edges to a definition; without a symbol, to any definition in the file.
    pub fn to<'a>(
        table: &'a Resident<Self>,
        path: &'a str,
        symbol: Option<&'a str>,
    ) -> impl Iterator<Item = Row<'a, Self>> {
        find(
            table,
            |rows| &rows.by_to,
            move |rows, row| compare((rows.to_path.value(row), rows.to_symbol.value(row)), (path, symbol)),
        )
    }
}

fn compare(end: (&str, &str), wanted: (&str, Option<&str>)) -> Ordering {
    end.0.cmp(wanted.0).then_with(|| wanted.1.map_or(Ordering::Equal, |symbol| end.1.cmp(symbol)))
}
