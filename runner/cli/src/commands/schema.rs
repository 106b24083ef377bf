//! `gristmill schema`: the JSON Schema of job files, for editors.

use gristmill_config::Registry;

use crate::exit::Exit;
use crate::failure::CommandError;
use crate::terminal::print;

/// Print the JSON Schema of job files.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct SchemaArgs {}

/// Prints the schema.
///
/// # Errors
/// If standard output cannot be written.
pub fn execute(_: SchemaArgs, registry: &Registry) -> Result<Exit, CommandError> {
    print(&format!("{:#}\n", gristmill_config::schema(registry)))?;
    Ok(Exit::Done)
}
