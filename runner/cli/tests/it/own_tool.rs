//! A program with a tool of its own: every surface has it.

use std::ffi::OsString;

use gristmill::{Exit, Program};
use gristmill_query::{Tool, ToolContext, ToolError, ToolSet};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::world::World;

/// Counts files.
#[derive(Deserialize, JsonSchema, clap::Args)]
struct CountFiles {
    /// Fail if there are fewer files
    #[serde(default)]
    #[arg(long, default_value_t = 0, value_name = "N")]
    min_files: u64,
}

impl Tool for CountFiles {
    const NAME: &'static str = "count_files";
    const ABOUT: &'static str = "Count the files of the index. Needs nothing but the commit record.";
    type Answer = u64;

    fn answer(self, context: &ToolContext<'_>) -> Result<u64, ToolError> {
        let files = context.epoch.coverage().files;
        if files < self.min_files {
            return Err(ToolError::bad_input(format!("`min_files` is {}, the index has {files}", self.min_files)));
        }
        Ok(files)
    }

    fn render(answer: &u64) -> String {
        format!("{answer} files\n")
    }
}

fn tools() -> ToolSet {
    gristmill_tools::standard().with::<CountFiles>()
}

#[test]
fn a_tool_is_a_subcommand() {
    gristmill::cli::command(&tools()).debug_assert();
    let help = gristmill::cli::command(&tools()).render_help().to_string();
    assert!(help.contains("count-files") && help.contains("Count the files of the index\n"), "{help}");

    let world = World::sample();
    world.run(&[]);
    let run = |more: &[&str]| {
        let args = ["gristmill", "count-files", "--index"].map(OsString::from).into_iter();
        let args = args.chain([world.index().into_os_string()]).chain(more.iter().map(OsString::from));
        Program::standard().tool::<CountFiles>().run(args)
    };
    assert_eq!(run(&[]), Exit::Done);
    assert_eq!(run(&["--json", "--min-files", "1"]), Exit::Done);
    assert_eq!(run(&["--min-files", "1000"]), Exit::BadConfig);
    assert_eq!(run(&["--no-such-flag"]), Exit::BadConfig);
}

#[test]
fn a_tool_is_in_the_openapi_document() {
    let document = gristmill_server::openapi(&tools());
    let operation = &document["paths"]["/v1/tools/count_files"]["post"];
    assert_eq!(operation["summary"], "Count the files of the index", "{operation}");
    let input = &document["components"]["schemas"]["CountFilesInput"];
    assert_eq!(input["properties"]["min_files"]["default"], 0, "{input}");
}
