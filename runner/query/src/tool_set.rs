//! The tools that can be asked for by name.

use super::error::{ErrorCode, ToolError};
use super::tool::{ErasedTool, Tool};

/// Tools by their names, in the order in which they were added. A program adds a tool of its
/// own by implementing [`Tool`] for one type:
///
/// ```
/// use gristmill_query::{At, Tool, ToolError, ToolSet};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Counts the files.
/// #[derive(Deserialize, JsonSchema, clap::Args)]
/// struct CountFiles {}
///
/// impl Tool for CountFiles {
///     const NAME: &'static str = "count_files";
///     const ABOUT: &'static str = "Counts the files of the index.";
///     type Answer = u64;
///
///     fn answer(self, at: &At<'_>) -> Result<u64, ToolError> {
///         Ok(at.epoch.coverage().files)
///     }
///
///     fn render(answer: &u64) -> String {
///         format!("{answer} files\n")
///     }
/// }
///
/// let tools = ToolSet::new().with::<CountFiles>();
/// assert!(tools.find("count_files").is_some());
/// ```
#[derive(Clone, Default)]
pub struct ToolSet(Vec<ErasedTool>);

impl ToolSet {
    /// No tools.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool, in place of one of the same name.
    #[must_use]
    pub fn with<T: Tool>(mut self) -> Self {
        self.add(ErasedTool::of::<T>());
        self
    }

    fn add(&mut self, tool: ErasedTool) {
        match self.0.iter_mut().find(|known| known.name == tool.name) {
            Some(known) => *known = tool,
            None => self.0.push(tool),
        }
    }

    /// The tools.
    pub fn iter(&self) -> std::slice::Iter<'_, ErasedTool> {
        self.0.iter()
    }

    /// The tool of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ErasedTool> {
        self.0.iter().find(|tool| tool.name == name)
    }

    /// The error for a name that no tool has.
    pub(super) fn unknown(&self, name: &str) -> ToolError {
        let nearest = self
            .iter()
            .map(|tool| (strsim::jaro_winkler(tool.name, name), tool.name))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let error = ToolError::new(ErrorCode::UnknownTool, "there is no tool of that name");
        match nearest {
            Some((likeness, near)) if likeness > 0.8 => error.help(format!("did you mean `{near}`?")),
            _ => error
                .help(format!("the tools are {}", self.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", "))),
        }
    }
}

impl FromIterator<ErasedTool> for ToolSet {
    fn from_iter<I: IntoIterator<Item = ErasedTool>>(tools: I) -> Self {
        let mut set = Self::new();
        tools.into_iter().for_each(|tool| set.add(tool));
        set
    }
}

impl<'a> IntoIterator for &'a ToolSet {
    type Item = &'a ErasedTool;
    type IntoIter = std::slice::Iter<'a, ErasedTool>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
