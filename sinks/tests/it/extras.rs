//! Extra columns of files and chunks, and chunks that an operator dropped.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use arrow::ipc::reader::FileReader;
use gristmill_pipeline::port::{Chunk, Port};
use gristmill_pipeline::{
    Analysis, ExtraColumn, ExtraOwner, ExtraType, ExtraValue, Extras, Record, SinkConfig, SinkContext, Token,
};
use gristmill_sinks::tables::Table;
use gristmill_sinks::{ArrowConfig, LanceConfig, TantivyConfig, TantivyReader};

use crate::fixture::{Index, Store, assert_same, publish, record, row, stage};
use crate::lance::{reader, recalled};

fn column(owner: ExtraOwner, name: &str, kind: ExtraType) -> ExtraColumn {
    ExtraColumn { owner, name: name.into(), kind, description: format!("The {name}.").into() }
}

/// A column of every type for files and for chunks.
fn columns() -> Vec<ExtraColumn> {
    vec![
        column(ExtraOwner::Files, "licence", ExtraType::Text),
        column(ExtraOwner::Chunks, "context", ExtraType::Text),
        column(ExtraOwner::Files, "commits", ExtraType::Integer),
        column(ExtraOwner::Files, "churn", ExtraType::Float),
        column(ExtraOwner::Chunks, "authors", ExtraType::Integer),
        column(ExtraOwner::Files, "generated", ExtraType::Boolean),
        column(ExtraOwner::Chunks, "density", ExtraType::Float),
        column(ExtraOwner::Chunks, "tested", ExtraType::Boolean),
    ]
}

fn extras(values: &[(&str, ExtraValue)]) -> Extras {
    let mut extras = Extras::default();
    values.iter().for_each(|(name, value)| extras.set(name, value.clone()));
    extras
}

/// Changes the analysis and the chunks of a record.
fn with(mut record: Record, file: impl FnOnce(&mut Analysis), mut chunk: impl FnMut(usize, &mut Chunk)) -> Record {
    let mut analysis = Analysis::clone(&record.analysis);
    file(&mut analysis);
    record.analysis = Arc::new(analysis);
    if let Some(chunks) = &mut record.chunks {
        let mut changed = chunks.chunks.to_vec();
        changed.iter_mut().enumerate().for_each(|(nth, of_file)| chunk(nth, of_file));
        chunks.chunks = changed.into();
    }
    record
}

/// A record with values that follow from its version. Some are missing: a file of an odd
/// version has no licence, a first chunk has no value at all.
fn filled(path: &str, version: u32) -> Record {
    let number = i64::from(version);
    let of_file = [
        ("commits", ExtraValue::from(-number)),
        ("churn", (f64::from(version) / 3.0).into()),
        ("generated", version.is_multiple_of(4).into()),
    ];
    with(
        record(path, version),
        |analysis| {
            analysis.extras = extras(&of_file);
            if version.is_multiple_of(2) {
                analysis.extras.set("licence", format!("Größe-{version}"));
            }
        },
        |nth, chunk| {
            if nth > 0 {
                chunk.extras = extras(&[
                    ("context", format!("chunk {nth} of {version}").into()),
                    ("authors", i64::MAX.into()),
                    ("density", f64::NAN.into()),
                    ("tested", (nth == 1).into()),
                ]);
            }
        },
    )
}

fn context(index: &Index, inputs: &[Port], columns: Vec<ExtraColumn>) -> SinkContext {
    SinkContext { columns, ..index.context(inputs) }
}

fn lance(index: &Index, columns: Vec<ExtraColumn>) -> Store {
    let config = LanceConfig { max_fragments: 2, batch_rows: 5, sync: false, ..LanceConfig::default() };
    Store::new(config, context(index, &[Port::Syntax, Port::Vectors], columns))
}

#[test]
fn values_come_back_as_they_were_added() {
    let index = Index::new();
    let mut sink = lance(&index, columns());
    sink.open(None);
    let base = publish(&mut sink, 1, &[], &[filled("a", 3), filled("b", 4), record("c", 4)]);
    // Fragments are joined meanwhile, and one row is deleted.
    for epoch in 2..=8 {
        let path = format!("f{epoch}");
        publish(&mut sink, epoch, &[], &[filled(&path, epoch as u32)]);
    }
    let token = publish(&mut sink, 9, &[("b", 4)], &[]);
    sink.open(Some(&token));
    for (path, version) in [("a", 3), ("f5", 5), ("f8", 8)] {
        assert_same(&recalled(&mut sink, path, version, None).expect("it is stored"), &filled(path, version));
    }
    assert_same(&recalled(&mut sink, "c", 4, None).expect("it is stored"), &record("c", 4));
    assert!(recalled(&mut sink, "b", 4, None).is_none());
    assert_same(&recalled(&mut sink, "b", 4, Some(&base)).expect("it is kept"), &filled("b", 4));
}

#[test]
fn columns_are_nullable_and_come_last() {
    let (plain, index) = (Index::new(), Index::new());
    let schemas = |index: &Index, columns: Vec<ExtraColumn>| -> Vec<Arc<Schema>> {
        let mut sink = lance(index, columns);
        sink.open(None);
        let token = publish(&mut sink, 1, &[], &[filled("a", 3)]);
        let reader = reader(index, &token);
        Table::OF_RECORDS.iter().map(|table| reader.schema(table).expect("schema")).collect()
    };
    let plain = schemas(&plain, Vec::new());
    for ((before, after), table) in plain.iter().zip(schemas(&index, columns())).zip(Table::OF_RECORDS) {
        let (own, more) = after.fields().split_at(before.fields().len());
        assert_eq!(own, before.fields().as_ref(), "{table}");
        let names: Vec<&str> = more.iter().map(|field| field.name().as_str()).collect();
        let expected: &[&str] = match table {
            Table::Files => &["licence", "commits", "churn", "generated"],
            Table::Chunks => &["context", "authors", "density", "tested"],
            _ => &[],
        };
        assert_eq!(names, expected, "{table}");
        assert!(more.iter().all(|field| field.is_nullable()));
        assert!(more.iter().all(|field| field.metadata()["description"] == format!("The {}.", field.name())));
    }
}

#[test]
fn digests_cover_the_values() {
    let digests = |columns: Vec<ExtraColumn>, records: &[Record]| {
        let index = Index::new();
        let mut sink = lance(&index, columns);
        sink.open(None);
        let token = publish(&mut sink, 1, &[], records);
        reader(&index, &token).table_digests().expect("digests")
    };
    let expected = digests(columns(), &[filled("a", 3), filled("b", 4)]);
    assert_eq!(digests(columns(), &[filled("b", 4), filled("a", 3)]), expected);
    let other = with(filled("b", 4), |_| {}, |nth, chunk| chunk.extras.set("authors", nth as i64));
    let other = digests(columns(), &[filled("a", 3), other]);
    assert_ne!(other[&Table::Chunks], expected[&Table::Chunks]);
    assert_eq!(other[&Table::Files], expected[&Table::Files]);
    // Values of columns that nobody declared are not stored.
    assert_eq!(digests(Vec::new(), &[filled("a", 3)]), digests(Vec::new(), &[record("a", 3)]));
}

#[test]
fn a_column_needs_a_name_of_its_own() {
    #[track_caller]
    fn refused(config: &impl SinkConfig, inputs: &[Port], columns: Vec<ExtraColumn>, part: &str) {
        let index = Index::new();
        let error = config.open(context(&index, inputs, columns), None).err().expect("a clash").to_string();
        assert!(error.contains(part), "{error}");
    }
    let (lance, arrow) = (LanceConfig::default(), ArrowConfig::default());
    let language = || vec![column(ExtraOwner::Files, "language", ExtraType::Text)];
    refused(&lance, &[Port::Chunks], language(), "table files already has a column `language`");
    refused(&arrow, &[Port::Contents], language(), "table files already has a column `language`");
    let text = |owner| vec![column(owner, "text", ExtraType::Text)];
    refused(&lance, &[Port::Chunks], text(ExtraOwner::Chunks), "table chunks already has a column `text`");
    refused(&arrow, &[Port::Contents], text(ExtraOwner::Files), "table files already has a column `text`");
    let twice = vec![column(ExtraOwner::Files, "licence", ExtraType::Text); 2];
    refused(&lance, &[Port::Chunks], twice, "table files already has a column `licence`");
    // The table `files` of a Lance store has no column `text`.
    let index = Index::new();
    let context = context(&index, &[Port::Chunks], text(ExtraOwner::Files));
    assert!(lance.open(context, None).is_ok());
}

#[test]
fn a_value_of_another_type_is_an_error() {
    let index = Index::new();
    let mut sink = lance(&index, columns());
    sink.open(None);
    sink.begin(1, false);
    let of_file = with(record("a", 3), |analysis| analysis.extras.set("commits", "many"), |_, _| {});
    let error = sink.writer().add(&[of_file]).expect_err("a text").to_string();
    let expected = "table files: column `commits` of `a`: expected a value of type Integer, found Text";
    assert!(error.contains(expected), "{error}");
    let of_chunk = with(record("b", 3), |_| {}, |_, chunk| chunk.extras.set("density", 1_i64));
    let error = sink.writer().add(&[of_chunk]).expect_err("an integer").to_string();
    let expected = "table chunks: column `density` of `b`: expected a value of type Float, found Integer";
    assert!(error.contains(expected), "{error}");
}

fn arrow_rows(index: &Index, port: Port) -> RecordBatch {
    let mut sink = Store::new(ArrowConfig::default(), context(index, &[port], columns()));
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &[filled("a", 3), filled("b", 4)]);
    let file = File::open(index.folder.join(token["file"].as_str().expect("a name"))).expect("a file");
    let mut batches = FileReader::try_new(file, None).expect("Arrow IPC");
    batches.next().expect("a batch").expect("rows")
}

#[test]
fn taps_write_the_columns_of_their_rows() {
    let index = Index::new();
    let files = arrow_rows(&index, Port::Contents);
    let licences = files["licence"].as_string::<i32>();
    assert!(licences.is_null(0));
    assert_eq!(licences.value(1), "Größe-4");
    assert_eq!(files["commits"].as_primitive::<Int64Type>().values(), &[-3, -4]);
    assert_eq!(files["text"].as_string::<i32>().value(0), &*record("a", 3).analysis.text);
    assert!(files.column_by_name("authors").is_none());

    let index = Index::new();
    let chunks = arrow_rows(&index, Port::Chunks);
    assert!(chunks["tested"].is_null(0) && chunks["tested"].as_boolean().value(1));
    assert!(chunks["density"].as_primitive::<Float64Type>().value(2).is_nan());
    assert!(chunks.column_by_name("licence").is_none());

    let index = Index::new();
    let symbols = arrow_rows(&index, Port::Syntax);
    assert!(symbols.schema().fields().iter().all(|field| *field.data_type() != DataType::Int64));
}

#[test]
fn a_text_index_stores_no_extra_columns() {
    let digest = |columns: Vec<ExtraColumn>, records: &[Record]| {
        let index = Index::new();
        let config = TantivyConfig { sync: false, ..TantivyConfig::default() };
        let mut sink = Store::new(config, context(&index, &[Port::Chunks], columns));
        sink.open(None);
        let token: Token = publish(&mut sink, 1, &[], records);
        TantivyReader::open(&index.folder, &token).expect("a reader").digest().expect("digest")
    };
    assert_eq!(digest(columns(), &[filled("a", 4)]), digest(Vec::new(), &[record("a", 4)]));
}

/// The record without those of its chunks that `keep` refuses.
fn thinned(mut record: Record, keep: impl Fn(usize) -> bool) -> Record {
    let chunks = record.chunks.as_mut().expect("chunks");
    let kept: Vec<usize> = (0..chunks.chunks.len()).filter(|nth| keep(*nth)).collect();
    let vectors = chunks.vectors.take().expect("vectors");
    let dimension = vectors.len() / chunks.chunks.len();
    chunks.vectors = Some(kept.iter().flat_map(|nth| vectors[nth * dimension..][..dimension].to_vec()).collect());
    chunks.hashes = kept.iter().map(|nth| chunks.hashes[*nth]).collect();
    chunks.chunks = kept.iter().map(|nth| chunks.chunks[*nth].clone()).collect();
    record
}

#[test]
fn a_text_is_recalled_with_blanks_where_chunks_were_dropped() {
    let index = Index::new();
    let mut sink = index.lance();
    sink.open(None);
    let stored = thinned(record("a", 4), |nth| nth % 2 == 1);
    let none = thinned(record("b", 4), |_| false);
    stage(&mut sink, 1, false, &[], &[stored.clone(), none]);
    let token = sink.publish();
    assert_eq!(reader(&index, &token).count_rows(&Table::Chunks), 2);

    let found = recalled(&mut sink, "a", 4, None).expect("it is stored");
    let (text, whole) = (&found.analysis.text, &stored.analysis.text);
    let chunks = &stored.chunks.as_ref().expect("chunks").chunks;
    assert_eq!(text.len(), chunks.last().expect("a chunk").span.bytes().end);
    for chunk in chunks.iter() {
        assert_eq!(text.get(chunk.span.bytes()), whole.get(chunk.span.bytes()));
    }
    assert!(text[..chunks[0].span.bytes().start].bytes().all(|byte| byte == b' '));
    let between = chunks[0].span.bytes().end..chunks[1].span.bytes().start;
    assert!(!between.is_empty() && text[between].bytes().all(|byte| byte == b' '));

    // What is stored again is what was stored.
    let again = Index::new();
    let mut other = again.lance();
    other.open(None);
    let recalled_token = publish(&mut other, 1, &[], &[found]);
    let expected = Index::new();
    let mut scratch = expected.lance();
    scratch.open(None);
    let scratch_token = publish(&mut scratch, 1, &[], &[stored]);
    let digest = |index: &Index, token: &Token| reader(index, token).digest().expect("digest");
    assert_eq!(digest(&again, &recalled_token), digest(&expected, &scratch_token));

    let none = sink.records(&[row("b", 4)], None).remove(0).expect("it is stored");
    assert!(none.analysis.text.is_empty() && none.chunks.expect("chunks").chunks.is_empty());
}

#[test]
fn a_reader_lists_the_columns() {
    let index = Index::new();
    let mut sink = lance(&index, columns());
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &[filled("a", 3)]);
    let (of_files, of_chunks): (Vec<_>, Vec<_>) =
        columns().into_iter().partition(|column| column.owner == ExtraOwner::Files);
    assert_eq!(reader(&index, &token).extra_columns().unwrap(), [of_files, of_chunks].concat());

    let plain = Index::new();
    let mut sink = plain.lance();
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &[filled("a", 3)]);
    assert_eq!(reader(&plain, &token).extra_columns().unwrap(), []);
}
