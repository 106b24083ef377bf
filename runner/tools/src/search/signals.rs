//! The signals that make up the score of a hit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The signals of a hit's score. The score is
/// `(lexical + vector + file_name + names + file) * secondary * document * declaration * member * diversity`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Signals {
    /// Weighted lexical score.
    pub lexical: f32,
    /// Weighted vector score.
    pub vector: f32,
    /// Weighted share of the words in the file name that are in the query.
    pub file_name: f32,
    /// Weighted share of the query's words in the names of the file: of its definitions, its folders
    /// and the file itself.
    pub names: f32,
    /// Weighted sum of the scores of all matches in the file.
    pub file: f32,
    /// Multiplier for tests, examples and vendored code.
    pub secondary: f32,
    /// Multiplier for documents and data files.
    pub document: f32,
    /// Multiplier for declaration files, such as C headers.
    pub declaration: f32,
    /// Multiplier for fields, variables, constants and the like.
    pub member: f32,
    /// Multiplier for a chunk that follows better chunks of the same file.
    pub diversity: f32,
    /// The score.
    pub score: f32,
}

impl Default for Signals {
    /// Neutral signals: 0 for terms, 1 for multipliers.
    fn default() -> Self {
        Self {
            lexical: 0.0,
            vector: 0.0,
            file_name: 0.0,
            names: 0.0,
            file: 0.0,
            secondary: 1.0,
            document: 1.0,
            declaration: 1.0,
            member: 1.0,
            diversity: 1.0,
            score: 0.0,
        }
    }
}

impl Signals {
    /// Computes the score from the other signals.
    pub(super) fn update_score(&mut self) {
        let added = self.lexical + self.vector + self.file_name + self.names + self.file;
        self.score = added * self.secondary * self.document * self.declaration * self.member * self.diversity;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_the_sum_of_the_terms_times_the_multipliers() {
        let mut signals = Signals { lexical: 0.25, vector: 0.5, file: 0.25, secondary: 0.5, ..Signals::default() };
        signals.update_score();
        assert_eq!(signals.score, 0.5);
        signals = Signals {
            file_name: 0.5,
            names: 0.5,
            document: 0.5,
            declaration: 0.5,
            member: 0.5,
            diversity: 0.5,
            ..signals
        };
        signals.update_score();
        assert_eq!(signals.score, 0.0625);
    }
}
