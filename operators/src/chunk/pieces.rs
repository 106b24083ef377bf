//! Cutting a text along its blocks, and between lines where there are none.

use std::ops::Range;

use gristmill_pipeline::port::{Block, DefinitionKind, Syntax};

use super::atoms::Atoms;

/// Maximum nesting of blocks that are cut along; deeper ones are cut between lines.
const MAX_DEPTH: usize = 64;

/// A range of atoms that becomes a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// First atom.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// The blocks that lie completely in it: siblings with all their descendants.
    pub blocks: Range<u32>,
    /// The innermost definition that it is part of.
    pub owner: Option<u32>,
    /// Whether it contains the head of that definition.
    pub head: bool,
}

/// A block with the lines that belong to it, or the lines between two blocks.
struct Unit {
    from: usize,
    to: usize,
    blocks: Range<u32>,
}

/// Cuts a text into pieces of at most `max` tokens that cover its atoms in order.
pub(crate) fn cut(syntax: &Syntax, atoms: &Atoms, max: u32, min: u32) -> Vec<Piece> {
    let mut cutter = Cutter { syntax, text: &syntax.content.text, atoms, max, min, pieces: Vec::new() };
    let blocks = 0..u32::try_from(syntax.blocks.len()).unwrap_or(u32::MAX);
    if atoms.len() > 0 {
        cutter.cut_level(Unit { from: 0, to: atoms.len(), blocks }, None, 0);
    }
    cutter.pieces
}

struct Cutter<'a> {
    syntax: &'a Syntax,
    text: &'a str,
    atoms: &'a Atoms,
    max: u32,
    min: u32,
    pieces: Vec<Piece>,
}

impl Cutter<'_> {
    /// Cuts a range along the blocks of one level.
    fn cut_level(&mut self, whole: Unit, owner: Option<u32>, depth: usize) {
        if whole.blocks.is_empty() || depth >= MAX_DEPTH {
            return self.cut_lines(whole.from, whole.to, owner, owner.is_some());
        }
        let first_piece = self.pieces.len();
        let start = whole.from;
        let head = move |from: usize| owner.is_some() && from == start;
        let mut group: Option<Unit> = None;
        for unit in self.units(whole) {
            let tokens = self.tokens(&unit);
            let definition = self.definition(&unit);
            let module = definition.is_some_and(|kind| kind == DefinitionKind::Module);
            let slight = group.as_ref().is_some_and(|group| self.is_slight(group));
            if tokens > self.max || module && tokens >= self.min {
                let mut unit = unit;
                if slight && let Some(group) = group.take() {
                    unit.from = group.from;
                }
                self.flush(group.take(), owner, &head, first_piece);
                self.cut_inside(unit, owner, &head, depth);
            } else if definition.is_some() && tokens >= self.min {
                // A definition of this size gets its own piece, with the few lines right before it.
                let joined = match group.take() {
                    Some(group) if slight && self.tokens(&group) + tokens <= self.max => join(group, unit),
                    group => {
                        self.flush(group, owner, &head, first_piece);
                        unit
                    }
                };
                self.emit(joined, owner, &head);
            } else {
                group = Some(match group.take() {
                    Some(group) if self.tokens(&group) + tokens <= self.max => join(group, unit),
                    group => {
                        self.flush(group, owner, &head, first_piece);
                        unit
                    }
                });
            }
        }
        self.flush(group, owner, &head, first_piece);
    }

    /// Splits a level into its blocks and the lines between them.
    fn units(&self, whole: Unit) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut at = whole.from;
        let mut next = whole.blocks.start;
        while next < whole.blocks.end {
            let Some(block) = self.block(next) else { break };
            let blocks = next..block.next.max(next + 1);
            next = blocks.end;
            let from = self.atoms.at(block.start).max(at);
            let to = (self.atoms.at(block.end.saturating_sub(1)) + 1).clamp(from, whole.to);
            if from >= to {
                // The block lies on the last line of the block before it.
                if let Some(last) = units.last_mut() {
                    last.blocks.end = blocks.end;
                }
                continue;
            }
            let from = self.gap(&mut units, at, from, blocks.start);
            units.push(Unit { from, to, blocks });
            at = to;
        }
        let rest = self.gap(&mut units, at, whole.to, next);
        if rest < whole.to {
            units.push(Unit { from: rest, to: whole.to, blocks: next..next });
        }
        units
    }

    /// Adds the lines between two blocks: leading blank lines to the unit before, the others as
    /// a unit of their own. Returns the first atom of the unit after them.
    fn gap(&self, units: &mut Vec<Unit>, mut from: usize, to: usize, block: u32) -> usize {
        if let Some(last) = units.last_mut() {
            while from < to && self.is_blank(from) {
                from += 1;
            }
            last.to = from;
        }
        if (from..to).all(|atom| self.is_blank(atom)) {
            return from;
        }
        units.push(Unit { from, to, blocks: block..block });
        to
    }

    /// Cuts a unit that does not fit, or a module, along the blocks inside it.
    fn cut_inside(&mut self, unit: Unit, owner: Option<u32>, head: &dyn Fn(usize) -> bool, depth: usize) {
        let Some(block) = (!unit.blocks.is_empty()).then(|| self.block(unit.blocks.start)).flatten() else {
            return self.cut_lines(unit.from, unit.to, owner, head(unit.from));
        };
        // Several blocks in one unit share a line, so the unit is cut between lines.
        if block.next < unit.blocks.end {
            return self.cut_lines(unit.from, unit.to, owner, head(unit.from));
        }
        let owner = if self.syntax.definitions.get(block.definition as usize).is_some() {
            Some(block.definition)
        } else {
            owner
        };
        let blocks = unit.blocks.start + 1..unit.blocks.end;
        self.cut_level(Unit { blocks, ..unit }, owner, depth + 1);
    }

    /// Cuts a range between lines, preferably at blank ones, into pieces of about equal size.
    fn cut_lines(&mut self, from: usize, to: usize, owner: Option<u32>, head: bool) {
        let mut at = from;
        let mut head = head;
        while at < to {
            let rest = self.atoms.tokens(at, to);
            let cut = if rest <= self.max { to } else { self.best_cut(at, to, rest) };
            self.pieces.push(Piece { from: at, to: cut, blocks: 0..0, owner, head });
            head = false;
            at = cut;
        }
    }

    /// Returns the best first atom of the next piece, where `rest` tokens remain.
    fn best_cut(&self, at: usize, to: usize, rest: u32) -> usize {
        let target = rest / rest.div_ceil(self.max).max(1);
        let mut best = (i64::MIN, at + 1);
        for cut in self.atoms.after_tokens(at, to, target / 2).max(at + 1)..to {
            let tokens = self.atoms.tokens(at, cut);
            if tokens > self.max {
                break;
            }
            let strength = if self.is_blank(cut) {
                0
            } else if self.is_blank(cut - 1) {
                3
            } else if self.atoms.line(cut) == self.atoms.line(cut - 1) {
                0
            } else {
                1 + i64::from(!self.is_indented(cut))
            };
            let distance = i64::from(tokens.abs_diff(target)) * 1000 / i64::from(target.max(1));
            best = best.max((strength * 1000 - distance, cut));
        }
        best.1
    }

    /// Emits the group, if there is one.
    fn flush(&mut self, group: Option<Unit>, owner: Option<u32>, head: &dyn Fn(usize) -> bool, first_piece: usize) {
        let Some(group) = group else { return };
        // Appends a few last lines, such as a closing bracket, to the piece before if they fit.
        if self.is_slight(&group)
            && self.pieces.len() > first_piece
            && let Some(last) = self.pieces.last_mut()
            && last.to == group.from
            && self.atoms.tokens(last.from, group.to) <= self.max
        {
            last.to = group.to;
            return;
        }
        self.emit(group, owner, head);
    }

    fn emit(&mut self, unit: Unit, owner: Option<u32>, head: &dyn Fn(usize) -> bool) {
        let head = head(unit.from);
        self.pieces.push(Piece { from: unit.from, to: unit.to, blocks: unit.blocks, owner, head });
    }

    fn block(&self, index: u32) -> Option<&Block> {
        self.syntax.blocks.get(index as usize)
    }

    /// Returns the kind of the definition that a unit starts with.
    fn definition(&self, unit: &Unit) -> Option<DefinitionKind> {
        let block = (!unit.blocks.is_empty()).then(|| self.block(unit.blocks.start)).flatten()?;
        Some(self.syntax.definitions.get(block.definition as usize)?.kind)
    }

    /// Whether a unit has no blocks and fewer than `min` tokens.
    fn is_slight(&self, unit: &Unit) -> bool {
        unit.blocks.is_empty() && self.tokens(unit) < self.min
    }

    fn tokens(&self, unit: &Unit) -> u32 {
        self.atoms.tokens(unit.from, unit.to)
    }

    fn bytes(&self, atom: usize) -> &[u8] {
        let range = self.atoms.start(atom) as usize..self.atoms.start(atom + 1) as usize;
        self.text.as_bytes().get(range).unwrap_or_default()
    }

    fn is_blank(&self, atom: usize) -> bool {
        self.bytes(atom).iter().all(u8::is_ascii_whitespace)
    }

    fn is_indented(&self, atom: usize) -> bool {
        self.bytes(atom).first().is_some_and(u8::is_ascii_whitespace)
    }
}

fn join(a: Unit, b: Unit) -> Unit {
    let blocks = match (a.blocks.is_empty(), b.blocks.is_empty()) {
        (true, _) => b.blocks,
        (_, true) => a.blocks,
        _ => a.blocks.start..b.blocks.end,
    };
    Unit { from: a.from, to: b.to, blocks }
}
