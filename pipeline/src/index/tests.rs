use std::collections::BTreeMap;

use gristmill_ids::Hash;

use super::*;
use crate::index::CommitRecord;
use crate::merkle::{Leaf, Stat};

pub(crate) fn record(epoch: u64, tree: &Tree) -> CommitRecord {
    CommitRecord {
        format: FORMAT,
        epoch: Epoch::new(epoch),
        committed_ms: 0,
        merkle_root: tree.root_hash(),
        files: tree.len() as u64,
        source: "/src".into(),
        revision: None,
        refs: Vec::new(),
        selection: None,
        views: BTreeMap::new(),
        analysis: Hash::of(b""),
        rows: Hash::of(b""),
        sinks: BTreeMap::new(),
        tokens: BTreeMap::new(),
        seals: Seals::new(),
    }
}

fn tree() -> Tree {
    Tree::build(vec![("a".into(), Leaf { content_hash: Hash::of(b"a"), stat: Stat::default(), note: None })], 1)
}

#[test]
fn an_epoch_exists_once_head_names_it() {
    let folder = tempfile::tempdir().expect("creates");
    let path = folder.path().join("index");
    assert!(matches!(IndexFolder::open(&path), Err(IndexError::Missing { .. })));
    let writer = IndexWriter::open(&path).expect("opens");
    assert_eq!(writer.folder().head().expect("reads"), None);
    writer.write_tree(Epoch::new(1), &tree()).expect("writes");
    assert!(matches!(IndexFolder::open(&path), Err(IndexError::Missing { .. })), "a tree alone is no epoch");
    writer.commit(&record(1, &tree())).expect("commits");
    let reader = IndexFolder::open(&path).expect("opens");
    let head = reader.head().expect("reads").expect("has one");
    assert_eq!((head.epoch.get(), reader.tree(&head).expect("reads")), (1, tree()));
    assert!(matches!(reader.record(Epoch::new(2)), Err(IndexError::NoEpoch { epoch, .. }) if epoch == Epoch::new(2)));
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().expect("creates");
    let path = folder.path().join("index");
    let first = IndexWriter::open(&path).expect("opens");
    assert!(matches!(IndexWriter::open(&path), Err(IndexError::Locked { .. })));
    drop(first);
    IndexWriter::open(&path).expect("the lock ends with its holder");
}

#[test]
fn refuses_what_is_no_index_or_a_newer_one() {
    let folder = tempfile::tempdir().expect("creates");
    std::fs::write(folder.path().join("notes.txt"), "mine").expect("writes");
    assert!(matches!(IndexWriter::open(folder.path()), Err(IndexError::NotAnIndex { .. })));
    assert!(matches!(IndexWriter::open(&folder.path().join("notes.txt")), Err(IndexError::NotAnIndex { .. })));

    let path = folder.path().join("index");
    let writer = IndexWriter::open(&path).expect("opens");
    writer.commit(&CommitRecord { format: FORMAT + 1, ..record(1, &tree()) }).expect("commits");
    drop(writer);
    assert!(matches!(IndexWriter::open(&path), Err(IndexError::Newer { .. })));
    assert!(matches!(IndexFolder::open(&path), Err(IndexError::Newer { .. })));
}

#[test]
fn damage_is_found() {
    let folder = tempfile::tempdir().expect("creates");
    let writer = IndexWriter::open(folder.path()).expect("opens");
    writer.write_tree(Epoch::new(1), &tree()).expect("writes");
    let record = record(1, &tree());
    writer.commit(&record).expect("commits");
    writer.write_tree(Epoch::new(1), &Tree::empty()).expect("writes");
    assert!(matches!(writer.folder().tree(&record), Err(IndexError::Damaged { .. })), "another tree");
    std::fs::write(folder.path().join("HEAD"), "zero").expect("writes");
    assert!(matches!(writer.folder().head(), Err(IndexError::Damaged { .. })));
}

#[test]
fn an_epoch_is_held_while_its_revision_gets_another_name() {
    let folder = tempfile::tempdir().expect("creates");
    let writer = IndexWriter::open(folder.path()).expect("opens");
    let first = CommitRecord { revision: Some("old".into()), ..record(1, &tree()) };
    writer.commit(&first).expect("commits");
    let pin = writer.folder().pin(Epoch::new(1)).expect("is there");
    let renamed = CommitRecord { revision: Some("new".into()), selection: Some(Hash::of(b"all")), ..first.clone() };
    writer.rename(&renamed).expect("writes");
    assert_eq!(writer.folder().head().expect("reads").as_ref(), Some(&renamed));

    writer.commit(&record(2, &tree())).expect("commits");
    let kept = |writer: &IndexWriter| -> Vec<Epoch> {
        writer.give_up_old(1).expect("deletes").iter().map(|record| record.epoch).collect()
    };
    assert_eq!(kept(&writer), [Epoch::new(1), Epoch::new(2)]);
    drop(pin);
    assert_eq!(kept(&writer), [Epoch::new(2)]);
    assert!(writer.folder().pin(Epoch::new(1)).is_err());

    // An index that begins again has nothing of the names that there were.
    writer.commit(&first).expect("commits");
    assert_eq!(writer.folder().head().expect("reads"), Some(first));
}

#[test]
fn a_damaged_name_of_a_revision_is_found() {
    let folder = tempfile::tempdir().expect("creates");
    let writer = IndexWriter::open(folder.path()).expect("opens");
    writer.commit(&record(1, &tree())).expect("commits");
    std::fs::write(folder.path().join("commits/1.revision"), "{").expect("writes");
    assert!(matches!(writer.folder().head(), Err(IndexError::Damaged { .. })));
}

#[test]
fn any_number_of_epochs_can_be_kept() {
    let folder = tempfile::tempdir().expect("creates");
    let writer = IndexWriter::open(folder.path()).expect("opens");
    for epoch in 1..=3 {
        writer.commit(&record(epoch, &tree())).expect("commits");
    }
    for (keep, left) in [(u64::MAX, 3), (3, 3), (2, 2), (1, 1)] {
        assert_eq!(writer.give_up_old(keep).expect("deletes").len(), left, "{keep}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_dropped_while_it_is_listed_is_not_there() {
    let folder = tempfile::tempdir().expect("creates");
    let writer = IndexWriter::open(folder.path()).expect("opens");
    for epoch in 1..=3 {
        writer.commit(&record(epoch, &tree())).expect("commits");
        writer.write_run(format!("{epoch}").as_bytes()).expect("writes");
    }
    // Listed, and not there when it is read.
    for gone in ["commits/2.json", "runs/1.json"] {
        let gone = folder.path().join(gone);
        std::fs::remove_file(&gone).expect("deletes");
        std::os::unix::fs::symlink("nowhere", &gone).expect("links");
    }
    let epochs = writer.folder().epochs().expect("reads");
    assert_eq!(epochs.iter().flatten().map(|record| record.epoch.get()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(writer.folder().runs().expect("reads"), [(2, "2".to_owned()), (3, "3".to_owned())]);
}
