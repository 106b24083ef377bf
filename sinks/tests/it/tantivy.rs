//! The Tantivy store.

use gristmill_pipeline::{SinkConfig as _, Token};
use gristmill_sinks::tantivy::SearchOptions;
use gristmill_sinks::{TantivyConfig, TantivyReader};

use crate::fixture::{Index, Store, publish, record, stage, write};

fn reader(index: &Index, token: &Token) -> TantivyReader {
    TantivyReader::open(&index.folder, token).expect("a reader")
}

fn opened(index: &Index, base: Option<&Token>) -> Store {
    let mut sink = index.tantivy();
    sink.open(base);
    sink
}

fn digest(index: &Index, token: &Token) -> gristmill_pipeline::Hash {
    reader(index, token).digest().expect("digest")
}

fn found(reader: &TantivyReader, text: &str, options: &SearchOptions) -> Vec<(String, u32)> {
    let hits = reader.search(text, options).expect("search");
    hits.into_iter().map(|hit| (hit.path.as_str().to_owned(), hit.ordinal)).collect()
}

#[test]
fn chunks_are_found_with_what_names_them() {
    let index = Index::new();
    let token = publish(&mut opened(&index, None), 1, &[], &[record("src/a.rs", 3), record("lib/b.py", 4)]);
    let reader = reader(&index, &token);
    assert_eq!(reader.count(), 7);
    let options = SearchOptions::default();
    let hits = reader.search("input3", &options).expect("search");
    assert!(hits.iter().take(3).all(|hit| hit.path.as_str() == "src/a.rs"), "the whole counts for more than a part");
    let expected = record("src/a.rs", 3);
    let chunk = &expected.chunks.as_ref().expect("chunks").chunks[hits[0].ordinal as usize];
    assert_eq!((hits[0].path.as_str(), &*hits[0].symbol, &*hits[0].kind), ("src/a.rs", &*chunk.symbol, chunk.kind));
    assert_eq!((hits[0].start_byte, hits[0].end_line), (chunk.span.start_byte, chunk.span.end_line));
    assert!(hits[0].score > 0.0);

    // A definition's name counts for more than a mention.
    assert_eq!(found(&reader, "parse_Line3", &options)[0], ("lib/b.py".into(), 3));
    // Parts of identifiers, words of the path, other scripts.
    assert_eq!(found(&reader, "line", &options).len(), 7);
    assert_eq!(found(&reader, "größe", &options).len(), 7);
    assert_eq!(found(&reader, "lib", &options).len(), 4);
    assert_eq!(found(&reader, "nothing such", &options), []);
    assert_eq!(found(&reader, " -- ", &options), []);
}

#[test]
fn phrases_raise_the_score_and_filters_narrow() {
    let index = Index::new();
    let token = publish(&mut opened(&index, None), 1, &[], &[record("src/a.rs", 3), record("lib/b.py", 4)]);
    let reader = reader(&index, &token);
    let options = SearchOptions::default();
    let score = |text: &str| reader.search(text, &options).expect("search")[0].score;
    for phrase in ["parse line 3", "fn parseLine3"] {
        assert_eq!(found(&reader, &format!("\"{phrase}\""), &options)[0], ("lib/b.py".into(), 3));
        assert!(score(&format!("\"{phrase}\"")) > score(phrase), "{phrase}");
    }
    for odd in ["\"line parse\"", "\"parse", "parse\" line", "\"parse\" \"never written\""] {
        assert_eq!(found(&reader, odd, &options).len(), 7, "{odd}");
    }
    for (glob, rows) in [("*.py", 4), ("src/", 3), ("**/a.rs", 3), ("lib/[a-c].{rs,py}", 4), ("b", 0), ("src/*", 3)] {
        let options = SearchOptions { paths: vec![glob.into()], ..SearchOptions::default() };
        assert_eq!(found(&reader, "parse", &options).len(), rows, "{glob}");
    }
    let methods = SearchOptions { kinds: vec!["method".into()], languages: vec!["rust".into()], ..options.clone() };
    assert_eq!(found(&reader, "parse", &methods).len(), 2);
    let none = SearchOptions { languages: vec!["python".into()], ..options };
    assert_eq!(found(&reader, "parse", &none), []);
}

#[test]
fn later_epochs_do_not_show_at_an_older_token() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let first = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    let pinned = reader(&index, &first);
    let before = digest(&index, &first);
    let second = publish(&mut sink, 2, &[("a", 3)], &[record("a", 8)]);
    let third = publish(&mut sink, 3, &[("b", 4)], &[]);
    assert_eq!(pinned.digest().expect("digest"), before);
    assert_eq!(digest(&index, &first), before);
    assert_eq!([&first, &second, &third].map(|token| reader(&index, token).count()), [7, 7, 3]);
    assert_eq!(publish(&mut sink, 4, &[], &[]), third, "an epoch without change keeps the state");
}

#[test]
fn an_aborted_epoch_leaves_nothing() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    let files = names(&index);
    for replace in [false, true] {
        stage(&mut sink, 2, replace, &[("a", 3)], &[record("c", 3)]);
        sink.abort();
        assert_eq!(names(&index), files);
        sink.open(Some(&base));
        sink.begin(2, replace);
        write(&mut sink, &[("a", 3)], &[record("c", 3)], &[]);
        sink.abort();
        assert_eq!(names(&index), files);
        sink.open(Some(&base));
    }
    stage(&mut sink, 2, false, &[], &[]);
    sink.abort();
    assert_eq!(names(&index), files, "the base stays when an epoch without change is aborted");
    sink.open(Some(&base));
    let token = publish(&mut sink, 2, &[("b", 4)], &[record("c", 3)]);
    assert_eq!((reader(&index, &base).count(), reader(&index, &token).count()), (7, 6));
}

#[test]
fn a_published_epoch_without_commit_is_rolled_back() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    let before = digest(&index, &base);
    let lost = publish(&mut sink, 2, &[("a", 3)], &[record("c", 3)]);
    drop(sink);
    let mut sink = opened(&index, Some(&base));
    assert!(TantivyReader::open(&index.folder, &lost).is_err(), "the lost epoch is gone");
    let generic: serde_json::Value =
        serde_json::from_slice(&std::fs::read(index.folder.join("meta.json")).expect("meta")).expect("JSON");
    assert_eq!(generic["opstamp"], base["opstamp"], "other readers see the base too");
    let token = publish(&mut sink, 2, &[("b", 4)], &[record("d", 3)]);
    assert_eq!(digest(&index, &base), before);
    let expected = Index::new();
    let scratch = publish(&mut opened(&expected, None), 1, &[], &[record("d", 3), record("a", 3)]);
    assert_eq!(digest(&index, &token), digest(&expected, &scratch));
}

#[test]
fn a_sink_dropped_while_staging_leaves_the_base() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    let before = digest(&index, &base);
    for staged in [false, true] {
        sink.begin(2, false);
        write(&mut sink, &[("a", 3)], &[record("c", 3)], &[]);
        if staged {
            sink.try_stage(2).expect("stage");
        }
        drop(sink);
        sink = opened(&index, Some(&base));
        assert_eq!(digest(&index, &base), before);
    }
    sink.open(None);
    assert!(names(&index).is_empty(), "nothing is committed, so nothing stays");
}

#[test]
fn merges_keep_segments_few_and_old_epochs_readable() {
    let index = Index::new();
    let config = TantivyConfig { max_segments: 4, sync: false, ..TantivyConfig::default() };
    let mut sink = index.tantivy_with(config.clone());
    sink.open(None);
    let mut epochs = Vec::new();
    for epoch in 1..=13 {
        let path = format!("f{}", epoch % 5);
        let before = (epoch > 5).then(|| (&*path, epoch * 5 - 22));
        let token = publish(&mut sink, epoch.into(), before.as_slice(), &[record(&path, epoch * 5 + 3)]);
        let reader = reader(&index, &token);
        assert!(reader.segments() <= 4, "{} segments", reader.segments());
        epochs.push((token, reader.digest().expect("digest")));
    }
    for (token, expected) in &epochs {
        assert_eq!(digest(&index, token), *expected);
    }

    let kept: Vec<_> = epochs.iter().skip(11).map(|(token, _)| token.clone()).collect();
    let before = names(&index).len();
    config.retain(&index.folder, &kept).expect("retain");
    assert!(names(&index).len() < before);
    assert!(TantivyReader::open(&index.folder, &epochs[10].0).is_err());
    for (token, expected) in epochs.iter().skip(11) {
        assert_eq!(digest(&index, token), *expected);
    }
    publish(&mut sink, 14, &[("f1", 58)], &[]);
}

#[test]
fn digests_depend_on_content_alone() {
    let records: Vec<_> = (0..12).map(|nth| record(&format!("f{nth}"), nth)).collect();
    let whole = Index::new();
    let token = publish(&mut opened(&whole, None), 1, &[], &records);
    let expected = digest(&whole, &token);

    let pieces = Index::new();
    let mut sink = opened(&pieces, None);
    publish(&mut sink, 1, &[], &[record("f4", 33), record("gone", 4)]);
    for (epoch, records) in (2..).zip(records.rchunks(5)) {
        let removed = records.iter().any(|record| record.path.as_str() == "f4").then_some(("f4", 33));
        publish(&mut sink, epoch, removed.as_slice(), records);
    }
    let token = publish(&mut sink, 9, &[("gone", 4)], &[]);
    assert_eq!(digest(&pieces, &token), expected);
    let token = publish(&mut sink, 10, &[("f4", 4)], &[record("f4", 24)]);
    assert_ne!(digest(&pieces, &token), expected);
}

#[test]
fn one_thread_gives_the_same_index() {
    let records: Vec<_> = (0..12).map(|nth| record(&format!("f{nth}"), nth)).collect();
    let (one, many) = (Index::new(), Index::new());
    let mut context = one.context(&[gristmill_pipeline::port::Port::Chunks]);
    context.single_threaded = true;
    let mut sink = Store::new(TantivyConfig::default(), context);
    sink.open(None);
    let token = publish(&mut sink, 1, &[], &records);
    let threads = TantivyConfig { threads: 3, ..TantivyConfig::default() };
    let mut sink = many.tantivy_with(threads);
    sink.open(None);
    let other = publish(&mut sink, 1, &[], &records);
    assert_eq!(digest(&one, &token), digest(&many, &other));
}

#[test]
fn a_record_without_chunks_is_refused() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    sink.begin(1, false);
    let mut bare = record("a", 3);
    bare.chunks = None;
    let error = sink.writer().add(&[bare]).expect_err("nothing to index").to_string();
    assert!(error.contains("`a` has no chunks"), "{error}");
}

fn names(index: &Index) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(&index.folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
