//! The dataflow program itself, the same on every worker.

use std::cell::RefCell;
use std::rc::Rc;

use differential_dataflow::VecCollection;
use differential_dataflow::input::InputSession;
use differential_dataflow::operators::ThresholdTotal;
use differential_dataflow::trace::implementations::{ValBuilder, ValSpine};
use gristmill_ids::{ContentKey, PathKey};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;
use timely::dataflow::operators::probe::{Handle as Probe, Probe as _};

use super::{
    Broken, ChunkFact, ContentFact, Deltas, Difference, Facts, ImportFact, LiveFacts, PassageId, PassageLane, PathFact,
    Place, PlaneConfig, RowFact,
};

/// The plane's clock: one tick a round.
pub type Tick = u64;

type Input<D> = InputSession<Tick, D, Difference>;

/// One worker's ends of the dataflow.
pub(super) struct Ends {
    files: Input<(ContentKey, Place)>,
    analysed: Input<ContentKey>,
    contents: Input<(ContentKey, ContentFact)>,
    paths: Input<(PathKey, PathFact)>,
    imports: Input<(RowFact, ImportFact)>,
    found: Rc<RefCell<Deltas>>,
    pub(super) probe: Probe<Tick>,
}

/// Enters facts at the current tick and moves on to the next. An input that advances but
/// does not flush holds everything back.
fn enter<D: differential_dataflow::Data>(input: &mut Input<D>, facts: Vec<(D, Difference)>, next: Tick) {
    for (fact, difference) in facts {
        input.update(fact, difference);
    }
    input.advance_to(next);
    input.flush();
}

impl Ends {
    /// Enters facts at the current tick, and moves on to the next.
    pub(super) fn enter(&mut self, facts: Facts) -> Tick {
        let next = self.files.time() + 1;
        enter(&mut self.files, facts.files, next);
        enter(&mut self.analysed, facts.analysed, next);
        enter(&mut self.contents, facts.contents, next);
        enter(&mut self.paths, facts.paths, next);
        enter(&mut self.imports, facts.imports, next);
        next
    }

    /// What has come out since the last call.
    pub(super) fn take(&self) -> Deltas {
        self.found.take()
    }
}

pub(super) fn build(scope: Scope<'_, Tick>, config: &PlaneConfig) -> Ends {
    let PlaneConfig { lanes, derived, broken, .. } = config;
    let (mut files, mut analysed, mut contents) = (Input::new(), Input::new(), Input::new());
    let (mut paths, mut imports) = (Input::new(), Input::new());
    let found = Rc::new(RefCell::new(Deltas::default()));
    let probe = Probe::new();

    let holders = files.to_collection(scope).arrange_by_key_named("places by content");
    let analysed_contents = analysed.to_collection(scope);
    let analysed_keys = analysed_contents.clone().arrange_by_self_named("analysed contents");
    let facts = contents.to_collection(scope).arrange_by_key_named("facts by content");

    let least = holders.clone().reduce_abelian::<_, ValBuilder<_, _, _, _>, ValSpine<ContentKey, PathKey, _, _>, _, _>(
        "least path of each content",
        |_content, places: &[(&Place, Difference)], least: &mut Vec<(PathKey, Difference)>| {
            if let Some((place, _)) = places.first() {
                least.push((place.path, 1));
            }
        },
        |updates, content, least| {
            updates.clear();
            updates.extend(least.drain(..).map(|(path, time, difference)| ((*content, path), time, difference)));
        },
    );
    // Contents that are held and analysed, once each: what is left of either is wanted or dead.
    let both = least.clone().join_core(analysed_keys.clone(), |content, path, ()| Some((*content, *path))).negate();
    let wanted = least.as_collection(|content, path| (*content, *path)).concat(both.clone());
    collect(wanted, &found, &probe, |found| &mut found.contents);

    let dead = analysed_contents.concat(both.map(|(content, _)| content));
    let dead_keys = dead.clone().arrange_by_self_named("dead contents");
    let dead_facts = facts.clone().join_core(dead_keys, |content, fact, ()| Some((*content, *fact)));
    collect(dead, &found, &probe, |found| &mut found.dead);
    collect(dead_facts, &found, &probe, |found| &mut found.dead_facts);

    let rows = holders
        .clone()
        .join_core(analysed_keys, |content, place, ()| Some(RowFact { path: place.path, content: *content }));
    collect(rows.clone(), &found, &probe, |found| &mut found.rows);

    let of_rows = holders.join_core(facts, |content, place, fact| Some((*content, *place, *fact)));
    let lanes = lanes.clone();
    let passages = of_rows.clone().flat_map(move |(content, place, fact)| match fact {
        ContentFact::Chunk(chunk) => passages_of(&lanes, RowFact { path: place.path, content }, chunk),
        _ => Vec::new(),
    });
    let passages = match broken {
        None => passages.threshold_total(distinct),
        Some(Broken::PassagesRepeat) => passages,
        Some(Broken::PassagesMissing) => passages.filter(|_| false),
    };
    collect(passages, &found, &probe, |found| &mut found.passages);

    let (paths_in, imports_in) = (paths.to_collection(scope), imports.to_collection(scope));
    if let Some(program) = derived {
        let live = imports_in.clone().semijoin(rows.clone());
        let stale = imports_in.concat(live.clone().negate());
        collect(stale, &found, &probe, |found| &mut found.dead_imports);
        let of_places = of_rows.map(|(_, place, fact)| (place, fact));
        let facts = LiveFacts { rows, contents: of_places, paths: paths_in, imports: live };
        collect(program.derive(facts), &found, &probe, |found| &mut found.derived);
    }
    Ends { files, analysed, contents, paths, imports, found, probe }
}

/// The threshold that makes a collection distinct: 1 for what is there, 0 for what is not.
///
/// `facts.threshold_total(distinct)` gives what `facts.distinct()` does, but needs a clock of
/// which any two times compare, as ticks do. It then keeps its input alone and compares the
/// counts before and after each change, where `distinct` is a `reduce`: that keeps its output
/// too, and takes several times as long to compile. `distinct_total()` is no substitute: in
/// differential-dataflow 0.25.1 it gives 1 for a count of 0 as well, so nothing is ever retracted.
#[must_use]
pub fn distinct<D>(_fact: &D, count: &Difference) -> Difference {
    Difference::from(*count != 0)
}

/// The passages that one chunk of a row is for the embed lanes of its chunk lane.
fn passages_of(lanes: &[PassageLane], row: RowFact, chunk: ChunkFact) -> Vec<PassageId> {
    let of_chunk = lanes.iter().filter(|lane| lane.chunk_lane == chunk.lane);
    of_chunk.map(|lane| lane.passage(row, chunk.body)).collect()
}

/// Adds every change of `collection` to a list of deltas, under the shared probe. The caller that takes
/// the deltas consolidates them: an operator for that would exchange and index every output first.
fn collect<D: differential_dataflow::Data>(
    collection: VecCollection<'_, Tick, D, Difference>,
    found: &Rc<RefCell<Deltas>>,
    probe: &Probe<Tick>,
    list: fn(&mut Deltas) -> &mut Vec<(D, Difference)>,
) {
    let found = Rc::clone(found);
    let taken = collection.inner.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(Pipeline, "Collect", |_, _| {
        move |input, _nothing| {
            input.for_each(|_tick, changes| {
                let changes = changes.drain(..).map(|(fact, _tick, difference)| (fact, difference));
                list(&mut found.borrow_mut()).extend(changes);
            });
        }
    });
    taken.probe_with(probe);
}

#[cfg(test)]
mod tests {
    use differential_dataflow::input::Input as _;

    use super::*;

    #[test]
    fn distinct_retracts_what_is_gone() {
        let (sender, changes) = std::sync::mpsc::channel();
        timely::execute_directly(move |worker| {
            let mut facts = worker.dataflow(|scope| {
                let (input, facts) = scope.new_collection();
                facts.threshold_total(distinct).inspect(move |change| sender.send(*change).expect("is received"));
                input
            });
            for (tick, difference) in (1..).zip([1, 1, -2, 1]) {
                enter(&mut facts, vec![(7_u8, difference)], tick);
            }
        });
        assert_eq!(changes.iter().collect::<Vec<_>>(), [(7, 0, 1), (7, 2, -1), (7, 3, 1)]);
    }
}
