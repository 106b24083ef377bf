//! Merging sorted streams of entries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Entry;
use super::run::RunError;

/// A stream of ascending entries.
pub(in crate::lance) type Entries<'a> = Box<dyn Iterator<Item = Result<Entry, RunError>> + 'a>;

/// Merges streams: entries ascend, each with the index of its stream.
pub(in crate::lance) struct Merge<'a> {
    streams: Vec<Entries<'a>>,
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
    failed: Option<RunError>,
}

impl<'a> Merge<'a> {
    pub fn new(streams: Vec<Entries<'a>>) -> Self {
        let mut merge = Self { heads: BinaryHeap::with_capacity(streams.len()), streams, failed: None };
        (0..merge.streams.len()).for_each(|nth| merge.advance(nth));
        merge
    }

    fn advance(&mut self, nth: usize) {
        match self.streams.get_mut(nth).and_then(Iterator::next) {
            Some(Ok(entry)) => self.heads.push(Reverse((entry, nth))),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<(Entry, usize), RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.heads.clear();
            return Some(Err(error));
        }
        let Reverse((entry, nth)) = self.heads.pop()?;
        self.advance(nth);
        Some(Ok((entry, nth)))
    }
}
