//! Sinks from configuration.

use gristmill_pipeline::port::Port;
use gristmill_sinks::{KINDS, accepted_ports, build, config_schema, form};
use serde_json::{Value, json};

use crate::fixture::{Index, publish, record};

#[test]
fn every_kind_is_built_with_defaults_and_stores_an_epoch() {
    for kind in KINDS {
        let index = Index::new();
        let context = index.context(&[Port::Chunks]);
        let mut sink = build(kind, Value::Null, &context).expect("a sink");
        sink.open(None).expect("open");
        let token = publish(&mut *sink, 1, &[], &[record("a", 3)]);
        sink.open(Some(&token)).expect("open");
        assert!(config_schema(kind).is_some());
        assert!(accepted_ports(kind).contains(&Port::Chunks));
    }
}

#[test]
fn only_what_changes_rows_changes_their_form() {
    let plain = form("lance", &Value::Null);
    assert_eq!(form("lance", &json!({"vectors": "f32", "vector_index": {"kind": "ivf_pq"}, "sync": false})), plain);
    assert_ne!(form("lance", &json!({"vectors": "f16"})), plain);
    assert_ne!(form("arrow", &Value::Null), plain);
}

#[test]
fn wrong_configurations_say_what_is_wrong() {
    let index = Index::new();
    #[track_caller]
    fn refused(index: &Index, kind: &str, parameters: Value, inputs: &[Port], part: &str) {
        let error = build(kind, parameters, &index.context(inputs)).err().expect("an error").to_string();
        assert!(error.contains(part), "{error}");
    }
    refused(&index, "sqlite", Value::Null, &[Port::Chunks], "lance, tantivy, arrow");
    refused(&index, "tantivy", Value::Null, &[Port::Syntax], "takes chunks, not syntax");
    refused(&index, "tantivy", json!({"writer_memory": 1}), &[Port::Chunks], "15000000");
    refused(&index, "tantivy", json!({"threads": 9}), &[Port::Chunks], "from 1 to 8");
    refused(&index, "lance", json!({"rows": 1}), &[Port::Chunks], "unknown field `rows`");
}
