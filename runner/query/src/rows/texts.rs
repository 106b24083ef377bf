//! The texts of chunks: from memory if a server has preloaded them, else read by row address.

use arrow::array::{AsArray as _, RecordBatch, StringArray};
use gristmill_pipeline::SinkError;
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use rayon::prelude::*;

use super::{Columns, TableRows, at, missing_column};

/// Fewer lookups than this are not worth another thread.
const PARALLEL_LOOKUPS: usize = 1024;

/// The texts of the chunks of a fragment.
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

/// The texts of some chunks.
pub enum Texts<'a> {
    /// Borrowed from memory.
    Resident(Vec<&'a str>),
    /// Read from disk, with the position of each requested text.
    Read(StringArray, Vec<usize>),
}

impl<'a> Texts<'a> {
    /// Reads the texts at these addresses of the table `chunks`, in their order.
    pub(crate) fn of(
        held: Option<&'a Resident<TextRows>>,
        reader: &LanceReader,
        addresses: &[u64],
    ) -> Result<Self, SinkError> {
        if let Some(held) = held {
            let text = |address: &u64| at(held, *address).map(|row| row.table().text.value(row.row));
            // Looking them up is a quarter of what a search of all texts takes.
            if let Some(texts) = addresses.par_iter().with_min_len(PARALLEL_LOOKUPS).map(text).collect() {
                return Ok(Self::Resident(texts));
            }
        }
        // `take` needs ascending addresses.
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
        Ok(Self::Read(texts.cloned().ok_or_else(|| missing_column("text"))?, places))
    }

    /// Returns the text of the n-th requested address.
    #[must_use]
    pub fn get(&self, nth: usize) -> &str {
        match self {
            Self::Resident(texts) => texts.get(nth).copied().unwrap_or_default(),
            Self::Read(texts, places) => places.get(nth).map_or("", |place| texts.value(*place)),
        }
    }
}
