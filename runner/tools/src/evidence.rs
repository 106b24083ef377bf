//! How a reference was resolved, and how sure that is.

use gristmill_query::{EdgeRows, Row, ToolContext, ToolError, in_range};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The confidence from which on references are shown unless asked otherwise, in percent.
pub(super) const MIN_CONFIDENCE: u64 = 80;

/// The share of uses of a name that mean a definition of that name, where nothing else tells, in
/// percent.
const NAME_CONFIDENCE: u64 = 20;

/// How a reference was resolved to its definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `scope`, `qualifier`, `import`, `re-export`, `package`, `receiver`, `inherited`, or `name`
    /// where only the name is the same.
    pub evidence: String,
    /// The share of references with that evidence that are right, in percent, as measured.
    pub confidence: u64,
}

impl Evidence {
    /// The evidence of an edge.
    pub(super) fn of(edge: Row<'_, EdgeRows>) -> Self {
        let (rows, row) = (edge.table(), edge.row);
        Self { evidence: rows.evidence.value(row).to_owned(), confidence: rows.confidence.value(row) }
    }

    /// The name alone.
    pub(super) fn name() -> Self {
        Self { evidence: "name".to_owned(), confidence: NAME_CONFIDENCE }
    }
}

/// Returns the least confidence that is asked for.
pub(super) fn min_confidence(asked: Option<usize>) -> Result<u64, ToolError> {
    match asked {
        None => Ok(MIN_CONFIDENCE),
        Some(asked) => Ok(in_range("min_confidence", asked, 0..=100)? as u64),
    }
}

/// Whether references by name alone are asked for.
pub(super) const fn includes_names(min_confidence: u64) -> bool {
    min_confidence <= NAME_CONFIDENCE
}

/// Tells that references were left out because they are not sure enough.
pub(super) fn note_left_out(context: &ToolContext<'_>, count: usize, min_confidence: u64) {
    if count > 0 {
        let message = format!(
            "{count} references with a confidence below {min_confidence} % are left out; `min_confidence` = 0 shows them"
        );
        context.note("low_confidence", message);
    }
}
