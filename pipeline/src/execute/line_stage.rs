//! A stage of the line from read to chunk, with its output matched to the files of a batch.

use gristmill_ids::{ChunkLaneId, StageId};

use super::stage::{Produced, StageRunner};
use crate::diagnostic::Diagnostic;
use crate::extra::{ExtraColumn, ExtraOwner, Extras};
use crate::operator::OperatorError;
use crate::path::RelPath;
use crate::port::{Item, Port};

/// A stage of the line.
#[derive(Clone)]
pub(crate) struct LineStage {
    pub(crate) runner: StageRunner,
    /// Its place in the graph.
    pub(crate) id: StageId,
    /// The chunk lane that ends here, if one does.
    pub(crate) lane: Option<ChunkLaneId>,
    /// The extra columns declared by this stage and the stages before it.
    pub(crate) columns: Vec<ExtraColumn>,
    /// The stages of the line that take its output, as positions in the line.
    pub(crate) next: Vec<usize>,
}

/// The output of a stage for one file.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) item: Option<Item>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl LineStage {
    /// The port that it outputs.
    pub(crate) fn output(&self) -> Port {
        self.runner.operator.operator().output()
    }

    /// Runs the stage on a batch, and returns its output for each item, in the same order.
    /// Output is matched by path, so no two items may have the same path. Output for other
    /// paths is ignored.
    pub(crate) fn run(&self, batch: Vec<Item>) -> Result<Vec<Given>, OperatorError> {
        let paths: Vec<Option<RelPath>> = batch.iter().map(|item| item.path().cloned()).collect();
        let position = |path: Option<&RelPath>| paths.iter().position(|of| path.is_some() && of.as_ref() == path);
        let Produced { items, diagnostics, quarantined } = self.runner.run(batch)?;
        let mut all: Vec<Given> = paths.iter().map(|_| Given::default()).collect();
        let quarantined = quarantined.into_iter().map(|(item, found)| (item.path().cloned(), found));
        let found = diagnostics.into_iter().map(|(path, found)| (Some(path), found)).chain(quarantined);
        for (path, found) in found {
            if let Some(given) = position(path.as_ref()).and_then(|nth| all.get_mut(nth)) {
                given.diagnostics.push(found);
            }
        }
        for item in items {
            self.check_extras(&item)?;
            let Some(given) = position(item.path()).and_then(|nth| all.get_mut(nth)) else { continue };
            if given.item.is_none() {
                given.item = Some(item);
            } else if !given.diagnostics.iter().any(|found| &*found.code == REPEATED) {
                let name = &self.runner.meter.name;
                let message =
                    format!("stage `{name}` returned more than one output for this file; only the first is used");
                given.diagnostics.push(self.runner.error(REPEATED, message));
            }
        }
        Ok(all)
    }

    /// Checks that the extra values of an item have declared columns. Stores keep declared
    /// columns only, so a recalled row would otherwise lack values that the fresh row had.
    fn check_extras(&self, item: &Item) -> Result<(), OperatorError> {
        match item {
            Item::Content(content) => self.check_values(ExtraOwner::Files, &content.extras),
            Item::Syntax(syntax) => self.check_values(ExtraOwner::Files, &syntax.extras),
            Item::Chunked(chunked) => {
                chunked.chunks.iter().try_for_each(|chunk| self.check_values(ExtraOwner::Chunks, &chunk.extras))
            }
            Item::File(_) | Item::Passage(_) | Item::Vector(_) => Ok(()),
        }
    }

    fn check_values(&self, owner: ExtraOwner, values: &Extras) -> Result<(), OperatorError> {
        for (name, value) in values.iter() {
            let declared = self.columns.iter().find(|column| column.owner == owner && *column.name == *name);
            let message = match declared {
                Some(column) if column.kind == value.kind() => continue,
                Some(column) => format!(
                    "the extra column `{name}` is declared as {:?}, got a value of type {:?}",
                    column.kind,
                    value.kind()
                ),
                None => {
                    let owner = format!("{owner:?}").to_lowercase();
                    format!("the extra column `{name}` of {owner} is not declared; return it from `Operator::columns`")
                }
            };
            return Err(OperatorError { stage: (&*self.runner.meter.name).into(), message: message.into() });
        }
        Ok(())
    }
}

/// Diagnostic code of a stage that returned more than one output for a file.
const REPEATED: &str = "repeated_output";
