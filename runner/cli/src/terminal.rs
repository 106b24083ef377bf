//! Output to the terminal, or to a pipe or file.

use std::io::{self, IsTerminal as _, Write as _};

use crate::diagnostic::Style;

/// Writes to standard output and flushes it.
///
/// # Errors
/// Those of the write; a closed pipe is [`io::ErrorKind::BrokenPipe`], which ends the command
/// silently.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a value to standard output as indented JSON.
///
/// # Errors
/// As for [`print()`].
pub fn print_json(value: &impl serde::Serialize) -> io::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    print(&format!("{json}\n"))
}

/// Writes to standard error. Errors are ignored.
pub fn print_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Returns the style of errors: in colour if standard error is a terminal and `NO_COLOR` is unset.
#[must_use]
pub fn error_style() -> Style {
    let plain = !io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain { Style::Plain } else { Style::Terminal }
}
