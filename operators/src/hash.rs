//! The hash operator: lets through what is still the content that the scan saw.

use std::sync::Arc;

use gristmill_pipeline::port::Content;
use gristmill_pipeline::{Batch, Emitter, Fingerprint, Hash, Operator, OperatorError, Severity};

/// Compares the bytes that were read with the hash of the scan.
///
/// A file that changes between scan and read would otherwise enter the index under the
/// hash of a content that nobody has. It is left to the next run, whose scan sees it
/// changed.
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
