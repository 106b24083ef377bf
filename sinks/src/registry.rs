//! From a job's configuration to a sink.

use std::path::Path;

use gristmill_pipeline::port::Port;
use gristmill_pipeline::{Hash, Sink, SinkContext, SinkError, Token};
use schemars::Schema;
use serde::Deserialize as _;
use serde::de::DeserializeOwned;

use crate::failure::{While as _, failure};
use crate::tables::VectorForm;
use crate::{ArrowConfig, ArrowSink, LanceConfig, LanceSink, TantivyConfig, TantivySink};

/// Every kind of sink.
pub const KINDS: [&str; 3] = ["lance", "tantivy", "arrow"];

/// The ports that a kind of sink takes; none for a kind that there is not.
#[must_use]
pub fn accepted_ports(kind: &str) -> &'static [Port] {
    match kind {
        "lance" => &[Port::Contents, Port::Syntax, Port::Chunks, Port::Vectors],
        "tantivy" => &[Port::Chunks],
        "arrow" => &[Port::Contents, Port::Syntax, Port::Chunks, Port::Vectors],
        _ => &[],
    }
}

/// Counts the changes of the form in which a kind of sink keeps its rows.
fn form_version(kind: &str) -> u32 {
    match kind {
        "tantivy" => crate::tantivy::SCHEMA_VERSION,
        _ => crate::tables::SCHEMA_VERSION,
    }
}

/// Hash of the form in which a kind of sink keeps its rows, given its parameters. A store
/// of another form is rebuilt; most parameters say how rows are written, not what they hold.
#[must_use]
pub fn form(kind: &str, parameters: &serde_json::Value) -> Hash {
    let version = form_version(kind).to_le_bytes();
    let mut parts = vec![b"sink".as_slice(), kind.as_bytes(), &version];
    let vectors = parameters.get("vectors").and_then(|form| VectorForm::deserialize(form).ok());
    if kind == "lance" && vectors == Some(VectorForm::F16) {
        parts.push(b"f16");
    }
    Hash::of_parts(parts)
}

/// The parameters that a kind of sink takes, as a JSON schema.
#[must_use]
pub fn config_schema(kind: &str) -> Option<Schema> {
    match kind {
        "lance" => Some(schemars::schema_for!(LanceConfig)),
        "tantivy" => Some(schemars::schema_for!(TantivyConfig)),
        "arrow" => Some(schemars::schema_for!(ArrowConfig)),
        _ => None,
    }
}

/// Makes a sink of a kind from its parameters (an object; `null` means all defaults).
///
/// # Errors
/// If there is no such kind, a parameter is unknown or wrong, or the inputs do not fit.
pub fn build(kind: &str, parameters: serde_json::Value, context: &SinkContext) -> Result<Box<dyn Sink>, SinkError> {
    let accepted = accepted_ports(kind);
    if accepted.is_empty() {
        let cause = format!("there is no sink of kind `{kind}`; there are {}", KINDS.join(", "));
        return Err(failure(&context.name, "cannot be built", cause));
    }
    if let Some(port) = context.inputs.iter().find(|port| !accepted.contains(port)) {
        let accepted: Vec<_> = accepted.iter().map(|port| port.as_str()).collect();
        let cause = format!("a sink of kind `{kind}` takes {}, not {port}", accepted.join(", "));
        return Err(failure(&context.name, "cannot be built", cause));
    }
    Ok(match kind {
        "lance" => Box::new(LanceSink::new(&config(parameters, context)?, context)?),
        "tantivy" => Box::new(TantivySink::new(config(parameters, context)?, context)?),
        _ => Box::new(ArrowSink::new(&config(parameters, context)?, context)?),
    })
}

/// Gives back the space in a store's folder that only other epochs need than those of
/// these tokens, of which the last is the newest.
///
/// # Errors
/// If the folder cannot be read or written.
pub fn retain(kind: &str, folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
    match kind {
        "lance" => crate::lance::retain(folder, tokens),
        "tantivy" => crate::tantivy::retain(folder, tokens),
        _ => Ok(()),
    }
}

fn config<T: DeserializeOwned + Default>(parameters: serde_json::Value, context: &SinkContext) -> Result<T, SinkError> {
    match parameters {
        serde_json::Value::Null => Ok(T::default()),
        parameters => serde_json::from_value(parameters).during(&context.name, "cannot read its parameters"),
    }
}
