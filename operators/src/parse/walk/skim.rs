//! Searches for names where there are no definitions.

use tree_sitter::TreeCursor;

use super::{MAX_DEPTH, Walk};
use crate::parse::kinds::Role;

impl<'t> Walk<'t> {
    /// Records names in use below the cursor's node, and moves the cursor back to it.
    pub(super) fn skim(&mut self, cursor: &mut TreeCursor<'t>) {
        let top = self.frames.len();
        let mut depth = top;
        if !self.kinds.any_uses || depth >= MAX_DEPTH || !cursor.goto_first_child() {
            return;
        }
        loop {
            let node = cursor.node();
            let kind = self.kinds.of(node);
            if !matches!(kind.role, Role::Token | Role::Comment) {
                self.kinds.record(kind.used, node, cursor, &mut self.uses);
                // Names have nothing below them; most of what is skimmed are names.
                if !kind.is_name && depth + 1 < MAX_DEPTH && cursor.goto_first_child() {
                    depth += 1;
                    continue;
                }
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() || depth == top {
                    return;
                }
                depth -= 1;
            }
        }
    }
}
