//! Resolves a name, as a user writes it, to definitions.

mod lookup;
mod similar;
mod spelling;

use gristmill_query::{Row, SymbolRows, ToolContext, ToolError, quote};
use gristmill_sinks::tables::Table;

pub(crate) use lookup::{bare_name, definitions_of};
pub(crate) use similar::similar_names;

use spelling::{respelled, without_decoration};

/// The definitions that a name was taken for.
pub(crate) struct Found<'a> {
    pub(crate) rows: Vec<Row<'a, SymbolRows>>,
    /// Whether they are listed under other names, which are only similar.
    pub(crate) is_correction: bool,
}

/// Returns the definitions that a name was taken for; see [`find`].
pub(super) fn definitions<'a>(context: &ToolContext<'a>, name: &str) -> Result<Vec<Row<'a, SymbolRows>>, ToolError> {
    Ok(find(context, name)?.rows)
}

/// Finds the definitions of a name. If there are none, takes the name for a path, then for one with
/// brackets or quotes around it, for the end of a name, for one in another case, and last for one
/// with a slip (by edit distance, or with the same words). A note says so.
pub(crate) fn find<'a>(context: &ToolContext<'a>, name: &str) -> Result<Found<'a>, ToolError> {
    let table = context.epoch.tables()?.symbols()?;
    let visible = |name: &str| -> Vec<Row<'a, SymbolRows>> {
        definitions_of(table, name).into_iter().filter(|row| context.visible.shows(row.key())).collect()
    };
    let exact = |rows| Found { rows, is_correction: false };
    let rows = visible(name);
    if !rows.is_empty() || name.trim().is_empty() {
        return Ok(exact(rows));
    }
    if let Some(rows) = definitions_in(context, name)? {
        return Ok(exact(rows));
    }
    let bare = without_decoration(name);
    if let Some(bare) = bare {
        let rows = visible(bare);
        if !rows.is_empty() {
            context.note("corrected", format!("no definition of {}; showing {}", quote(name), quote(bare)));
            return Ok(exact(rows));
        }
    }
    let name = bare.unwrap_or(name);
    let respelled = respelled(context, table, name)?;
    if !respelled.by_end.is_empty() {
        return Ok(exact(respelled.by_end));
    }
    if !respelled.by_case.is_empty() {
        let message = format!("no definition of {}; showing those that differ in case", quote(name));
        context.note("case_insensitive", message);
        return Ok(exact(respelled.by_case));
    }
    let near = similar_names(context, table, bare_name(name))?;
    if !near.is_empty() {
        let names: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
        context.note("corrected", format!("no definition of {}; showing {}", quote(name), names.join(", ")));
    }
    let rows = near.into_iter().flat_map(|near| SymbolRows::named(table, near));
    Ok(Found { rows: rows.filter(|row| context.visible.shows(row.key())).collect(), is_correction: true })
}

/// Returns the definitions of a file, if a name is a path; with a line, as in `src/lib.rs:40`, the
/// innermost definition there.
fn definitions_in<'a>(context: &ToolContext<'a>, name: &str) -> Result<Option<Vec<Row<'a, SymbolRows>>>, ToolError> {
    if !name.contains(['/', '.', '\\']) || !context.epoch.tables()?.has(&Table::Files) {
        return Ok(None);
    }
    let (path, line) = match name.rsplit_once(':') {
        Some((path, line)) => (path, line.parse::<u32>().ok()),
        None => (name, None),
    };
    let path = if line.is_some() { path } else { name };
    let Some(file) = context.file(path)? else { return Ok(None) };
    let mut rows = SymbolRows::of_file(context.epoch.tables()?.symbols()?, file.key());
    if let Some(line) = line {
        rows.retain(|row| {
            (row.table().start_line.value(row.row)..=row.table().end_line.value(row.row)).contains(&line)
        });
        let start = |row: &Row<'_, SymbolRows>| row.table().start_line.value(row.row);
        rows = rows.into_iter().max_by_key(start).into_iter().collect();
        context.note("path", format!("{} is a line of a file; showing the definition there", quote(name)));
    } else {
        context.note("path", format!("{} is a file; showing its definitions", quote(name)));
    }
    Ok(Some(rows))
}

/// Why a definition was chosen, the most certain reason first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The view `edges` resolves the reference to it.
    Edge,
    /// The reference is bound to it by the scopes of its file.
    Scope,
    /// It is in the file of the reference.
    File,
    /// It is in the folder of the reference.
    Folder,
    /// It is in the language of the reference.
    Language,
    /// It has the name, nothing more.
    Name,
}

/// Returns the reason to choose a definition for a reference in a file of this path and language.
pub(super) fn reason(definition: Row<'_, SymbolRows>, from: Option<(&str, Option<&str>)>) -> Reason {
    let Some((path, language)) = from else { return Reason::Name };
    let of = definition.path().as_str();
    let folder = |path: &'_ str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    if of == path {
        Reason::File
    } else if folder(of) == folder(path) {
        Reason::Folder
    } else if language == Some(definition.table().language.value(definition.row)) {
        Reason::Language
    } else {
        Reason::Name
    }
}
