//! What continuations begin at.

use gristmill_ids::{NameKey, PathKey};
use gristmill_plane::{ChainKey, LeadFact, LeadKind, MAX_THEN, NameChain, Place, Root, short_name};
use serde::{Deserialize, Serialize};

use super::position::{Continuation, Way};

/// A continuation, and the path of names that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Source {
    /// The key of where the path begins.
    pub at: ChainKey,
    /// Its names.
    pub names: NameChain,
    /// How it goes on.
    pub continuation: Continuation,
    /// Whether it leads from a place to another, with nothing between.
    pub is_between_places: bool,
    /// Whether it adds something to what is found through imports of all names.
    pub is_found: bool,
}

impl Source {
    /// A continuation of what a file imports, or of a member of a unit.
    pub fn new(place: NameKey, names: NameChain, continuation: Continuation) -> Self {
        let is_between_places = names.is_empty();
        Self { at: ChainKey::of(place), names, continuation, is_between_places, is_found: true }
    }

    /// The continuations that a lead stands for in a file.
    pub fn of_lead(place: Place, lead: LeadFact) -> impl Iterator<Item = Self> {
        let way = Way::Lead(lead.kind);
        let (unit, names) = (ChainKey::of(place.unit), lead.from);
        let (first, second) = match lead.to_root {
            Root::Free => (Some(unit), Some(ChainKey::of(place.path.into())).filter(|file| *file != unit)),
            root => (root_key(place, root), None),
        };
        let is_between_places = lead.from_root != Root::Target && names.is_empty() && lead.to.is_empty();
        // What other files hold of a scope. A unit of several files has it all already, and whoever
        // came through imports has those files.
        let reopens = lead.kind == LeadKind::All
            && matches!(lead.from_root, Root::Unit | Root::Package)
            && lead.to_root == Root::Free
            && lead.then != [0; MAX_THEN];
        let is_of_file = place.unit == place.path.into();
        let is_found = lead.from_root != Root::Target && !reopens;
        let to = first.into_iter().chain(second);
        root_key(place, lead.from_root).filter(|_| is_of_file || !reopens).into_iter().flat_map(move |at| {
            to.clone().map(move |to| {
                let continuation = Continuation { to: to.join(lead.to), then: lead.then, way };
                Self { at, names, continuation, is_between_places, is_found }
            })
        })
    }

    /// The place that it imports whole, if that is what it does.
    pub fn imports_all(&self) -> Option<ChainKey> {
        let Continuation { to, then, way } = self.continuation;
        let is_plain = self.is_between_places && then.iter().all(|name| *name == 0);
        (is_plain && way == Way::Lead(LeadKind::All)).then_some(to)
    }

    /// The key of the path.
    pub fn key(&self) -> ChainKey {
        self.at.join(self.names)
    }
}

/// The key of where paths with that root begin in a file; `None` where there is more than one
/// such place, or none.
pub(crate) fn root_key(place: Place, root: Root) -> Option<ChainKey> {
    match root {
        Root::File => Some(ChainKey::of(place.path.into())),
        Root::Unit => Some(ChainKey::of(place.unit)),
        Root::Package => (place.package != NameKey::NONE).then(|| ChainKey::of(place.package)),
        // No path of names begins with a space, so that no name of the file has this key.
        Root::Target => Some(ChainKey::of(place.path.into()).below(short_name(" "))),
        Root::None | Root::Free => None,
    }
}

/// Half of the [key](target_key) of a use.
pub(crate) type UseKey = u64;

/// The key of a use: of all that are bound to the same in one file.
pub(crate) fn target_key(path: PathKey, target: NameKey) -> ChainKey {
    ChainKey::of(path.into()).below(short_name(" ")).target(target)
}
