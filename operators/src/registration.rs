//! The operators of this crate, as a job file can name them.

use std::fmt::Display;
use std::path::Path;

use gristmill_pipeline::{AnyOperator, Operator};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::chunk::ChunkConfig;
use crate::embed::{HttpConfig, OnnxConfig, StaticConfig};
use crate::hash::HashConfig;
use crate::parse::ParseConfig;
use crate::read::ReadConfig;

/// The configuration type of an operator, which builds it.
///
/// It defines all that a job file needs to know of the operator: its parameters and their
/// defaults (`Deserialize`, `Default`), their documentation (`JsonSchema`), its name, and through
/// the type of the operator its ports.
pub trait OperatorConfig: DeserializeOwned + Default + JsonSchema + Send + Sync + 'static {
    /// The operator that it builds.
    type Operator: Operator + 'static;

    /// The name of the operator in job files.
    const NAME: &'static str;

    /// Builds the operator. Relative paths in the configuration are resolved against `folder`.
    ///
    /// # Errors
    /// If a parameter is invalid, or what it refers to cannot be used.
    fn build(&self, folder: &Path) -> Result<Self::Operator, OperatorConfigError>;

    /// Wraps the operator in its role, as the graph holds it.
    fn into_role(operator: Self::Operator) -> AnyOperator;
}

/// An operator could not be built from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OperatorConfigError {
    /// The parameter that caused the error, if a single one did.
    pub parameter: Option<&'static str>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl OperatorConfigError {
    /// Returns the error that `parameter` caused.
    pub fn of(parameter: &'static str, error: impl Display) -> Self {
        Self { parameter: Some(parameter), message: error.to_string() }
    }
}

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
