//! The sinks of this crate, as a job file can name them.

use gristmill_pipeline::SinkConfig;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{ArrowConfig, LanceConfig, TantivyConfig};

/// Takes configuration types of sinks, one by one: implemented by whatever turns job files
/// into graphs.
///
/// A configuration type says all that there is to know of its sink: the parameters and their
/// defaults (`Deserialize`, `Default`), their documentation (`JsonSchema`), and the name, the
/// ports and the store ([`SinkConfig`]).
pub trait SinkRegistry: Sized {
    /// Adds the sink that `C` configures; `summary` says in a sentence what it does.
    #[must_use]
    fn sink<C: SinkConfig + DeserializeOwned + Default + JsonSchema + 'static>(self, summary: &'static str) -> Self;
}

/// Registers every sink of this crate.
#[must_use]
pub fn register<R: SinkRegistry>(registry: R) -> R {
    registry
        .sink::<LanceConfig>("Stores rows in Lance tables.")
        .sink::<TantivyConfig>("Stores chunks in a full-text index.")
        .sink::<ArrowConfig>("Writes what each epoch adds to an Arrow IPC file.")
}
