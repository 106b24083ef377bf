//! How the walk looks for names where there are no definitions.

use tree_sitter::TreeCursor;

use super::{MAX_DEPTH, Walk};
use crate::parse::grammar::{Role, Step};

impl<'t> Walk<'t> {
    /// Looks for names in use below the cursor's node, and comes back to it.
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
                self.uses.see(kind.used, node, cursor);
                // Names have nothing below them; most of what is skimmed are names.
                if kind.step != Step::Name && depth + 1 < MAX_DEPTH && cursor.goto_first_child() {
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
