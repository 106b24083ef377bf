//! Numbers of stages and lanes in a checked graph.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! indices {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u16);

        impl $name {
            /// The most that a graph may have.
            pub const MAX: usize = u16::MAX as usize;

            /// The id of this index, which is at most [`MAX`](Self::MAX).
            #[must_use]
            pub const fn new(index: usize) -> Self {
                debug_assert!(index <= Self::MAX);
                Self(index as u16)
            }

            /// The index.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

indices! {
    /// A stage of a checked graph.
    StageId;
    /// A stage whose chunks are embedded or stored.
    ChunkLaneId;
    /// A stage whose vectors are stored.
    EmbedLaneId;
}
