//! The operators of this crate, as a job file can name them.

use gristmill_pipeline::OperatorConfig;

use crate::chunk::ChunkConfig;
use crate::embed::{HttpConfig, OnnxConfig, StaticConfig};
use crate::hash::HashConfig;
use crate::parse::ParseConfig;
use crate::read::ReadConfig;

/// Takes configuration types of operators, one by one: implemented by whatever turns job files
/// into graphs.
pub trait OperatorRegistry: Sized {
    /// Adds the operator that `C` configures; `summary` says in a sentence what it does.
    #[must_use]
    fn operator<C: OperatorConfig>(self, summary: &'static str) -> Self;
}

/// Registers every operator of this crate.
#[must_use]
pub fn register<R: OperatorRegistry>(registry: R) -> R {
    registry
        .operator::<ReadConfig>("Reads and decodes files.")
        .operator::<HashConfig>("Rejects files that changed since the scan.")
        .operator::<ParseConfig>("Finds definitions, references, imports and blocks.")
        .operator::<ChunkConfig>("Cuts texts into chunks.")
        .operator::<StaticConfig>("Embeds chunks with a static token table.")
        .operator::<OnnxConfig>("Embeds chunks with an ONNX model.")
        .operator::<HttpConfig>("Embeds chunks with a model on an OpenAI-compatible server.")
}
