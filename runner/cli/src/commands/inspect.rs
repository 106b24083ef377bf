//! `gristmill inspect`: the tables of an index, with sample rows.

use std::fmt::Write as _;

use arrow::array::Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use gristmill_config::Registry;
use gristmill_display::{TextCell, TextTable};
use gristmill_query::Snapshot;
use gristmill_sinks::LanceReader;
use gristmill_sinks::tables::Table as LanceTable;

use super::job::IndexArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// List the tables of an index, or show the schema and sample rows of one.
#[derive(Clone, Debug, clap::Args)]
pub struct InspectArgs {
    /// Table, such as `chunks`, or `lance_small/chunks` if several sinks have it [default: list all]
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// The index.
    #[command(flatten)]
    pub index: IndexArgs,
    /// Number of sample rows.
    #[arg(short = 'n', long = "rows", default_value_t = 3, value_name = "N")]
    pub rows: usize,
}

/// Prints the tables.
///
/// # Errors
/// If the index or the table does not exist, or cannot be read.
pub fn execute(args: InspectArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Failed, error.to_string());
    let snapshot = Snapshot::open(&args.index.folder(registry)?, None).map_err(|error| failed(&error))?;
    let mut tables = Vec::new();
    for sink in snapshot.sinks("lance") {
        let reader = snapshot.lance(sink).map_err(|error| failed(&error))?;
        let names: Vec<LanceTable> = reader.tables().cloned().collect();
        tables.push((sink.to_owned(), reader, names));
    }
    let Some(wanted) = &args.table else {
        let mut list = TextTable::new(["table", "rows", "columns"]);
        for (sink, reader, names) in &tables {
            for table in names {
                let schema = reader.schema(table).map_err(|error| failed(&error))?;
                let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
                let name = format!("{sink}/{}", table.as_str());
                list.row([
                    TextCell::from(name),
                    TextCell::from(reader.count_rows(table)),
                    TextCell::from(columns.join(", ")),
                ]);
            }
        }
        terminal::print(&list.render())?;
        return Ok(Exit::Done);
    };
    let is_wanted =
        |sink: &str, table: &LanceTable| *wanted == table.as_str() || *wanted == format!("{sink}/{}", table.as_str());
    let found = tables.iter().find_map(|(sink, reader, names)| {
        names.iter().find(|table| is_wanted(sink, table)).map(|table| (reader, table))
    });
    let Some((reader, table)) = found else {
        let failure = Failure::new(Exit::BadConfig, format!("unknown table `{wanted}`"));
        return Err(failure.help("run `gristmill inspect` without `--table` to list the tables").into());
    };
    terminal::print(&show(reader, table, args.rows).map_err(|error| failed(&error))?)?;
    Ok(Exit::Done)
}

/// The maximum length of a shown value, in characters.
const MAX_VALUE_CHARS: usize = 72;

fn show(reader: &LanceReader, table: &LanceTable, rows: usize) -> Result<String, Box<dyn std::error::Error>> {
    let schema = reader.schema(table)?;
    let mut columns = TextTable::new(["column", "type", "description"]);
    for field in schema.fields() {
        let description = field.metadata().get("description").cloned().unwrap_or_default();
        columns.row([
            TextCell::from(field.name().as_str()),
            TextCell::from(field.data_type().to_string()),
            TextCell::from(description),
        ]);
    }
    let mut out = columns.render();
    let batch = reader.sample(table, rows)?;
    let options = FormatOptions::default().with_null("-");
    for row in 0..batch.num_rows() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\nrow {}", row + 1);
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let value = ArrayFormatter::try_new(column as &dyn Array, &options)?.value(row).try_to_string()?;
            let value = value.replace('\n', "⏎");
            let shown: String = value.chars().take(MAX_VALUE_CHARS).collect();
            let more = if shown.len() < value.len() { "…" } else { "" };
            let _ = writeln!(out, "  {:16} {shown}{more}", field.name());
        }
    }
    Ok(out)
}
