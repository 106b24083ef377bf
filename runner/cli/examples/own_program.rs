//! A program of your own: the whole command line of gristmill, with an operator and a tool more.
//!
//! ```text
//! own_program check job.toml      # [[stage]] operator = "untab", with its parameters checked
//! own_program schema              # describes it for editors
//! own_program count-files --index DIR
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use gristmill::pipeline::port::Content;
use gristmill::pipeline::{Batch, Emitter, Fingerprint, Hash, Operator};
use gristmill::pipeline::{OperatorConfig, OperatorConfigError, OperatorError};
use gristmill::query::{ToolContext, ToolError};
use gristmill::{Program, Tool};
use schemars::JsonSchema;
use serde::Deserialize;

/// Replaces tabs by spaces; its fields are its parameters in job files.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Untab {
    /// Spaces for a tab, at most 16; 0 removes it.
    width: u8,
}

impl Operator for Untab {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        Self::NAME
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"untab 1".as_slice(), &[self.width]])
    }

    fn process(&self, batch: Batch<Arc<Content>>, out: &mut Emitter<Arc<Content>>) -> Result<(), OperatorError> {
        let spaces = " ".repeat(self.width.into());
        for content in batch {
            out.emit(Arc::new(content.with_text(content.text.replace('\t', &spaces))));
        }
        Ok(())
    }
}

impl OperatorConfig for Untab {
    type Operator = Self;
    const NAME: &'static str = "untab";

    fn build(&self, _folder: &Path) -> Result<Self, OperatorConfigError> {
        match self.width {
            0..=16 => Ok(self.clone()),
            width => Err(OperatorConfigError::of("width", format!("must be between 0 and 16, got {width}"))),
        }
    }
}

/// Counts the files.
#[derive(Deserialize, JsonSchema, clap::Args)]
struct CountFiles {}

impl Tool for CountFiles {
    const NAME: &'static str = "count_files";
    const ABOUT: &'static str = "Count the files of the index.";
    type Answer = u64;

    fn answer(self, context: &ToolContext<'_>) -> Result<u64, ToolError> {
        Ok(context.epoch.coverage().files)
    }

    fn render(answer: &u64) -> String {
        format!("{answer} files\n")
    }
}

fn main() -> ExitCode {
    Program::standard().operator::<Untab>("Replaces tabs by spaces.").tool::<CountFiles>().main()
}
