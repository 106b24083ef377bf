//! The texts of the chunks: in memory where a server keeps them there, read by row
//! otherwise.

use arrow::array::{AsArray as _, RecordBatch, StringArray};
use gristmill_pipeline::SinkError;
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;

use super::{Columns, TableRows, at, lacks};

/// The texts of a fragment's chunks.
pub struct TextRows {
    text: StringArray,
}

impl TableRows for TextRows {
    const COLUMNS: &'static [&'static str] = &["text"];

    fn table() -> Table {
        Table::Chunks
    }

    fn of(batch: RecordBatch) -> Result<Self, SinkError> {
        Ok(Self { text: Columns(&batch).text("text")? })
    }
}

/// Texts of some chunks.
pub enum Texts<'a> {
    /// Those that are in memory.
    Held(Vec<&'a str>),
    /// Those that were read, and for each that was wanted its place among them.
    Read(StringArray, Vec<usize>),
}

impl<'a> Texts<'a> {
    /// Those of the chunks at these addresses of the table `chunks`, in their order.
    pub(crate) fn of(
        held: Option<&'a Resident<TextRows>>,
        reader: &LanceReader,
        addresses: &[u64],
    ) -> Result<Self, SinkError> {
        if let Some(held) = held {
            let text = |address: &u64| at(held, *address).map(|row| row.table().text.value(row.row));
            if let Some(texts) = addresses.iter().map(text).collect() {
                return Ok(Self::Held(texts));
            }
        }
        // Rows are read in the order of their addresses.
        let mut order: Vec<usize> = (0..addresses.len()).collect();
        order.sort_by_key(|nth| addresses.get(*nth));
        let ascending: Vec<u64> = order.iter().filter_map(|nth| addresses.get(*nth).copied()).collect();
        let batch = reader.take(&Table::Chunks, &ascending, &["text"])?;
        let texts = batch.column_by_name("text").and_then(|column| column.as_string_opt::<i32>());
        let mut places = vec![0; addresses.len()];
        for (place, nth) in order.into_iter().enumerate() {
            if let Some(of) = places.get_mut(nth) {
                *of = place;
            }
        }
        Ok(Self::Read(texts.cloned().ok_or_else(|| lacks("text"))?, places))
    }

    /// The text of the chunk whose address was given in that place.
    #[must_use]
    pub fn get(&self, nth: usize) -> &str {
        match self {
            Self::Held(texts) => texts.get(nth).copied().unwrap_or_default(),
            Self::Read(texts, places) => places.get(nth).map_or("", |place| texts.value(*place)),
        }
    }
}
