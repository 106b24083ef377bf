//! `gristmill model`: lists, fetches and verifies embedding models.

use std::fmt::Write as _;

use gristmill_display::{TextCell, TextTable};
use gristmill_operators::embed::catalog::{self, CatalogEntry, ModelPlace, ModelState};

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// List, fetch and verify embedding models.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// List the models that a job can use, with their locations.
    List {
        /// Also list models on the hub, which must be fetched first.
        #[arg(long)]
        all: bool,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Download a model from the hub into the folder of local models.
    Fetch {
        /// Name of the model, as shown by `list --all`.
        name: String,
    },
    /// Compare the files of local models with the checksums in their `model.json`.
    Verify {
        /// Name of the model [default: all local models]
        name: Option<String>,
    },
}

/// Runs the action.
///
/// # Errors
/// If the model is unknown, cannot be fetched, or fails verification.
pub fn execute(args: ModelArgs) -> Result<Exit, CommandError> {
    match args.action {
        Action::List { all, json } => {
            let mut entries = catalog::list();
            let count = entries.len();
            entries.retain(|entry| all || !matches!(entry.place, ModelPlace::Hub { .. }));
            if json {
                terminal::print_json(&entries)?;
            } else {
                terminal::print(&render(&entries, count - entries.len()))?;
            }
            Ok(Exit::Done)
        }
        Action::Fetch { name } => fetch(&name),
        Action::Verify { name } => verify(name),
    }
}

fn fetch(name: &str) -> Result<Exit, CommandError> {
    let mut last = 0;
    let fetched = catalog::fetch(name, &mut |file, bytes| {
        const REPORT_BYTES: u64 = 16 << 20;
        if bytes / REPORT_BYTES != last {
            last = bytes / REPORT_BYTES;
            terminal::print_error(&format!("{file}: {} MB\n", bytes / 1_000_000));
        }
    });
    let fetched = fetched.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    terminal::print(&format!("{name} is in {}\n", fetched.folder.display()))?;
    Ok(Exit::Done)
}

fn verify(name: Option<String>) -> Result<Exit, CommandError> {
    let names: Vec<String> = match name {
        Some(name) => vec![name],
        None => {
            let is_local = |entry: &CatalogEntry| matches!(entry.place, ModelPlace::Local { .. });
            catalog::list().into_iter().filter(is_local).map(|entry| entry.name).collect()
        }
    };
    let mut out = String::new();
    let mut is_valid = true;
    for name in &names {
        let state = catalog::verify(name).map_err(|error| Failure::new(Exit::BadConfig, error))?;
        is_valid &= matches!(state, ModelState::Verified | ModelState::Undescribed);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}: {}", description(&state));
    }
    if names.is_empty() {
        out.push_str("no local models; `./dev models` builds MiniLM, `gristmill model fetch` downloads others\n");
    }
    terminal::print(&out)?;
    Ok(if is_valid { Exit::Done } else { Exit::Failed })
}

fn description(state: &ModelState) -> String {
    match state {
        ModelState::Verified => "verified".into(),
        ModelState::Undescribed => "complete, without checksums: it has no `model.json`".into(),
        ModelState::Changed { files } => format!("checksum mismatch: {}; fetch or build it again", files.join(", ")),
        ModelState::Incomplete { reason } => format!("incomplete: {reason}"),
    }
}

fn render(entries: &[CatalogEntry], hidden: usize) -> String {
    let mut table = TextTable::new(["model", "operator", "dimension", "licence", "location", "description"]);
    for entry in entries {
        let place = match &entry.place {
            ModelPlace::BuiltIn => "compiled in".to_owned(),
            ModelPlace::Local { folder, state: ModelState::Verified | ModelState::Undescribed } => {
                folder.display().to_string()
            }
            ModelPlace::Local { folder, state } => format!("{} ({})", folder.display(), description(state)),
            ModelPlace::HubCache { folder } => folder.display().to_string(),
            ModelPlace::Hub { repository } => format!("hub: {repository}"),
        };
        table.row([
            TextCell::from(entry.name.as_str()),
            TextCell::from(entry.operator),
            entry.dimension.map_or_else(|| TextCell::number("?"), TextCell::from),
            TextCell::from(entry.licence.as_deref().unwrap_or("see the model page")),
            TextCell::from(place),
            TextCell::from(entry.description.as_str()),
        ]);
    }
    let mut out = table.render();
    if hidden > 0 {
        let _ = writeln!(out, "{hidden} more models on the hub: `gristmill model list --all`");
    }
    out
}
