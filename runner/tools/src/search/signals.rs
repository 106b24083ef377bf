//! What a hit owes its score to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parts of a hit's score. The score is
/// `(words + meaning + file_name + names + file) * secondary * document * declaration * part * further`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signals {
    /// What the match by words adds.
    pub words: f32,
    /// What the match by meaning adds.
    pub meaning: f32,
    /// What the words that file name and query share add.
    pub file_name: f32,
    /// What names in the file that have the query's words add: of definitions, folders and
    /// the file.
    pub names: f32,
    /// What the other matches in the file add.
    pub file: f32,
    /// What is left in tests, examples, and code of others.
    pub secondary: f32,
    /// What is left in documents and data.
    pub document: f32,
    /// What is left in files that declare what others define.
    pub declaration: f32,
    /// What is left of fields, variables, constants and the like.
    pub part: f32,
    /// What is left after better chunks of the same file.
    pub further: f32,
    /// The score.
    pub score: f32,
}

impl Default for Signals {
    /// Nothing added, nothing taken off.
    fn default() -> Self {
        Self {
            words: 0.0,
            meaning: 0.0,
            file_name: 0.0,
            names: 0.0,
            file: 0.0,
            secondary: 1.0,
            document: 1.0,
            declaration: 1.0,
            part: 1.0,
            further: 1.0,
            score: 0.0,
        }
    }
}

impl Signals {
    /// Makes the score of its parts.
    pub(super) fn add_up(&mut self) {
        let added = self.words + self.meaning + self.file_name + self.names + self.file;
        self.score = added * self.secondary * self.document * self.declaration * self.part * self.further;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_sum_of_what_is_added_by_what_is_left() {
        let mut signals = Signals { words: 0.25, meaning: 0.5, file: 0.25, secondary: 0.5, ..Signals::default() };
        signals.add_up();
        assert_eq!(signals.score, 0.5);
        signals =
            Signals { file_name: 0.5, names: 0.5, document: 0.5, declaration: 0.5, part: 0.5, further: 0.5, ..signals };
        signals.add_up();
        assert_eq!(signals.score, 0.0625);
    }
}
