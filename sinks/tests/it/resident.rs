//! Tables in memory beside the tables on disk, over epochs that add, delete, join fragments
//! and are rolled back.

use std::cell::Cell;
use std::collections::BTreeSet;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use gristmill_pipeline::{RowKey, Token};
use gristmill_sinks::LanceReader;
use gristmill_sinks::lance::{Resident, RowFiles};
use gristmill_sinks::tables::Table;
use proptest::prelude::*;

use crate::fixture::{Index, publish, record, row, stage};

struct Symbols {
    files: RowFiles,
    batch: RecordBatch,
}

const COLUMNS: [&str; 4] = ["path", "content_hash", "name", "ordinal"];

type Rows = BTreeSet<(String, RowKey, String, u32)>;

fn load(reader: &LanceReader, last: Option<&Resident<Symbols>>, made: &Cell<usize>) -> Resident<Symbols> {
    let make = |batch: RecordBatch| {
        made.set(made.get() + 1);
        Ok(Symbols { files: RowFiles::of(&batch)?, batch })
    };
    reader.resident(&Table::Symbols, &COLUMNS, last, make).expect("a table in memory")
}

fn rows_of(batch: &RecordBatch, files: &RowFiles, row: usize) -> (String, RowKey, String, u32) {
    let (path, key) = files.get(row).expect("a file");
    let name = batch["name"].as_string::<i32>().value(row).to_owned();
    (path.to_string(), *key, name, batch["ordinal"].as_primitive::<UInt32Type>().value(row))
}

fn in_memory(table: &Resident<Symbols>) -> Rows {
    let mut rows = Rows::new();
    for segment in table.segments() {
        let Symbols { files, batch } = segment.value();
        for nth in (0..segment.len()).filter(|nth| segment.is_live(*nth)) {
            let address = segment.address(nth).expect("an address");
            assert_eq!(segment.row_at(address), Some(nth));
            assert!(rows.insert(rows_of(batch, files, nth)), "a row comes twice");
        }
    }
    assert_eq!(rows.len(), table.rows());
    rows
}

fn on_disk(reader: &LanceReader) -> Rows {
    let batches = reader.scan(&Table::Symbols, &COLUMNS).expect("a scan");
    let of = |batch: &RecordBatch| {
        let files = RowFiles::of(batch).expect("files");
        (0..batch.num_rows()).map(|row| rows_of(batch, &files, row)).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of).collect()
}

fn reader(index: &Index, token: &Token) -> LanceReader {
    LanceReader::open(&index.folder, token).expect("a reader")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_in_memory_is_what_is_on_disk(history in prop::collection::vec(prop::collection::vec((0_u32..8, 0_u32..20), 1..4), 2..14)) {
        let index = Index::new();
        let mut sink = index.lance();
        let mut tokens: Vec<Token> = Vec::new();
        let mut held: Vec<Option<u32>> = vec![None; 8];
        let mut last: Option<Resident<Symbols>> = None;
        let made = Cell::new(0);
        sink.open(None);
        for (epoch, changes) in (1..).zip(&history) {
            let (mut removed, mut added) = (Vec::new(), Vec::new());
            let mut seen = BTreeSet::new();
            for (file, version) in changes.iter().filter(|(file, _)| seen.insert(*file)) {
                let before = held[*file as usize].replace(*version);
                if before == Some(*version) {
                    continue;
                }
                removed.extend(before.map(|before| (format!("f{file}"), before)));
                added.push(record(&format!("f{file}"), *version));
            }
            let removed: Vec<(&str, u32)> = removed.iter().map(|(path, version)| (path.as_str(), *version)).collect();
            // Every third epoch is begun, published, and never committed.
            if epoch % 3 == 0 && let Some(token) = tokens.last() {
                stage(&mut sink, epoch, false, &removed, &added);
                sink.publish();
                sink.open(Some(token));
            }
            let token = publish(&mut sink, epoch, &removed, &added);
            let reader = reader(&index, &token);
            let table = load(&reader, last.as_ref(), &made);
            prop_assert_eq!(in_memory(&table), on_disk(&reader));
            // An older epoch can be loaded beside it, and not from what is newer.
            if let Some(older) = tokens.first() {
                let reader = self::reader(&index, older);
                prop_assert_eq!(in_memory(&load(&reader, Some(&table), &Cell::new(0))), on_disk(&reader));
            }
            tokens.push(token);
            last = Some(table);
        }
    }
}

#[test]
fn an_epoch_reads_only_what_it_added() {
    let index = Index::new();
    let mut sink = index.lance();
    sink.open(None);
    let files: Vec<_> = (0..50).map(|nth| record(&format!("f{nth}"), 3)).collect();
    let first = publish(&mut sink, 1, &[], &files);
    let second = publish(&mut sink, 2, &[("f7", 3)], &[record("f7", 4)]);
    let third = publish(&mut sink, 3, &[("f8", 3)], &[]);
    let made = Cell::new(0);
    let table = load(&reader(&index, &first), None, &made);
    let fragments = made.get();
    let table = load(&reader(&index, &second), Some(&table), &made);
    assert_eq!(made.get(), fragments + 1, "one fragment came");
    let table = load(&reader(&index, &third), Some(&table), &made);
    assert_eq!(made.get(), fragments + 1, "a deletion brings nothing to read");
    let key = row("f8", 3).key();
    assert!(in_memory(&table).iter().all(|row| row.1 != key));
}
