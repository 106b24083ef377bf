//! Sinks from configuration.

use std::sync::Arc;

use gristmill_pipeline::port::Port;
use gristmill_pipeline::{Hash, SinkConfig, SinkContext};
use gristmill_sinks::{ArrowConfig, LanceConfig, SinkRegistry, TantivyConfig, register};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fixture::{Index, publish, record};

/// A sink as a job file names it.
struct Entry {
    summary: &'static str,
    /// Its parameters with their defaults, as the schema lists them.
    parameters: Vec<String>,
    read: fn(Value) -> Result<Arc<dyn SinkConfig>, serde_json::Error>,
}

#[derive(Default)]
struct Entries(Vec<Entry>);

fn read<C: SinkConfig + DeserializeOwned + 'static>(value: Value) -> Result<Arc<dyn SinkConfig>, serde_json::Error> {
    Ok(Arc::new(serde_json::from_value::<C>(value)?))
}

impl SinkRegistry for Entries {
    fn sink<C: SinkConfig + DeserializeOwned + Default + JsonSchema + 'static>(
        mut self,
        summary: &'static str,
    ) -> Self {
        let schema = schemars::schema_for!(C);
        let parameters = schema.get("properties").and_then(Value::as_object).expect("parameters");
        let parameters = parameters.keys().cloned().collect();
        self.0.push(Entry { summary, parameters, read: read::<C> });
        self
    }
}

#[test]
fn every_sink_is_built_with_defaults_and_stores_an_epoch() {
    let entries = register(Entries::default()).0;
    let mut kinds = Vec::new();
    for entry in entries {
        let index = Index::new();
        let config = (entry.read)(json!({})).expect("defaults");
        assert!(config.accepts().contains(&Port::Chunks));
        assert!(entry.summary.ends_with('.') && entry.parameters.contains(&"sync".to_owned()));
        kinds.push(config.kind().to_owned());
        let mut sink = index.arrow(Port::Chunks);
        sink.config = config;
        sink.open(None);
        let token = publish(&mut sink, 1, &[], &[record("a", 3)]);
        sink.open(Some(&token));
    }
    assert_eq!(kinds, ["lance", "tantivy", "arrow"]);
}

/// The index compares these with those that it was built with: another one rebuilds it.
#[test]
fn fingerprints_are_what_they_always_were() {
    let form = |kind: &str, version: u32, rest: &[&[u8]]| {
        let version = version.to_le_bytes();
        Hash::of_parts([b"sink".as_slice(), kind.as_bytes(), &version].into_iter().chain(rest.iter().copied()))
    };
    let lance = |parameters| serde_json::from_value::<LanceConfig>(parameters).expect("parameters").fingerprint();
    assert_eq!(lance(json!({})), form("lance", 3, &[]));
    assert_eq!(lance(json!({"vectors": "f16"})), form("lance", 3, &[b"f16"]));
    let written_otherwise = json!({"vectors": "f32", "vector_index": {"kind": "ivf_pq"}, "sync": false});
    assert_eq!(lance(written_otherwise), form("lance", 3, &[]), "the rows are the same");
    assert_eq!(TantivyConfig::default().fingerprint(), form("tantivy", 4, &[]));
    assert_eq!(ArrowConfig::default().fingerprint(), form("arrow", 3, &[]));
}

#[test]
fn wrong_configurations_say_what_is_wrong() {
    #[track_caller]
    fn refused<C: SinkConfig + DeserializeOwned + 'static>(parameters: Value, inputs: &[Port], part: &str) {
        let index = Index::new();
        let context = SinkContext { dimension: None, ..index.context(inputs) };
        let error = match read::<C>(parameters) {
            Err(error) => error.to_string(),
            Ok(config) => config.open(context, None).err().expect("an error").to_string(),
        };
        assert!(error.contains(part), "{error}");
    }
    refused::<TantivyConfig>(json!({}), &[Port::Syntax], "it needs an input of chunks");
    refused::<TantivyConfig>(json!({"writer_memory": 1}), &[Port::Chunks], "at least 15000000");
    refused::<TantivyConfig>(json!({"threads": 9}), &[Port::Chunks], "must be between 1 and 8, got 9");
    refused::<LanceConfig>(json!({"rows": 1}), &[Port::Chunks], "unknown field `rows`");
    refused::<LanceConfig>(json!({}), &[Port::Vectors], "needs their dimension");
}
