//! The standard operators and sinks.

use std::path::Path;
use std::sync::Arc;

use gristmill_operators::chunk::{ChunkConfig, ChunkConfigError, Chunking};
use gristmill_operators::embed::{EmbedError, FastEmbed, HttpConfig, HttpEmbed, OnnxConfig, StaticConfig, StaticEmbed};
use gristmill_operators::hash::VerifyHash;
use gristmill_operators::parse::{Parse, ParseConfig};
use gristmill_operators::read::{Read, ReadConfig};
use gristmill_pipeline::graph::SinkFactory;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{Fingerprint, Sink, SinkContext, SinkError, Token};
use gristmill_sinks::{ArrowConfig, LanceConfig, TantivyConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stage_registry::{BuildError, Params, Registry};

/// An operator or sink without parameters.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct NoParams {}

impl Registry {
    /// Creates a registry with the operators `read`, `hash`, `parse`, `chunk`, `embed`, `fastembed` and `http`, and
    /// the sinks `lance`, `tantivy` and `arrow`.
    #[must_use]
    pub fn standard() -> Self {
        let registry = Self::new()
            .operator("read", "Reads and decodes files.", |params: ReadConfig, _| Ok(Read::new(params)))
            .operator("hash", "Rejects files that changed since the scan.", |_: NoParams, _| Ok(VerifyHash))
            .operator("parse", "Parses definitions, references and imports.", |params: ParseConfig, _| {
                Ok(Parse::new(params))
            })
            .operator("chunk", "Splits texts into chunks.", |params: ChunkConfig, _| {
                Chunking::new(params).map_err(|error| {
                    let key = match error {
                        ChunkConfigError::Budget(_) => "max_tokens",
                        ChunkConfigError::Order { .. } => "min_tokens",
                    };
                    BuildError { key: Some(key), message: error.to_string() }
                })
            })
            .operator("embed", "Embeds chunks with a static model (Model2Vec).", |mut params: StaticConfig, folder| {
                params.model = params.model.map(|model| folder.join(model));
                StaticEmbed::new(&params).map_err(|error| {
                    let key = match error {
                        EmbedError::Dimensions { .. } => "dimensions",
                        EmbedError::NoTokens => "max_tokens",
                        _ => "model",
                    };
                    BuildError { key: Some(key), message: error.to_string() }
                })
            })
            .operator("fastembed", "Embeds chunks with an ONNX model.", |params: OnnxConfig, folder| {
                FastEmbed::open(&params, folder)
                    .map_err(|error| BuildError { key: Some(error.key()), message: error.to_string() })
            })
            .operator("http", "Embeds chunks through an OpenAI-compatible HTTP API.", |params: HttpConfig, _| {
                HttpEmbed::connect(&params)
                    .map_err(|error| BuildError { key: Some(error.key()), message: error.to_string() })
            });
        let registry = stored::<LanceConfig>(registry, "lance", "Stores rows in Lance tables.");
        let registry = stored::<TantivyConfig>(registry, "tantivy", "Stores chunks in a full-text index.");
        stored::<ArrowConfig>(registry, "arrow", "Writes the rows that each epoch adds to an Arrow IPC file.")
    }
}

fn stored<C: Params + Serialize + Send + Sync>(
    registry: Registry,
    kind: &'static str,
    summary: &'static str,
) -> Registry {
    let accepts = gristmill_sinks::accepted_ports(kind);
    registry.sink(kind, summary, accepts, move |params: C| Ok(StandardSink { kind, accepts, params: Arc::new(params) }))
}

/// Builds one of the sinks of `gristmill-sinks` from its parameters.
struct StandardSink<C> {
    kind: &'static str,
    accepts: &'static [Port],
    params: Arc<C>,
}

impl<C: Serialize + Send + Sync> SinkFactory for StandardSink<C> {
    fn kind(&self) -> &str {
        self.kind
    }

    fn accepts(&self) -> &[Port] {
        self.accepts
    }

    fn fingerprint(&self) -> Fingerprint {
        let parameters = serde_json::to_value(&*self.params).unwrap_or_default();
        gristmill_sinks::form(self.kind, &parameters)
    }

    fn keeps_views(&self) -> bool {
        self.kind == "lance"
    }

    fn retain(&self, folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
        gristmill_sinks::retain(self.kind, folder, tokens)
    }

    fn build(&self, context: SinkContext) -> Result<Box<dyn Sink>, SinkError> {
        let params = serde_json::to_value(&self.params).map_err(|error| SinkError {
            sink: context.name.clone(),
            action: "cannot serialise the parameters".into(),
            message: error.to_string().into(),
        })?;
        gristmill_sinks::build(self.kind, params, &context)
    }
}
