//! Positions of a search, and the steps from one to the next.

use std::iter;

use gristmill_plane::{ChainKey, LeadKind, MAX_THEN, NameChain, ShortName};
use serde::{Deserialize, Serialize};

use super::Evidence;

/// Limit on the names that are left at a position.
const MAX_LEFT: usize = 8;

/// Limit on the steps of a search.
pub(super) const MAX_STEPS: u8 = 24;

/// What an answer costs that came through `*`, from a base, or from another file of the package.
const DETOUR: u8 = 1;

/// Names that are left; 0 ends them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Left([ShortName; MAX_LEFT]);

impl Left {
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.first().is_none()
    }

    fn count(self) -> u8 {
        self.0.iter().zip(0..).find(|(name, _)| **name == 0).map_or(MAX_LEFT as u8, |(_, count)| count)
    }

    fn first(self) -> Option<ShortName> {
        self.0.first().copied().filter(|name| *name != 0)
    }

    /// The names after the first.
    fn rest(self) -> Self {
        let mut rest = Self::default();
        for (to, from) in rest.0.iter_mut().zip(self.0.iter().skip(1)) {
            *to = *from;
        }
        rest
    }

    /// The names of `then` before these; `None` if they are too many.
    fn after(self, then: &[ShortName]) -> Option<Self> {
        let mut joined = Self::default();
        let mut slots = joined.0.iter_mut();
        for name in then.iter().chain(&self.0).filter(|name| **name != 0) {
            *slots.next()? = *name;
        }
        Some(joined)
    }

    /// The chains of one, two and more of these names, each with the names that are left after it.
    pub fn heads(self) -> impl Iterator<Item = (NameChain, Self)> {
        iter::successors(Some((NameChain::default(), self)), |(chain, left)| {
            Some((chain.then(left.first()?), left.rest()))
        })
        .skip(1)
    }
}

/// What was reached, and the names that are left.
pub(super) type Position = (ChainKey, Left);

/// How a position was reached: the least is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Trail {
    pub cost: u8,
    pub evidence: Evidence,
    steps: u8,
    /// How many names were left when the search went on to a base. While more are left, the base is
    /// not found yet, and is not looked for in other bases, which would nest without end.
    before_base: u8,
}

impl Trail {
    pub const START: Self = Self { cost: 0, evidence: Evidence::Scope, steps: 0, before_base: u8::MAX };

    fn further(self, evidence: Evidence) -> Option<Self> {
        self.many(1, 0, evidence)
    }

    /// The trail after a step that costs.
    fn detour(self, evidence: Evidence) -> Option<Self> {
        self.many(1, DETOUR, evidence)
    }

    fn many(self, steps: u8, cost: u8, evidence: Evidence) -> Option<Self> {
        let steps = self.steps.checked_add(steps).filter(|steps| *steps <= MAX_STEPS)?;
        Some(Self { cost: self.cost.saturating_add(cost), evidence: self.evidence.max(evidence), steps, ..self })
    }

    /// The trail that goes on to a base, where these names are looked up.
    fn to_base(self, left: Left) -> Option<Self> {
        let names = left.count();
        let trail = self.detour(Evidence::Inherited)?;
        (names <= self.before_base).then_some(Self { before_base: names, ..trail })
    }

    /// The trail after `hops` imports of all names.
    pub fn through(self, hops: u8) -> Option<Self> {
        self.many(hops, hops.saturating_mul(DETOUR), Evidence::Package)
    }

    /// The trail after `names` names were looked up.
    pub fn below(self, names: usize) -> Option<Self> {
        self.many(u8::try_from(names).ok()?, 0, Evidence::Qualifier)
    }
}

/// How a path of names goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Way {
    /// By a lead, or an import.
    Lead(LeadKind),
    /// Through so many imports of all names.
    Through(u8),
    /// Through imports of all names, to so many places that they are found by the names that
    /// they define.
    Anywhere,
}

/// Where a path of names goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Continuation {
    /// The key of where it goes on.
    pub to: ChainKey,
    /// Names to look up there before those that are left.
    pub then: [ShortName; MAX_THEN],
    /// How.
    pub way: Way,
}

/// What a continuation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Next {
    /// A position.
    At(Position, Trail),
    /// All places that some place imports whole, which have these names.
    Anywhere(Position, Trail),
}

/// The name that stands for a call.
#[derive(Clone, Copy)]
pub(super) struct Call(pub ShortName);

impl Call {
    /// What a continuation leads to from a position.
    pub fn follow(self, (key, left): Position, trail: Trail, continuation: &Continuation) -> Option<Next> {
        let at_end = left.is_empty();
        // What is imported whole has names, and is not called.
        let is_name = left.first().is_some_and(|name| name != self.0);
        let trail = match (continuation.way, trail.evidence) {
            (Way::Anywhere, _) => return is_name.then_some(Next::Anywhere((key, left), trail)),
            (Way::Through(hops), _) => trail.through(hops).filter(|_| is_name)?,
            (Way::Lead(LeadKind::All), _) if !is_name => return None,
            // A use of a variable means the variable, not its type.
            (Way::Lead(LeadKind::Type | LeadKind::Base), _) if at_end => return None,
            (Way::Lead(LeadKind::Alias), evidence) => trail.further(evidence)?,
            (Way::Lead(LeadKind::Free), _) => trail.further(Evidence::Package)?,
            (Way::Lead(LeadKind::Import), Evidence::Import) => trail.further(Evidence::ReExport)?,
            (Way::Lead(LeadKind::Import), _) => trail.further(Evidence::Import)?,
            (Way::Lead(LeadKind::Type), _) => trail.further(Evidence::Receiver)?,
            (Way::Lead(LeadKind::Base), _) => trail.to_base(left)?,
            (Way::Lead(LeadKind::All | LeadKind::Link), _) => trail.detour(Evidence::Package)?,
        };
        Some(Next::At((continuation.to, left.after(&continuation.then)?), trail))
    }

    /// A position and those below it: that of the first name that is left, that of the second below
    /// it, and so on; and, as a call of a class gives a value of it, those without a call.
    pub fn descents(self, position: Position, trail: Trail) -> impl Iterator<Item = (Position, Trail)> {
        let (mut here, mut aside) = (Some((position, trail)), Vec::new());
        iter::from_fn(move || {
            let ((key, left), trail) = here.take().or_else(|| aside.pop())?;
            if let Some(name) = left.first() {
                let rest = left.rest();
                here = trail.below(1).map(|trail| ((key.below(name), rest), trail));
                aside.extend(self.called((key, left), trail));
            }
            Some(((key, left), trail))
        })
    }

    /// What is left at a position without the call that comes first.
    pub fn called(self, (key, left): Position, trail: Trail) -> Option<(Position, Trail)> {
        let is_call = left.first() == Some(self.0);
        trail.detour(Evidence::Receiver).filter(|_| is_call).map(|trail| ((key, left.rest()), trail))
    }
}
