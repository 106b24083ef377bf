//! Paths of names while a file is bound: interned, so that a use costs no allocation.

use std::borrow::Cow;

use foldhash::HashMap;
use gristmill_pipeline::port::{Anchor, NamePath};

/// A path of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathId(u32);

/// Limit on the names of a path: real ones are short, and what makes long ones is generated.
const MAX_NAMES: u8 = 12;

/// What an expression stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    kind: Kind,
    /// How many layers of containers are around it: 1 for a list of what the path gives.
    wraps: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    Local,
    Path(PathId),
}

impl Value {
    /// It is not known.
    pub const UNKNOWN: Self = Self { kind: Kind::Unknown, wraps: 0 };
    /// Something local, which no definition stands for.
    pub const LOCAL: Self = Self { kind: Kind::Local, wraps: 0 };

    /// What a path leads to, or a value of the type that it leads to.
    pub const fn of(path: PathId) -> Self {
        Self { kind: Kind::Path(path), wraps: 0 }
    }

    /// A container of such values.
    pub const fn wrapped(self) -> Self {
        Self { kind: self.kind, wraps: self.wraps.saturating_add(1) }
    }

    /// An element, where this is a container.
    pub const fn unwrapped(self) -> Option<Self> {
        match self.wraps {
            0 => None,
            wraps => Some(Self { kind: self.kind, wraps: wraps - 1 }),
        }
    }

    /// The path, whatever is around it.
    pub const fn path(self) -> Option<PathId> {
        match self.kind {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The number of containers around it.
    pub const fn wraps(self) -> u8 {
        self.wraps
    }

    /// The path, if nothing is around it.
    pub const fn plain(self) -> Option<PathId> {
        match (self.kind, self.wraps) {
            (Kind::Path(path), 0) => Some(path),
            _ => None,
        }
    }

    /// This value, or the other if this is not known.
    pub const fn or(self, other: Self) -> Self {
        match self.kind {
            Kind::Path(_) => self,
            _ => other,
        }
    }
}

/// A node of the tree of paths.
#[derive(Clone, Copy)]
enum Step<'t> {
    Root(Anchor),
    Below(PathId, &'t str, u8),
    /// What a block declares of that name; no name of a program leads to it.
    Block(PathId, usize, u8),
}

/// All paths of a file.
#[derive(Default)]
pub(super) struct Paths<'t> {
    steps: Vec<Step<'t>>,
    roots: HashMap<Anchor, PathId>,
    known: HashMap<(PathId, &'t str), PathId>,
}

impl<'t> Paths<'t> {
    /// The path without names.
    pub fn root(&mut self, anchor: Anchor) -> PathId {
        if let Some(root) = self.roots.get(&anchor) {
            return *root;
        }
        let root = self.push(Step::Root(anchor));
        self.roots.insert(anchor, root);
        root
    }

    /// The path of a name below another. One that would become too long stays as it is.
    pub fn below(&mut self, path: PathId, name: &'t str) -> PathId {
        if let Some(known) = self.known.get(&(path, name)) {
            return *known;
        }
        let length = match self.steps.get(path.0 as usize) {
            Some(Step::Below(_, _, length) | Step::Block(_, _, length)) => *length,
            _ => 0,
        };
        if length >= MAX_NAMES {
            return path;
        }
        let below = self.push(Step::Below(path, name, length + 1));
        self.known.insert((path, name), below);
        below
    }

    /// A path of its own for what leads to the same place as another; `number` tells it from others.
    pub fn block(&mut self, path: PathId, number: usize) -> PathId {
        let length = match self.steps.get(path.0 as usize) {
            Some(Step::Below(_, _, length) | Step::Block(_, _, length)) => *length,
            _ => 0,
        };
        self.push(Step::Block(path, number, length + 1))
    }

    fn push(&mut self, step: Step<'t>) -> PathId {
        let id = PathId(u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(step);
        id
    }

    /// Whether that is the path without names that begins so.
    pub fn is_root(&self, path: Option<PathId>, anchor: Anchor) -> bool {
        path.is_some() && self.roots.get(&anchor).copied() == path
    }

    /// The path above, and the last name.
    pub fn parent(&self, path: PathId) -> Option<(PathId, &'t str)> {
        match self.steps.get(path.0 as usize)? {
            Step::Root(_) | Step::Block(..) => None,
            Step::Below(above, name, _) => Some((*above, name)),
        }
    }

    /// Where a path begins.
    pub fn anchor(&self, path: PathId) -> Option<Anchor> {
        let mut at = path;
        loop {
            match self.steps.get(at.0 as usize)? {
                Step::Root(anchor) => return Some(*anchor),
                Step::Below(above, ..) => at = *above,
                Step::Block(..) => return None,
            }
        }
    }

    /// The path of the definition with that key; `None` if no path leads to it.
    pub fn of_key(&mut self, key: &'t NamePath) -> Option<PathId> {
        let mut path = self.root(key.anchor()?);
        let names = key.names().count() - usize::from(key.linked().1.is_some());
        for name in key.names().take(names) {
            path = self.below(path, name);
        }
        Some(path)
    }

    /// The path as it is written.
    pub fn written(&self, path: PathId) -> NamePath {
        let (mut at, mut names) = (path, Vec::<Cow<'_, str>>::new());
        loop {
            match self.steps.get(at.0 as usize) {
                Some(Step::Below(above, name, _)) => {
                    names.push(Cow::Borrowed(name));
                    at = *above;
                }
                Some(Step::Block(above, number, _)) => {
                    names.push(format!("{{{number}}}").into());
                    at = *above;
                }
                Some(Step::Root(anchor)) => return NamePath::new(*anchor, names.iter().rev().map(AsRef::as_ref)),
                None => return NamePath::UNKNOWN,
            }
        }
    }
}
