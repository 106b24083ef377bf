//! A tool of your own: a subcommand here, and a route over HTTP and a tool over MCP where it is served.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use gristmill::query::{FileRows, ToolContext, ToolError, all, in_range};
use gristmill::{Exit, Program, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The input: flags of the subcommand, and the schema of the other surfaces.
#[derive(Deserialize, JsonSchema, clap::Args)]
struct LongestFiles {
    /// Maximum number of files, between 1 and 100
    #[serde(default = "default_limit")]
    #[arg(long, default_value_t = default_limit(), value_name = "N")]
    limit: usize,
}

fn default_limit() -> usize {
    10
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct FileLength {
    /// The path.
    path: String,
    /// The number of lines.
    lines: u32,
}

impl Tool for LongestFiles {
    const NAME: &'static str = "longest_files";
    const ABOUT: &'static str = "List the files with the most lines. Use it to find what should be split.";
    type Answer = Vec<FileLength>;

    fn answer(self, context: &ToolContext<'_>) -> Result<Self::Answer, ToolError> {
        let limit = in_range("limit", self.limit, 1..=100)?;
        let mut files = Vec::new();
        for (nth, file) in all::<FileRows>(context.epoch.tables()?.files()?).enumerate() {
            context.check_row(nth)?;
            let lines = file.table().lines.value(file.row);
            files.push(FileLength { path: file.path().to_string(), lines });
        }
        files.sort_by_key(|file| std::cmp::Reverse(file.lines));
        files.truncate(limit);
        Ok(files)
    }

    fn render(answer: &Self::Answer) -> String {
        answer.iter().map(|file| format!("{:6} {}\n", file.lines, file.path)).collect()
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let program = Program::standard().tool::<LongestFiles>();
    if std::env::args_os().len() > 1 {
        return Ok(program.main());
    }
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("long.py"), "x = 1\n".repeat(40))?;
    fs::write(folder.path().join("short.py"), "x = 1\n")?;
    let path = folder.path().to_str().ok_or("the path is not UTF-8")?;
    let mut exit = program.run(["example", "run", "--quiet", "--source", path]);
    if exit == Exit::Done {
        exit = program.run(["example", "longest-files", "--index", &format!("{path}/.gristmill"), "--limit", "1"]);
    }
    Ok(exit.into())
}
