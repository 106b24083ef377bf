//! The hash operator: rejects files that changed since the scan.

use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::port::Content;
use gristmill_pipeline::{Batch, Emitter, Fingerprint, Hash, Operator, OperatorError, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Configuration of [`VerifyHash`], which has no parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HashConfig {}

impl OperatorConfig for HashConfig {
    type Operator = VerifyHash;

    const NAME: &'static str = "hash";

    fn build(&self, _folder: &Path) -> Result<VerifyHash, OperatorConfigError> {
        Ok(VerifyHash)
    }
}

/// Rejects files whose bytes changed since the scan.
///
/// Compares the hash of the bytes that were read with the hash that the scan computed. A
/// changed file would be indexed under the hash of its old content; instead it becomes a
/// diagnostic `changed`, and the next run indexes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyHash;

impl Operator for VerifyHash {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "hash"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"hash".as_slice(), b"1"])
    }

    fn process(&self, batch: Batch<Arc<Content>>, out: &mut Emitter<Arc<Content>>) -> Result<(), OperatorError> {
        for content in batch {
            if content.content_hash == content.file.content_hash {
                out.emit(content);
            } else {
                let message = "changed while it was being indexed; the next run takes the new content";
                out.report(&content.file.path, Severity::Note, "changed", 0, message);
            }
        }
        Ok(())
    }
}
