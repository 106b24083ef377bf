//! Rows of the Lance store by their keys, of the newest epoch and of kept ones.

use gristmill_pipeline::Token;
use gristmill_sinks::tables::Table;

use crate::fixture::{Index, publish, record, row};
use crate::lance::{all, assert_recalled, opened, reader, recalled};

#[test]
fn a_path_can_hold_two_contents_at_once() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    publish(&mut sink, 2, &[], &[record("a", 8)]);
    assert_recalled(&mut sink, "a", 3, None);
    assert_recalled(&mut sink, "a", 8, None);
    let token = publish(&mut sink, 3, &[("a", 3)], &[]);
    assert_recalled(&mut sink, "a", 8, None);
    assert!(recalled(&mut sink, "a", 3, None).is_none());
    assert_recalled(&mut sink, "a", 3, Some(&base));
    assert_eq!(reader(&index, &token).count_rows(&Table::Files), 2);
}

#[test]
fn rows_that_came_and_went_come_back_as_they_were_last() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let base = publish(&mut sink, 1, &[], &[record("a", 3), record("b", 4)]);
    // The same content under another analysis: no definitions, no diagnostics.
    let mut bare = record("a", 3);
    let mut analysis = gristmill_pipeline::Analysis::clone(&bare.analysis);
    analysis.definitions.clear();
    analysis.diagnostics.clear();
    bare.analysis = std::sync::Arc::new(analysis);
    publish(&mut sink, 2, &[("a", 3)], &[bare]);
    publish(&mut sink, 3, &[("a", 3)], &[record("a", 9)]);
    let found = recalled(&mut sink, "a", 3, Some(&base)).expect("it is kept");
    assert!(found.analysis.definitions.is_empty() && found.analysis.diagnostics.is_empty());
    assert_eq!(found.analysis.references, record("a", 3).analysis.references);
}

fn keys_of(token: &Token, table: &str) -> Vec<String> {
    let names = token[table]["keys"].as_array().expect("names");
    names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn files_of_keys_are_few_and_are_made_anew_where_they_are_lost() {
    let index = Index::new();
    let mut sink = opened(&index, None);
    let mut token = publish(&mut sink, 1, &[], &all());
    let first = token.clone();
    for epoch in 2..=12 {
        token = publish(&mut sink, epoch, &[("src/file8.rs", 8)], &[record(&format!("f{epoch}"), 8)]);
    }
    for table in ["files", "chunks"] {
        assert!(keys_of(&token, table).len() <= 8, "{:?}", keys_of(&token, table));
    }
    assert_recalled(&mut sink, "src/file8.rs", 8, Some(&first));

    let file = index.folder.join("files.keys").join(keys_of(&token, "files").first().expect("a file"));
    let damage: [&dyn Fn(); 2] = [
        &|| {
            let mut bytes = std::fs::read(&file).expect("read");
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            std::fs::write(&file, bytes).expect("write");
        },
        &|| std::fs::remove_file(&file).expect("remove"),
    ];
    for damage in damage {
        damage();
        let mut sink = opened(&index, Some(&token));
        sink.begin(13, false);
        assert_recalled(&mut sink, "src/file9.rs", 9, None);
        assert_recalled(&mut sink, "f12", 8, None);
        sink.try_stage(13).expect("stage");
        let healed = sink.publish();
        assert_ne!(keys_of(&healed, "files"), keys_of(&token, "files"));
        let mut sink = opened(&index, Some(&healed));
        assert_recalled(&mut sink, "src/file9.rs", 9, None);
        let after = publish(&mut sink, 14, &[("src/file9.rs", 9)], &[]);
        assert_eq!(reader(&index, &after).count_rows(&Table::Files), 39);
    }

    // A token of an older version of the program names no files.
    let mut older = token.clone();
    older["chunks"].as_object_mut().expect("an object").remove("keys");
    let mut sink = opened(&index, Some(&older));
    sink.begin(13, false);
    assert_recalled(&mut sink, "f12", 8, None);
    sink.writer().remove(&[row("f12", 8)]).expect("remove");
    sink.try_stage(13).expect("stage");
    let after = sink.publish();
    let mut sink = opened(&index, Some(&after));
    assert_recalled(&mut sink, "src/file9.rs", 9, None);
    assert!(recalled(&mut sink, "f12", 8, None).is_none());
}
