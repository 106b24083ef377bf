//! The blocks found so far, and those that are still open.

use gristmill_pipeline::port::Block;

/// Levels of blocks.
const MAX_DEPTH: usize = 64;
/// The index of the whole text, which is no block but lies at the bottom of the stack.
const WHOLE: u32 = u32::MAX;

struct Open {
    index: u32,
    start: u32,
    /// Where its next child may begin.
    from: u32,
    end: u32,
}

/// Blocks in preorder. Whatever it is told, those of one level do not overlap and lie
/// within their parent.
pub(super) struct Blocks {
    blocks: Vec<Block>,
    open: Vec<Open>,
}

impl Blocks {
    /// No blocks, in a text of that length.
    pub fn new(length: u32) -> Self {
        Self { blocks: Vec::new(), open: vec![Open { index: WHOLE, start: 0, from: 0, end: length }] }
    }

    /// How many are open; the whole text counts as one.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Opens a block within those open; `None` where they nest too deep or it is empty.
    pub fn open(&mut self, start: u32, end: u32, definition: u32) -> Option<u32> {
        if self.open.len() > MAX_DEPTH {
            return None;
        }
        let outer = self.open.last()?;
        let (start, end) = (start.max(outer.from), end.min(outer.end));
        if start >= end {
            return None;
        }
        let index = u32::try_from(self.blocks.len()).ok()?;
        self.blocks.push(Block { start, end, next: index + 1, definition });
        self.open.push(Open { index, start, from: start, end });
        Some(index)
    }

    /// Whether a block there would end with the innermost open one and be most of it: the
    /// body of a definition, or the last and largest of its statements, adds no place to
    /// cut.
    pub fn fills(&self, start: u32, end: u32) -> bool {
        self.open.last().is_some_and(|open| {
            let length = u64::from(end.saturating_sub(start));
            open.index != WHOLE && end >= open.end && length * 2 > u64::from(open.end - open.start)
        })
    }

    /// Opens a closed block again, the last of its level, and makes it reach to `end`.
    pub fn extend(&mut self, index: u32, from: u32, end: u32) {
        if let Some(block) = self.blocks.get_mut(index as usize) {
            block.end = block.end.max(end);
            self.open.push(Open { index, start: block.start, from, end });
        }
    }

    /// Makes the open block at a depth end at `until`, and closes it.
    pub fn end_at(&mut self, depth: usize, until: u32) {
        let index = self.open.get(depth).map(|open| open.index);
        if let Some(block) = index.and_then(|index| self.blocks.get_mut(index as usize)) {
            block.end = until;
        }
        self.close(depth);
    }

    /// Closes all but the outermost `keep`.
    pub fn close(&mut self, keep: usize) {
        while self.open.len() > keep {
            let Some(open) = self.open.pop() else { return };
            let next = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
            let Some(block) = self.blocks.get_mut(open.index as usize) else { return };
            block.next = next;
            if let Some(outer) = self.open.last_mut() {
                outer.from = outer.from.max(block.end);
            }
        }
    }

    /// Closes all and gives them.
    pub fn finish(mut self) -> Vec<Block> {
        self.close(1);
        self.blocks
    }
}
