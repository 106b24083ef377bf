//! `gristmill bench corpus`: what experiments index.

use std::path::{Path, PathBuf};

use gristmill_bench::{CorpusList, FolderContent, Generator, LanguageShare, content_hash};
use gristmill_display::{TextCell, TextTable, bytes, thousands};

use crate::exit::Exit;
use crate::failure::CommandError;
use crate::terminal;

/// Fetch, check or generate what experiments index.
#[derive(Clone, Debug, clap::Args)]
pub struct CorpusArgs {
    #[command(subcommand)]
    command: CorpusCommand,
}

/// The subcommands.
#[derive(Clone, Debug, clap::Subcommand)]
enum CorpusCommand {
    List(ListArgs),
    Fetch(FetchArgs),
    Check(CheckArgs),
    Generate(GenerateArgs),
}

/// List the public repositories, each at one revision.
#[derive(Clone, Debug, clap::Args)]
struct ListArgs {
    /// List of repositories [default: the built-in list]
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

/// Fetch a public repository at its revision with git, and check its content.
#[derive(Clone, Debug, clap::Args)]
struct FetchArgs {
    /// Name of the repository in the list.
    #[arg(value_name = "NAME")]
    name: String,
    /// Fetch into this new folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// List of repositories [default: the built-in list]
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

/// Print the content hash of a folder, and compare it with a repository of the list.
#[derive(Clone, Debug, clap::Args)]
struct CheckArgs {
    /// The folder; what is in `.git` does not count.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Compare with this repository of the list.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// List of repositories [default: the built-in list]
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

/// Generate a tree of source files, the same for the same settings.
#[derive(Clone, Debug, clap::Args)]
struct GenerateArgs {
    /// Generate into this new folder.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Random seed.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of files.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    files: u64,
    /// Mean length of a file, in bytes.
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    bytes: u64,
    /// Fraction of duplicate files, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    duplicates: f64,
    /// Languages with their weights: c, go, java, markdown, python, rust, typescript.
    #[arg(
        long,
        value_name = "NAME=WEIGHT,…",
        value_delimiter = ',',
        default_value = "rust=2,python=2,typescript=2,go=1,java=1,c=1,markdown=1"
    )]
    languages: Vec<String>,
    /// Number of levels of folders.
    #[arg(long, value_name = "N", default_value_t = 3)]
    depth: u32,
}

/// Runs the subcommand.
///
/// # Errors
/// If a name is unknown, a setting is invalid, or a folder cannot be read or written.
pub(super) fn execute(args: &CorpusArgs) -> Result<Exit, CommandError> {
    let text = match &args.command {
        CorpusCommand::List(args) => list(&read(args.list.as_deref())?),
        CorpusCommand::Fetch(args) => {
            let list = read(args.list.as_deref())?;
            described(&list.get(&args.name)?.fetch(&args.out)?)
        }
        CorpusCommand::Check(args) => match &args.name {
            Some(name) => described(&read(args.list.as_deref())?.get(name)?.check(&args.folder)?),
            None => described(&content_hash(&args.folder)?),
        },
        CorpusCommand::Generate(args) => {
            let languages: Result<Vec<LanguageShare>, _> = args.languages.iter().map(|share| share.parse()).collect();
            let (duplicates, languages, depth) = (args.duplicates, languages?, args.depth);
            let (seed, files, mean_bytes) = (args.seed, args.files, args.bytes);
            Generator { seed, files, mean_bytes, duplicates, languages, depth }.write(&args.out)?;
            described(&content_hash(&args.out)?)
        }
    };
    terminal::print(&text)?;
    Ok(Exit::Done)
}

fn read(list: Option<&Path>) -> Result<CorpusList, CommandError> {
    Ok(list.map_or_else(CorpusList::known, CorpusList::read)?)
}

fn list(list: &CorpusList) -> String {
    let mut table = TextTable::new(["name", "files", "size", "revision", "url"]);
    for corpus in &list.corpora {
        let revision = corpus.revision.get(..12).unwrap_or_default();
        let size = TextCell::number(bytes(corpus.bytes));
        table.row([
            corpus.name.as_str().into(),
            corpus.files.into(),
            size,
            revision.into(),
            corpus.url.as_str().into(),
        ]);
    }
    table.render()
}

fn described(content: &FolderContent) -> String {
    format!("{}  {} files, {}\n", content.hash, thousands(content.files), bytes(content.bytes))
}
