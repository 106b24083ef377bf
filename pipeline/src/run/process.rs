//! One epoch from its diff to complete sinks: hydrate, then drive. A run commits what comes
//! of it; a forecast has sinks that count.

use std::sync::Arc;

use gristmill_plane::{Derive, FactPlane, PassageIdentity, PassageLane, PlaneConfig};
use gristmill_views::ViewSet;

use super::base::Base;
use super::epoch::{EpochDriver, EpochOutcome, History, Parts, VectorLog};
use super::facts::FactMaker;
use super::hydrate::{Entered, Hydrated};
use super::memory::MemoryWatch;
use super::sinks::{SinkHandle, WritingSinks, vector_store};
use super::views::ViewChanges;
use super::{RunError, RunPlan};
use crate::execute::{Budget, Executor};
use crate::graph::Graph;
use crate::index::{IndexFolder, SharedVectors};
use crate::merkle::Diff;
use crate::port::Header;
use crate::source::Source;

/// The fact plane of an index, with what it knows.
pub(super) struct Knowledge<'g> {
    plane: FactPlane,
    lanes: Vec<PassageLane>,
    hydrated: Hydrated,
    pub(super) maker: FactMaker<'g>,
}

impl<'g> Knowledge<'g> {
    /// A plane for the job that knows nothing.
    pub(super) fn start(plan: &RunPlan<'g>, sinks: &[SinkHandle]) -> Result<Self, RunError> {
        let lanes = passage_lanes(plan.graph, sinks);
        let plane = start_plane(plan, &lanes)?;
        Ok(Self { plane, lanes, hydrated: Hydrated::default(), maker: FactMaker::new(plan.graph, plan.views) })
    }

    /// Forgets everything.
    pub(super) fn restart(&mut self, plan: &RunPlan<'g>) -> Result<(), RunError> {
        self.plane = start_plane(plan, &self.lanes)?;
        self.hydrated = Hydrated::default();
        Ok(())
    }

    /// The plane, for its measures.
    pub(super) fn plane(&self) -> &FactPlane {
        &self.plane
    }
}

fn start_plane(plan: &RunPlan<'_>, lanes: &[PassageLane]) -> Result<FactPlane, RunError> {
    let views = (!plan.views.is_empty()).then(|| ViewSet(plan.views.to_vec()));
    Ok(FactPlane::start(PlaneConfig {
        workers: plan.plane_workers,
        lanes: lanes.to_vec(),
        derived: views.map(|views| Arc::new(views) as Arc<dyn Derive>),
        broken: plan.broken_plane,
    })?)
}

fn passage_lanes(graph: &Graph, sinks: &[SinkHandle]) -> Vec<PassageLane> {
    let lanes = graph.embed_lanes().iter().map(|lane| PassageLane {
        lane: lane.id,
        chunk_lane: lane.chunk_lane,
        identity: match graph.chunk_lane(lane.chunk_lane).header {
            // Once its row is gone, nobody knows the vector any more.
            _ if vector_store(sinks, lane.id).is_none() => PassageIdentity::Row,
            Header::Path => PassageIdentity::Path,
            Header::Scope | Header::None => PassageIdentity::Body,
        },
    });
    lanes.collect()
}

/// What an epoch is made with.
pub(super) struct EpochRun<'a, 'g, L> {
    pub(super) plan: &'a RunPlan<'g>,
    pub(super) source: &'a dyn Source,
    pub(super) knowledge: &'a mut Knowledge<'g>,
    pub(super) sinks: &'a mut WritingSinks,
    pub(super) folder: &'a IndexFolder,
    pub(super) base: Option<&'a mut Base>,
    /// The vectors of this epoch, by embedding space.
    pub(super) logs: &'a mut [L],
    /// Vectors shared with other indexes, by embedding space; empty if nothing is shared.
    pub(super) shared: &'a mut [SharedVectors],
    pub(super) budget: Budget,
    /// Watches the memory of the process; a forecast takes little.
    pub(super) memory: Option<&'a MemoryWatch>,
    pub(super) executor: Box<dyn Executor>,
    pub(super) workers: usize,
}

/// What came of an epoch.
pub(super) struct Processed {
    pub(super) outcome: EpochOutcome,
    pub(super) views: ViewChanges,
    /// Facts that the plane was loaded with before the diff entered.
    pub(super) loaded: u64,
}

impl<L: VectorLog> EpochRun<'_, '_, L> {
    /// Loads what the plane lacks, then takes the diff through both planes. `hydrated` is
    /// called between the two.
    pub(super) fn process(self, diff: &Diff, hydrated: impl FnOnce()) -> Result<Processed, RunError> {
        let Self { plan, source, knowledge, sinks, folder, base, logs, shared, budget, memory, executor, workers } =
            self;
        let Knowledge { plane, lanes, hydrated: known, maker } = knowledge;
        let mut views = ViewChanges::of(plan.views, base.as_deref());
        let Entered { facts: loaded, stored } = match base.as_deref() {
            Some(base) => known.load(plan.graph, base, diff, maker, sinks)?.enter(plane, &mut views)?,
            None => Entered::default(),
        };
        hydrated();
        let is_everything = base.as_deref().is_none_or(|base| !base.same_rows);
        let driver = EpochDriver::new(Parts {
            graph: plan.graph,
            source,
            meters: plan.meters,
            interrupt: plan.interrupt,
            plane,
            lanes,
            hydrated: known,
            maker,
            views: &mut views,
            executor,
            workers,
            budget,
            memory,
            sinks,
            logs,
            shared,
            history: History::new(plan.graph, base, folder, stored),
        });
        let outcome = driver.run(diff)?;
        known.entered(is_everything, &outcome.entered);
        Ok(Processed { outcome, views, loaded })
    }
}
