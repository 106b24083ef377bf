//! The tools of a runner, by name.

use super::erased_tool::ErasedTool;
use super::error::{ErrorCode, ToolError};
use super::quote::quote;
use super::tool::Tool;

/// Tools by name, in the order in which they were added. A program adds its own tool by
/// implementing [`Tool`] for a type:
///
/// ```
/// use gristmill_query::{Tool, ToolContext, ToolError, ToolSet};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Counts the files.
/// #[derive(Deserialize, JsonSchema, clap::Args)]
/// struct CountFiles {}
///
/// impl Tool for CountFiles {
///     const NAME: &'static str = "count_files";
///     const ABOUT: &'static str = "Count the files of the index.";
///     type Answer = u64;
///
///     fn answer(self, context: &ToolContext<'_>) -> Result<u64, ToolError> {
///         Ok(context.epoch.coverage().files)
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
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool; replaces one of the same name.
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

    /// Iterates over the tools.
    pub fn iter(&self) -> std::slice::Iter<'_, ErasedTool> {
        self.0.iter()
    }

    /// Returns the tool with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&ErasedTool> {
        self.0.iter().find(|tool| tool.name == name)
    }

    /// Creates the error for an unknown name.
    pub(super) fn unknown(&self, name: &str) -> ToolError {
        let nearest = self
            .iter()
            .map(|tool| (strsim::jaro_winkler(tool.name, name), tool.name))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let error = ToolError::new(ErrorCode::UnknownTool, format!("unknown tool {}", quote(name)));
        match nearest {
            Some((likeness, near)) if likeness > 0.8 => error.help(format!("did you mean `{near}`?")),
            _ => error
                .help(format!("available tools: {}", self.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", "))),
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
