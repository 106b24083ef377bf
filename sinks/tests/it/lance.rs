//! The Lance store.

use std::collections::{BTreeMap, HashSet};

use arrow::array::RecordBatch;
use gristmill_pipeline::port::{Definition, Port};
use gristmill_pipeline::{Record, RowId, SinkConfig as _, StoredFacts, StoredVectors, Token};
use gristmill_sinks::lance::ChunkLocator;
use gristmill_sinks::tables::Table;
use gristmill_sinks::{LanceConfig, LanceReader};

use crate::fixture::{self, Index, Store, assert_same, publish, record, row, stage, write};

fn ids(records: &[Record]) -> Vec<RowId> {
    let id = |record: &Record| RowId { path: record.path.clone(), content_hash: record.analysis.content_hash };
    records.iter().map(id).collect()
}

/// The record of `record(path, version)` as stored, or as stored in an epoch that is kept.
pub fn recalled(sink: &mut Store, path: &str, version: u32, since: Option<&Token>) -> Option<Record> {
    sink.records(&[row(path, version)], since).remove(0)
}

#[track_caller]
pub fn assert_recalled(sink: &mut Store, path: &str, version: u32, since: Option<&Token>) {
    assert_same(&recalled(sink, path, version, since).expect("it is stored"), &record(path, version));
}

pub fn reader(index: &Index, token: &Token) -> LanceReader {
    LanceReader::open(&index.folder, token).expect("a reader")
}

pub fn opened(index: &Index, base: Option<&Token>) -> Store {
    let mut sink = index.lance();
    sink.open(base);
    sink
}

/// Rows of all tables.
fn rows_of(reader: &LanceReader) -> u64 {
    reader.tables().map(|table| reader.count_rows(table)).sum()
}

pub fn all() -> Vec<Record> {
    (0..30).map(|nth| record(&format!("src/file{nth}.rs"), nth)).collect()
}

#[test]
fn records_come_back_as_they_were_added() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let added = all();
    let token = publish(&mut sink, 1, &[], &added);
    drop(sink);

    let mut sink = opened(&index, Some(&token));
    let mut asked = ids(&added);
    asked.reverse();
    asked.insert(1, row("nowhere", 3));
    let mut found = sink.records(&asked, None);
    assert_eq!(found.len(), added.len() + 1);
    assert!(found.remove(1).is_none(), "no such path");
    for (found, expected) in found.iter().zip(added.iter().rev()) {
        assert_same(found.as_ref().expect("it is stored"), expected);
    }
}

#[test]
fn facts_and_vectors_come_back() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let added = all();
    let token = publish(&mut sink, 1, &[], &added);
    let mut sink = opened(&index, Some(&token));

    let mut facts = BTreeMap::new();
    sink.begin(2, false);
    let mut visit = |of_path: StoredFacts| assert!(facts.insert(of_path.path.clone(), of_path).is_none());
    sink.read(|store| store.facts(&mut visit)).expect("facts");
    assert_eq!(facts.len(), added.len());
    for record in &added {
        let found = &facts[&record.path];
        let (a, b) = (&found.analysis, &*record.analysis);
        assert_eq!((a.content_hash, &a.language, a.bytes, a.lines), (b.content_hash, &b.language, b.bytes, b.lines));
        let chunks = &record.chunks.as_ref().expect("chunks").chunks;
        assert_eq!(found.bodies, chunks.iter().map(|chunk| chunk.body_hash).collect::<Vec<_>>());
        assert_eq!((&a.references, &a.imports), (&b.references, &b.imports));
        let bare = |definition: &Definition| Definition { signature: "".into(), doc: "".into(), ..definition.clone() };
        assert_eq!(a.definitions, b.definitions.iter().map(bare).collect::<Vec<_>>());
        assert!(a.text.is_empty() && a.diagnostics.is_empty());
    }

    let mut hashes: Vec<_> =
        added.iter().rev().flat_map(|record| record.chunks.as_ref().expect("chunks").hashes.clone()).collect();
    let values: Vec<f32> = hashes.iter().flat_map(fixture::vector).collect();
    hashes.insert(2, gristmill_pipeline::Hash::of(b"none"));
    let found = sink.read(|store| store.vectors(&hashes, None)).expect("vectors");
    assert_eq!(found.values, values);
    let places: Vec<_> = (0..hashes.len()).filter(|nth| !found.found[*nth]).collect();
    assert_eq!(places, [2]);
    assert_eq!(sink.read(|store| store.vectors(&[], None)).expect("vectors"), StoredVectors::default());
}

#[test]
fn later_epochs_do_not_show_at_an_older_token() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let first = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    let pinned = reader(&index, &first);
    let before = pinned.digest().expect("digest");
    let second = publish(&mut sink, 2, &[("a", 3)], &[record("a", 8), record("c", 9)]);
    assert_eq!(pinned.digest().expect("digest"), before);
    assert_eq!(reader(&index, &first).digest().expect("digest"), before);
    let after = reader(&index, &second);
    assert_ne!(after.digest().expect("digest"), before);
    assert_eq!(after.count_rows(&Table::Files), 3);
    assert_eq!(pinned.count_rows(&Table::Files), 2);
}

#[test]
fn a_table_without_change_keeps_its_version() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let first = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 0)]);
    let second = publish(&mut sink, 2, &[("b", 0)], &[record("b", 5)]);
    assert_eq!(first["chunks"], second["chunks"], "neither version of b has chunks");
    assert_ne!(first["files"], second["files"]);
    let third = publish(&mut sink, 3, &[], &[]);
    assert_eq!(second, third);
}

#[test]
fn an_aborted_epoch_leaves_nothing() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    let digest = reader(&index, &base).digest().expect("digest");
    let files = files_under(&index.folder);

    stage(&mut sink, 2, false, &[("src/file1.rs", 1)], &[record("new", 4)]);
    sink.abort();
    assert_eq!(files_under(&index.folder), files, "staged files are gone");

    let mut sink = opened(&index, Some(&base));
    sink.begin(2, true);
    sink.writer().add(&[record("other", 3)]).expect("add");
    sink.abort();

    let mut sink = opened(&index, Some(&base));
    let unchanged = publish(&mut sink, 2, &[], &[]);
    assert_eq!(unchanged, base);
    assert_eq!(reader(&index, &unchanged).digest().expect("digest"), digest);
}

#[test]
fn a_published_epoch_without_commit_is_rolled_back() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    let digest = reader(&index, &base).digest().expect("digest");
    publish(&mut sink, 2, &[("src/file3.rs", 3)], &[record("lost", 4)]);
    drop(sink);

    // A crash before the commit record: twice, as one may come during recovery too.
    for _ in 0..2 {
        let mut sink = opened(&index, Some(&base));
        assert!(recalled(&mut sink, "lost", 4, None).is_none());
        assert_recalled(&mut sink, "src/file3.rs", 3, None);
    }
    let mut sink = opened(&index, Some(&base));
    let token = publish(&mut sink, 2, &[("src/file2.rs", 2)], &[record("kept", 9)]);
    assert_eq!(reader(&index, &base).digest().expect("digest"), digest);

    let expected = Index::new();
    let mut scratch = opened(&expected, None);
    let mut records: Vec<_> = all().into_iter().filter(|record| record.path.as_str() != "src/file2.rs").collect();
    records.push(record("kept", 9));
    let scratch = publish(&mut scratch, 1, &[], &records);
    let found = reader(&index, &token).table_digests().expect("digests");
    assert_eq!(found, reader(&expected, &scratch).table_digests().expect("digests"));
}

#[test]
fn opening_without_a_base_drops_leftovers() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    publish(&mut sink, 1, &[], &all());
    let mut sink = opened(&index, None);
    let token = publish(&mut sink, 1, &[], &[record("only", 3)]);
    assert_eq!(reader(&index, &token).count_rows(&Table::Files), 1);
}

#[test]
fn a_sink_dropped_while_staging_leaves_the_base() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    let digest = reader(&index, &base).digest().expect("digest");
    for staged in [false, true] {
        sink.begin(2, false);
        write(&mut sink, &[("src/file1.rs", 1)], &[record("new", 3)], &[]);
        if staged {
            sink.try_stage(2).expect("stage");
        }
        drop(sink);
        sink = opened(&index, Some(&base));
        assert_eq!(reader(&index, &base).digest().expect("digest"), digest);
    }
    let token = publish(&mut sink, 2, &[], &[]);
    assert_eq!(token, base);
}

#[test]
fn replacing_starts_from_no_rows() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    stage(&mut sink, 2, true, &[("src/file1.rs", 1)], &[record("a", 3)]);
    let token = sink.publish();
    let found = reader(&index, &token);
    assert_eq!(found.count_rows(&Table::Files), 1);
    assert_eq!(found.count_rows(&Table::Chunks), 3);
    assert_eq!(found.count_rows(&Table::Diagnostics), 0);
    assert_eq!(reader(&index, &base).count_rows(&Table::Files), 30);
    assert_recalled(&mut sink, "a", 3, None);
    let token = publish(&mut sink, 3, &[("a", 3)], &[]);
    assert_eq!(reader(&index, &token).count_rows(&Table::Chunks), 0);
}

#[test]
fn digests_do_not_depend_on_order_batches_or_history() {
    let digests = |index: &Index, token: &Token| reader(index, token).table_digests().expect("digests");
    let whole = Index::new();
    let token = publish(&mut opened(&whole, None), 1, &[], &all());
    let expected = digests(&whole, &token);

    let pieces = Index::new();
    let config = LanceConfig { batch_rows: 3, max_rows_per_file: 7, max_fragments: 3, ..LanceConfig::default() };
    let mut sink = pieces.lance_with(&config);
    sink.open(None);
    publish(&mut sink, 1, &[], &[record("src/file4.rs", 99), record("gone", 4)]);
    for (epoch, records) in (2..).zip(all().rchunks(4)) {
        let removed = if epoch == 5 { &[("src/file4.rs", 99), ("gone", 4)][..] } else { &[] };
        let records: Vec<_> = records.iter().filter(|record| record.path.as_str() != "src/file4.rs").cloned().collect();
        publish(&mut sink, epoch, removed, &records);
    }
    let token = publish(&mut sink, 20, &[], &[record("src/file4.rs", 4)]);
    assert_eq!(digests(&pieces, &token), expected);
    let found = sink.records(&ids(&all()), None);
    for (found, expected) in found.iter().zip(&all()) {
        assert_same(found.as_ref().expect("it is stored"), expected);
    }

    publish(&mut sink, 21, &[("src/file4.rs", 4)], &[record("src/file4.rs", 3)]);
    assert_ne!(digests(&pieces, &publish(&mut sink, 22, &[], &[])), expected);
}

#[test]
fn small_fragments_are_joined() {
    let index = Index::new();
    let config = LanceConfig { max_fragments: 4, sync: false, ..LanceConfig::default() };
    let mut sink = index.lance_with(&config);
    sink.open(None);
    let mut expected = BTreeMap::new();
    for epoch in 1..=14 {
        let path = format!("f{}", epoch % 9);
        let version = epoch * 5 + 3;
        let before = expected.insert(path.clone(), version).map(|before| (&*path, before));
        publish(&mut sink, epoch.into(), before.as_slice(), &[record(&path, version)]);
    }
    for (path, version) in &expected {
        assert_recalled(&mut sink, path, *version, None);
    }
    let fragments = std::fs::read_dir(index.folder.join("files.lance/data")).expect("data").count();
    assert!(fragments >= 14, "old epochs keep their files");
}

#[test]
fn the_reader_gives_rows_and_vectors() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    publish(&mut sink, 1, &[], &all());
    publish(&mut sink, 2, &[("src/file3.rs", 3)], &[]);
    let token = publish(&mut sink, 3, &[], &[record("z", 4)]);
    let reader = reader(&index, &token);

    let rows = reader.count_rows(&Table::Chunks) as usize;
    assert_eq!(
        reader.scan(&Table::Chunks, &["text"]).expect("scan").iter().map(RecordBatch::num_rows).sum::<usize>(),
        rows
    );
    assert_eq!(reader.sample(&Table::Chunks, 5).expect("sample").num_rows(), 5);
    assert_eq!(reader.sample(&Table::Files, 1000).expect("sample").num_rows(), 30);
    let schema = reader.schema(&Table::Chunks).expect("schema");
    assert!(schema.fields().iter().all(|field| field.metadata().contains_key("description")));

    let vectors = reader.vectors().expect("vectors");
    assert_eq!((vectors.dimension, vectors.ordinals.len()), (fixture::DIMENSION, rows));
    let at = vectors.files.iter().position(|(path, _)| path.as_str() == "z").expect("z") as u32;
    let third = (0..rows).find(|row| vectors.file[*row] == at && vectors.ordinals[*row] == 2).expect("its third chunk");
    let expected = record("z", 4);
    let hash = &expected.chunks.as_ref().expect("chunks").hashes[2];
    assert_eq!(vectors.values[third * 4..][..4], fixture::vector(hash));

    let name = |path, version, ordinal| ChunkLocator { row: row(path, version).key(), ordinal };
    let wanted = [name("z", 4, 2), name("src/file3.rs", 3, 0), name("src/file9.rs", 9, 1)];
    let addresses = reader.chunk_addresses(&wanted).expect("addresses");
    assert_eq!(addresses[0], Some(vectors.addresses[third]));
    assert_eq!(addresses[1], None);
    assert_eq!(reader.take_chunks(&wanted, &["path", "text"]).expect("rows").num_rows(), 2);
    let files = reader.rows_of_files(|path, language| path > "src/file8" && language != "binary").expect("files");
    assert_eq!(files, HashSet::from([row("src/file8.rs", 8).key(), row("src/file9.rs", 9).key(), row("z", 4).key()]));
    let found = reader.filter(&Table::Chunks, &["path"], "path = 'z'", None).expect("filter");
    assert_eq!(found.iter().map(RecordBatch::num_rows).sum::<usize>(), 4);
}

#[test]
fn tables_follow_the_inputs() {
    let index = Index::new();
    let mut sink = Store::new(LanceConfig::default(), index.context(&[Port::Syntax]));
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &[record("a", 3)]);
    let reader = reader(&index, &token);
    assert_eq!(
        reader.tables().collect::<Vec<_>>(),
        [&Table::Files, &Table::Symbols, &Table::References, &Table::Imports, &Table::Diagnostics]
    );
    let found = recalled(&mut sink, "a", 3, None).expect("it is stored");
    assert!(found.chunks.is_none());
    assert_eq!(found.analysis.definitions, record("a", 3).analysis.definitions);
    assert_eq!(sink.config.rows_of(&sink.context, &record("a", 3)), rows_of(&reader));
    assert_ne!(rows_of(&reader), 0);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_the_base() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    let digest = reader(&index, &base).digest().expect("digest");
    // A file where a folder should be fails every write into it, as a full disk does.
    let data = index.folder.join("chunks.lance/data");
    let aside = index.folder.join("aside");
    std::fs::rename(&data, &aside).expect("rename");
    std::fs::write(&data, "").expect("write");
    let files = files_under(&index.folder);
    sink.begin(2, false);
    let failed = sink.writer().add(&[record("new", 4)]).and_then(|()| sink.try_stage(2));
    let error = failed.expect_err("nowhere to write").to_string();
    assert!(error.contains("table chunks"), "{error}");
    assert_eq!(files_under(&index.folder), files, "what the other tables wrote is gone");
    std::fs::remove_file(&data).expect("remove");
    std::fs::rename(&aside, &data).expect("rename");
    let mut sink = opened(&index, Some(&base));
    assert_eq!(reader(&index, &base).digest().expect("digest"), digest);
    publish(&mut sink, 2, &[], &[record("new", 4)]);
}

#[test]
fn a_table_that_cannot_publish_rolls_the_others_back() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &all());
    let digest = reader(&index, &base).digest().expect("digest");
    stage(&mut sink, 2, false, &[], &[record("new", 4)]);
    // A file in place of a folder of key runs fails one of the tables.
    let keys = index.folder.join("symbols.keys");
    let aside = index.folder.join("aside");
    std::fs::rename(&keys, &aside).expect("rename");
    std::fs::write(&keys, "").expect("write");
    let error = sink.try_publish().expect_err("nowhere to write keys").to_string();
    assert!(error.contains("table symbols"), "{error}");
    assert!(!index.folder.join("files.keys/rows-1-2.run").exists(), "the runs of other tables are gone");
    std::fs::remove_file(&keys).expect("remove");
    std::fs::rename(&aside, &keys).expect("rename");

    let newest = LanceReader::open(&index.folder, &base).expect("a reader");
    assert_eq!(newest.digest().expect("digest"), digest);
    let mut sink = opened(&index, Some(&base));
    assert!(recalled(&mut sink, "new", 4, None).is_none());
    let token = publish(&mut sink, 2, &[], &[record("new", 4)]);
    assert_eq!(reader(&index, &token).count_rows(&Table::Files), 31);
}

#[test]
fn a_caller_inside_a_runtime_is_served() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for single_threaded in [false, true] {
            let index = Index::new();
            let mut context = index.context(&[Port::Vectors]);
            context.single_threaded = single_threaded;
            let mut sink = Store::new(LanceConfig::default(), context);
            sink.open(None);
            let token = publish(&mut sink, 1, &[], &[record("a", 3)]);
            assert_eq!(reader(&index, &token).count_rows(&Table::Chunks), 3);
        }
    });
}

fn files_under(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            // Lance makes the folder of deletion files on first need.
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

#[test]
fn only_retained_epochs_keep_their_space() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let mut epochs = Vec::new();
    for epoch in 1..=6 {
        let before = (epoch > 1).then_some(("a", epoch * 5 - 2));
        let added = [record("a", epoch * 5 + 3), record(&format!("f{epoch}"), 4)];
        let token = publish(&mut sink, epoch.into(), before.as_slice(), &added);
        let digest = reader(&index, &token).digest().expect("digest");
        epochs.push((token, digest));
    }
    // An epoch that is dropped while it is staged leaves files that no version names.
    stage(&mut sink, 7, false, &[("a", 33)], &[record("a", 4)]);
    drop(sink);
    let before = files_under(&index.folder).len();
    let kept: Vec<_> = [1, 4].iter().map(|nth| epochs[*nth].0.clone()).collect();
    LanceConfig::default().retain(&index.folder, &kept).expect("retain");
    assert!(files_under(&index.folder).len() < before);
    for nth in [1, 4, 5] {
        assert_eq!(reader(&index, &epochs[nth].0).digest().expect("digest"), epochs[nth].1);
    }
    let given_up = LanceReader::open(&index.folder, &epochs[0].0).unwrap();
    assert!(given_up.schema(&Table::Chunks).is_err());
    let mut sink = opened(&index, Some(&epochs[5].0));
    publish(&mut sink, 7, &[("a", 33)], &[record("a", 4)]);
}
