//! What builds an operator: its configuration.

use std::fmt::Display;
use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{AnyOperator, Operator};

/// The configuration type of an operator, which builds it.
///
/// It defines all that a job file needs to know of the operator: its parameters and their
/// defaults (`Deserialize`, `Default`), their documentation (`JsonSchema`), its name, and through
/// the type of the operator its ports. An operator whose fields are its parameters can be its
/// own configuration:
///
/// ```
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use gristmill_pipeline::port::Content;
/// use gristmill_pipeline::{Batch, Emitter, Fingerprint, Hash, Operator, OperatorConfig};
/// use gristmill_pipeline::{OperatorConfigError, OperatorError};
/// use schemars::JsonSchema;
/// use serde::Deserialize;
///
/// /// Replaces tabs by spaces.
/// #[derive(Clone, Default, Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// struct Untab {
///     /// Spaces for a tab.
///     width: u8,
/// }
///
/// impl Operator for Untab {
///     type In = Arc<Content>;
///     type Out = Arc<Content>;
///
///     fn name(&self) -> &str {
///         Self::NAME
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of_parts([b"untab 1".as_slice(), &[self.width]])
///     }
///
///     fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
///         let spaces = " ".repeat(self.width.into());
///         for content in batch {
///             out.emit(Arc::new(content.with_text(content.text.replace('\t', &spaces))));
///         }
///         Ok(())
///     }
/// }
///
/// impl OperatorConfig for Untab {
///     type Operator = Self;
///     const NAME: &'static str = "untab";
///
///     fn build(&self, _folder: &Path) -> Result<Self, OperatorConfigError> {
///         Ok(self.clone())
///     }
/// }
/// ```
pub trait OperatorConfig: DeserializeOwned + Default + JsonSchema + Send + Sync + 'static {
    /// The operator that it builds. Its ports decide its role (see [`RolePorts`](super::RolePorts)).
    type Operator: Operator + Into<AnyOperator> + 'static;

    /// The name of the operator in job files.
    const NAME: &'static str;

    /// Builds the operator. Relative paths in the configuration are resolved against `folder`.
    ///
    /// # Errors
    /// If a parameter is invalid, or what it refers to cannot be used.
    fn build(&self, folder: &Path) -> Result<Self::Operator, OperatorConfigError>;
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
