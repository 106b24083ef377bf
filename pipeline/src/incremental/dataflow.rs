//! The dataflow program itself, the same on every worker.

use std::cell::RefCell;
use std::rc::Rc;

use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use differential_dataflow::trace::implementations::{ValBuilder, ValSpine};
use timely::dataflow::Scope;
use timely::dataflow::operators::probe::Handle as Probe;

use super::{ChunkFact, Deltas, Difference, Facts, PassageId, PassageLane};
use crate::hash::Key;

/// The plane's clock: one tick a round.
pub(super) type Tick = u64;

/// One worker's ends of the dataflow.
pub(super) struct Ends {
    files: InputSession<Tick, (Key, Key), Difference>,
    analysed: InputSession<Tick, Key, Difference>,
    chunks: InputSession<Tick, (Key, ChunkFact), Difference>,
    found: Rc<RefCell<Deltas>>,
    pub(super) probe: Probe<Tick>,
}

impl Ends {
    /// Enters facts at the current tick, and moves on to the next.
    pub(super) fn enter(&mut self, facts: Facts) -> Tick {
        for (fact, difference) in facts.files {
            self.files.update(fact, difference);
        }
        for (fact, difference) in facts.analysed {
            self.analysed.update(fact, difference);
        }
        for (fact, difference) in facts.chunks {
            self.chunks.update(fact, difference);
        }
        let next = self.files.time() + 1;
        // An input that advances but does not flush holds everything back.
        self.files.advance_to(next);
        self.files.flush();
        self.analysed.advance_to(next);
        self.analysed.flush();
        self.chunks.advance_to(next);
        self.chunks.flush();
        next
    }

    /// What has come out since the last call.
    pub(super) fn take(&self) -> Deltas {
        self.found.take()
    }
}

pub(super) fn build(scope: Scope<'_, Tick>, lanes: &[PassageLane]) -> Ends {
    let (mut files, mut analysed, mut chunks) = (InputSession::new(), InputSession::new(), InputSession::new());
    let found = Rc::new(RefCell::new(Deltas::default()));
    let mut probe = Probe::new();

    let holders = files.to_collection(scope).arrange_by_key_named("paths by content");
    let analysed_contents = analysed.to_collection(scope);
    let chunks_by_content = chunks.to_collection(scope).arrange_by_key_named("chunks by content");

    let wanted = holders
        .clone()
        .reduce_abelian::<_, ValBuilder<_, _, _, _>, ValSpine<Key, Key, _, _>, _, _>(
            "least path of each content",
            |_content, paths: &[(&Key, Difference)], least: &mut Vec<(Key, Difference)>| {
                if let Some((path, _)) = paths.first() {
                    least.push((**path, 1));
                }
            },
            |updates, content, least| {
                updates.clear();
                updates.extend(least.drain(..).map(|(path, time, difference)| ((*content, path), time, difference)));
            },
        )
        .as_collection(|content, path| (*content, *path))
        .antijoin(analysed_contents.clone());
    collect(wanted, &found, &mut probe, |found| &mut found.contents);

    let analysed_contents = analysed_contents.arrange_by_self_named("analysed contents");
    let rows = holders.clone().join_core(analysed_contents, |content, path, ()| Some((*path, *content)));
    collect(rows, &found, &mut probe, |found| &mut found.rows);

    let lanes = lanes.to_vec();
    let passages = holders
        .join_core(chunks_by_content, move |_content, path, chunk| passages_of(&lanes, *path, *chunk))
        .distinct();
    collect(passages, &found, &mut probe, |found| &mut found.passages);

    Ends { files, analysed, chunks, found, probe }
}

/// The passages that one chunk is for the embed lanes of its chunk lane.
fn passages_of(lanes: &[PassageLane], path: Key, chunk: ChunkFact) -> Vec<PassageId> {
    let of_lane = |(lane, shape): (usize, &PassageLane)| {
        (shape.chunk_lane == chunk.lane).then(|| {
            let header = if shape.path_in_header { path } else { 0 };
            PassageId { lane: lane as u16, header, body: chunk.body }
        })
    };
    lanes.iter().enumerate().filter_map(of_lane).collect()
}

/// Adds every change of `collection` to a list of deltas, under the shared probe.
fn collect<D: differential_dataflow::ExchangeData + std::hash::Hash>(
    collection: VecCollection<'_, Tick, D, Difference>,
    found: &Rc<RefCell<Deltas>>,
    probe: &mut Probe<Tick>,
    list: fn(&mut Deltas) -> &mut Vec<(D, Difference)>,
) {
    let found = Rc::clone(found);
    collection
        .consolidate()
        .inspect(move |(fact, _tick, difference)| list(&mut found.borrow_mut()).push((fact.clone(), *difference)))
        .probe_with(probe);
}
