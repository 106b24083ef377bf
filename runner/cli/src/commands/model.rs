//! `gristmill model`: the embedding models that there are, and where they lie.

use std::fmt::Write as _;

use gristmill_display::{TextCell, TextTable};
use gristmill_operators::embed::catalog::{self, CatalogEntry, ModelPlace, ModelState};

use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::terminal;

/// Lists, fetches and verifies embedding models.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Lists the models that a job can name, with where they are.
    List {
        /// List those on the hub too, which must be fetched first.
        #[arg(long)]
        all: bool,
        /// Print a JSON array of objects.
        #[arg(long)]
        json: bool,
    },
    /// Brings a model from the hub into the folder of local models.
    Fetch {
        /// Its name, as `list --all` shows it.
        name: String,
    },
    /// Compares the files of local models with the checksums of their `model.json`.
    Verify {
        /// The model; all local ones if absent.
        name: Option<String>,
    },
}

/// Does what was asked.
///
/// # Errors
/// If there is no such model, it cannot be fetched, or it is not as it should be.
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
        const EVERY: u64 = 16 << 20;
        if bytes / EVERY != last {
            last = bytes / EVERY;
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
    let mut is_sound = true;
    for name in &names {
        let state = catalog::verify(name).map_err(|error| Failure::new(Exit::BadConfig, error))?;
        is_sound &= matches!(state, ModelState::Verified | ModelState::Undescribed);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}: {}", told(&state));
    }
    if names.is_empty() {
        out.push_str(
            "there are no local models; `./dev models` builds MiniLM, `gristmill model fetch` brings others\n",
        );
    }
    terminal::print(&out)?;
    Ok(if is_sound { Exit::Done } else { Exit::Failed })
}

fn told(state: &ModelState) -> String {
    match state {
        ModelState::Verified => "whole".into(),
        ModelState::Undescribed => "complete; it has no `model.json` to compare with".into(),
        ModelState::Changed { files } => format!("changed: {}; fetch or build it again", files.join(", ")),
        ModelState::Incomplete { reason } => format!("incomplete: {reason}"),
    }
}

fn render(entries: &[CatalogEntry], hidden: usize) -> String {
    let mut table = TextTable::new(["model", "operator", "dimension", "licence", "where", "what it is"]);
    for entry in entries {
        let place = match &entry.place {
            ModelPlace::BuiltIn => "compiled in".to_owned(),
            ModelPlace::Local { folder, state: ModelState::Verified | ModelState::Undescribed } => {
                folder.display().to_string()
            }
            ModelPlace::Local { folder, state } => format!("{} ({})", folder.display(), told(state)),
            ModelPlace::HubCache { folder } => folder.display().to_string(),
            ModelPlace::Hub { repository } => format!("hub: {repository}"),
        };
        table.row([
            TextCell::from(entry.name.as_str()),
            TextCell::from(entry.operator),
            entry.dimension.map_or_else(|| TextCell::number("?"), TextCell::from),
            TextCell::from(entry.licence.as_deref().unwrap_or("see its page")),
            TextCell::from(place),
            TextCell::from(entry.description.as_str()),
        ]);
    }
    let mut out = table.render();
    if hidden > 0 {
        let _ = writeln!(out, "{hidden} more can be fetched from the hub: `gristmill model list --all`");
    }
    out
}
