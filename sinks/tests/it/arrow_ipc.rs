//! Arrow IPC files.

use std::fs::File;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::ipc::reader::FileReader;
use gristmill_pipeline::port::Port;
use gristmill_pipeline::{SinkConfig as _, Token};
use gristmill_sinks::ArrowConfig;

use crate::fixture::{Index, publish, record, stage};

fn rows(index: &Index, token: &Token) -> Vec<RecordBatch> {
    let file = File::open(index.folder.join(token["file"].as_str().expect("a name"))).expect("a file");
    FileReader::try_new(file, None).expect("Arrow IPC").map(|batch| batch.expect("a batch")).collect()
}

#[test]
fn each_port_gives_its_rows() {
    for (port, column, count) in [
        (Port::Contents, "text", 2),
        (Port::Syntax, "name", 7),
        (Port::Chunks, "text", 7),
        (Port::Vectors, "vector", 7),
    ] {
        let index = Index::new();
        let mut sink = index.arrow(port);
        sink.open(None);
        let token = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
        assert_eq!(token["rows"], count);
        let records = [record("a", 3), record("b", 4)];
        let forecast: u64 = records.iter().map(|record| sink.config.rows_of(&sink.context, record)).sum();
        assert_eq!(forecast, count as u64, "{port}");
        let batches = rows(&index, &token);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), count);
        assert!(batches[0].column_by_name(column).is_some(), "{port}");
    }
}

#[test]
fn contents_hold_the_text() {
    let index = Index::new();
    let mut sink = index.arrow(Port::Contents);
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &[record("a", 3)]);
    let batches = rows(&index, &token);
    let text = batches[0].column_by_name("text").expect("text").as_string::<i32>();
    assert_eq!(text.value(0), &*record("a", 3).analysis.text);
}

#[test]
fn an_epoch_shows_when_it_is_published() {
    let index = Index::new();
    let mut sink = index.arrow(Port::Chunks);
    sink.open(None);
    let first = publish(&mut sink, 1, &[], &[record("a", 3)]);
    stage(&mut sink, 2, false, &[], &[record("b", 4)]);
    assert!(!index.folder.join("2.arrow").exists());
    sink.abort();
    assert_eq!(names(&index), ["1.arrow"]);
    sink.open(Some(&first));
    publish(&mut sink, 2, &[("a", 3)], &[record("b", 4)]);
    assert_eq!(names(&index), ["1.arrow", "2.arrow"]);

    stage(&mut sink, 3, false, &[], &[]);
    drop(sink);
    let mut sink = index.arrow(Port::Chunks);
    sink.open(Some(&first));
    assert_eq!(names(&index), ["1.arrow"], "what no commit names is rolled back");
    assert_eq!(rows(&index, &first)[0].num_rows(), 3);
    sink.open(None);
    assert!(names(&index).is_empty());
}

#[test]
fn two_inputs_are_refused() {
    let index = Index::new();
    let context = index.context(&[Port::Syntax, Port::Chunks]);
    assert!(ArrowConfig::default().open(context, None).is_err());
}

fn names(index: &Index) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(&index.folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}
