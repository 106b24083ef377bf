//! Tables of views in the Lance store.

use arrow::array::AsArray as _;
use arrow::datatypes::UInt64Type;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{SinkConfig as _, SinkContext, Token};
use gristmill_sinks::LanceConfig;
use gristmill_sinks::tables::Table;

use crate::fixture::{Index, publish, record, stage_with_views, view, view_delta};
use crate::lance::reader;

#[test]
fn views_are_tables_of_their_own() {
    let index = Index::new();
    let (edges, roots) = (view("edges"), view("roots"));
    let config = LanceConfig { max_fragments: 2, ..LanceConfig::default() };
    let mut sink = index.lance_with_views(&config, std::slice::from_ref(&edges));
    sink.open(None);
    let delta = view_delta(&edges, true, &[], &[("a", 1), ("b", 2), ("a", 2)]);
    stage_with_views(&mut sink, 1, false, &[], &[record("x", 3)], &[delta]);
    let first = sink.publish();
    let rows = |token: &Token, name: &str| -> Vec<(String, u64)> {
        let mut rows = Vec::new();
        for batch in reader(&index, token).scan(&Table::named(name), &["path", "version"]).expect("scan") {
            let (paths, versions) = (batch.column(0).as_string::<i32>(), batch.column(1).as_primitive::<UInt64Type>());
            rows.extend(paths.iter().flatten().map(str::to_owned).zip(versions.values().iter().copied()));
        }
        rows.sort();
        rows
    };
    assert_eq!(rows(&first, "edges"), [("a".into(), 1), ("a".into(), 2), ("b".into(), 2)]);
    let schema = reader(&index, &first).schema(&Table::named("edges")).expect("schema");
    assert_eq!(schema.metadata()["description"], "A text and a number.");
    assert!(schema.fields().iter().all(|field| field.metadata().contains_key("description")));
    sink.begin(2, false);
    let unknown = sink.writer().change_views(&[view_delta(&roots, false, &[], &[])]);
    assert!(unknown.is_err(), "it was not told of this view");
    sink.abort();
    sink.open(Some(&first));

    // Fragments are joined, and rows are still found by what they hold.
    let mut token = first.clone();
    for epoch in 2..=6 {
        let delta = view_delta(&edges, false, &[("a", epoch - 1)], &[("a", epoch + 1)]);
        stage_with_views(&mut sink, epoch.into(), false, &[], &[], &[delta]);
        token = sink.publish();
    }
    assert_eq!(rows(&token, "edges"), [("a".into(), 6), ("a".into(), 7), ("b".into(), 2)]);
    assert_eq!(token["files"], first["files"]);

    // Another view comes, empty at first.
    let mut sink = index.lance_with_views(&config, &[edges.clone(), roots.clone()]);
    sink.open(Some(&token));
    let both = publish(&mut sink, 7, &[], &[]);
    assert_eq!((rows(&both, "roots"), rows(&both, "edges")), (Vec::new(), rows(&token, "edges")));
    assert_eq!(both["chunks"], token["chunks"]);

    // One goes, and comes back: it starts from no rows.
    let mut sink = index.lance_with_views(&config, &[roots]);
    sink.open(Some(&both));
    let without = publish(&mut sink, 8, &[], &[record("y", 4)]);
    assert!(without.get("edges").is_none());
    assert_eq!(rows(&both, "edges").len(), 3, "what older epochs hold stays");
    let mut sink = index.lance_with_views(&config, std::slice::from_ref(&edges));
    sink.open(Some(&without));
    let delta = view_delta(&edges, true, &[], &[("c", 9)]);
    stage_with_views(&mut sink, 9, false, &[], &[], &[delta]);
    sink.abort();
    sink.open(Some(&without));
    let delta = view_delta(&edges, true, &[], &[("c", 9)]);
    stage_with_views(&mut sink, 9, false, &[], &[], &[delta]);
    let back = sink.publish();
    assert_eq!(rows(&back, "edges"), [("c".into(), 9)]);
    assert_eq!(rows(&both, "edges").len(), 3);
    let delta = view_delta(&edges, false, &[("c", 9)], &[]);
    stage_with_views(&mut sink, 10, false, &[], &[], &[delta]);
    let token = sink.publish();
    assert!(rows(&token, "edges").is_empty());

    config.retain(&index.folder, std::slice::from_ref(&token)).expect("retain");
    assert!(!index.folder.join("roots.lance").exists(), "no kept epoch has it");
    assert!(rows(&token, "edges").is_empty());
}

#[test]
fn views_need_names_of_their_own() {
    let index = Index::new();
    for names in [&["chunks"][..], &["edges", "edges"], &["a/b"], &[""]] {
        let views = names.iter().map(|name| view(name)).collect();
        let context = SinkContext { views, ..index.context(&[Port::Syntax]) };
        let error = LanceConfig::default().open(context, None).err().expect("an error").to_string();
        assert!(error.contains(&format!("the name of view `{}`", names[0])), "{error}");
    }
}

#[test]
fn a_row_that_does_not_fit_a_view_is_refused() {
    let index = Index::new();
    let edges = view("edges");
    let mut sink = index.lance_with_views(&LanceConfig::default(), std::slice::from_ref(&edges));
    sink.open(None);
    sink.begin(1, false);
    let mut delta = view_delta(&edges, true, &[], &[("a", 1)]);
    delta.added[0].values.reverse();
    let error = sink.writer().change_views(&[delta]).expect_err("text and number are swapped").to_string();
    assert!(error.contains("does not match the 2 columns of view `edges`"), "{error}");
}
