//! The approximate index over vectors, epoch by epoch, beside a plain list of them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::sync::Arc;

use gristmill_pipeline::port::{Chunk, Header, Port, Span, Text};
use gristmill_pipeline::{
    Analysis, Extras, Hash, Record, RecordChunks, RelPath, RowId, RowKey, SinkConfig as _, SinkContext, Token,
};
use gristmill_sinks::lance::{NearChunk, VectorForm, VectorIndexConfig, VectorIndexKind, VectorMetric};
use gristmill_sinks::tables::Table;
use gristmill_sinks::{LanceConfig, LanceReader};

use crate::fixture::{self, Index, assert_same};

const DIMENSION: usize = 16;
const CHUNKS_OF_A_FILE: usize = 10;
const NEAREST: usize = 10;

/// Numbers that look random, and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// A vector near one of 24 places, as passages about one matter lie together.
    fn vector(&mut self) -> Vec<f32> {
        let mut place = Random(0x9e37_79b9 * (1 + self.below(24) as u64));
        (0..DIMENSION).map(|_| place.unit() + 0.4 * self.unit()).collect()
    }
}

/// A file of ten chunks whose vectors follow from the number.
fn file(number: u64) -> Record {
    let mut random = Random(number.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
    let lines: Vec<String> = (0..CHUNKS_OF_A_FILE).map(|nth| format!("line {nth} of {number}\n")).collect();
    let path = RelPath::from(format!("dir{}/f{number}", number % 3).as_str());
    let mut start = 0;
    let chunk = |(line, text): (u32, &String)| {
        let end = start + text.len() as u32;
        let span =
            Span { start_byte: std::mem::replace(&mut start, end), end_byte: end, start_line: line, end_line: line };
        let body_hash = Header::None.body_hash("", "", text);
        Chunk {
            span,
            kind: "text",
            symbol: "".into(),
            scope: "".into(),
            tokens: 4,
            body_hash,
            extras: Extras::default(),
        }
    };
    let chunks: Vec<Chunk> = (1..).zip(&lines).map(chunk).collect();
    let text = lines.concat();
    let hashes = chunks.iter().map(|chunk| Header::None.chunk_hash(&path, &chunk.body_hash)).collect();
    let vectors = (0..CHUNKS_OF_A_FILE).flat_map(|_| random.vector()).collect();
    let analysis = Analysis {
        content_hash: Hash::of(text.as_bytes()),
        language: "text".into(),
        bytes: text.len() as u64,
        lines: CHUNKS_OF_A_FILE as u32,
        text: Text::new(text),
        definitions: Vec::new(),
        references: Vec::new(),
        imports: Vec::new(),
        diagnostics: Vec::new(),
        extras: Extras::default(),
    };
    Record {
        path,
        analysis: Arc::new(analysis),
        chunks: Some(RecordChunks { chunks: chunks.into(), hashes, vectors: Some(vectors) }),
    }
}

fn row(record: &Record) -> RowId {
    RowId { path: record.path.clone(), content_hash: record.analysis.content_hash }
}

/// A store, and the files that it should hold.
struct Store {
    index: Index,
    config: LanceConfig,
    sink: fixture::Store,
    epoch: u64,
    token: Option<Token>,
    held: BTreeMap<u64, Record>,
}

fn config(kind: VectorIndexKind, metric: VectorMetric) -> LanceConfig {
    let vector_index = VectorIndexConfig { kind, metric, rows: 300, unindexed_rows: 45 };
    LanceConfig { sync: false, vector_index, ..LanceConfig::default() }
}

fn sink(index: &Index, config: &LanceConfig, single_threaded: bool) -> fixture::Store {
    let context = SinkContext { dimension: Some(DIMENSION), single_threaded, ..index.context(&[Port::Vectors]) };
    fixture::Store::new(config.clone(), context)
}

impl Store {
    fn new(config: LanceConfig) -> Self {
        let index = Index::new();
        let mut sink = sink(&index, &config, false);
        sink.open(None);
        Self { index, config, sink, epoch: 0, token: None, held: BTreeMap::new() }
    }

    /// As a process that starts on what was committed.
    fn reopen(&mut self) {
        self.sink = sink(&self.index, &self.config, false);
        self.sink.open(self.token.as_ref());
    }

    fn stage(&mut self, removed: &[u64], added: impl IntoIterator<Item = u64>, compact: bool) -> BTreeMap<u64, Record> {
        let mut next = self.held.clone();
        self.sink.begin(self.epoch + 1, false);
        let rows: Vec<RowId> = removed.iter().filter_map(|number| Some(row(&next.remove(number)?))).collect();
        self.sink.writer().remove(&rows).expect("remove");
        let added: BTreeMap<u64, Record> = added.into_iter().map(|number| (number, file(number))).collect();
        self.sink.writer().add(&added.values().cloned().collect::<Vec<_>>()).expect("add");
        if compact {
            self.sink.writer().compact().expect("compact");
        }
        self.sink.try_stage(self.epoch + 1).expect("stage");
        next.extend(added);
        next
    }

    fn publish(&mut self, removed: &[u64], added: impl IntoIterator<Item = u64>) -> LanceReader {
        self.held = self.stage(removed, added, false);
        self.commit()
    }

    /// Publishes an epoch that is never committed.
    fn lose(&mut self, removed: &[u64], added: impl IntoIterator<Item = u64>) {
        self.stage(removed, added, false);
        self.sink.publish();
    }

    fn compact(&mut self) -> LanceReader {
        self.held = self.stage(&[], [], true);
        self.commit()
    }

    fn commit(&mut self) -> LanceReader {
        self.token = Some(self.sink.publish());
        self.epoch += 1;
        self.reader()
    }

    fn reader(&self) -> LanceReader {
        LanceReader::open(&self.index.folder, self.token.as_ref().expect("an epoch")).expect("a reader")
    }

    /// The nearest by plain comparison: key of the file, ordinal, score.
    fn exact(&self, wanted: &[f32], among: Option<&HashSet<RowKey>>) -> Vec<(RowKey, u32, f32)> {
        let to = self.config.vector_index.metric.to(wanted);
        let mut all = Vec::new();
        for record in self.held.values() {
            let key = row(record).key();
            if among.is_some_and(|among| !among.contains(&key)) {
                continue;
            }
            let vectors = record.chunks.as_ref().and_then(|chunks| chunks.vectors.as_deref()).expect("vectors");
            all.extend((0..).zip(vectors.chunks_exact(DIMENSION)).map(|(nth, vector)| (key, nth, to.of(vector))));
        }
        all.sort_by(|left, right| right.2.total_cmp(&left.2));
        all.truncate(NEAREST);
        all
    }

    /// Fails where an answer is a row that is not held, is scored wrongly, or is missing too
    /// often.
    #[track_caller]
    fn check(&self, reader: &LanceReader, among: Option<&HashSet<RowKey>>) {
        let keys: HashSet<RowKey> = self.held.values().map(|record| row(record).key()).collect();
        assert_eq!(reader.count_rows(&Table::Chunks), (keys.len() * CHUNKS_OF_A_FILE) as u64);
        let mut random = Random(77);
        let (mut found, mut expected) = (0, 0);
        for _ in 0..20 {
            let wanted = random.vector();
            let exact = self.exact(&wanted, among);
            let near = reader.nearest(&wanted, NEAREST, among).expect("an answer");
            assert!(near.windows(2).all(|pair| pair[0].score >= pair[1].score));
            assert!(near.iter().all(|near| keys.contains(&near.row.row)), "a row that was removed");
            assert!(near.iter().all(|near| among.is_none_or(|among| among.contains(&near.row.row))));
            let score = |near: &NearChunk| {
                let same = exact.iter().find(|(key, nth, _)| (*key, *nth) == (near.row.row, near.row.ordinal));
                same.map(|(.., score)| assert!((score - near.score).abs() < 1e-4, "{score} {}", near.score))
            };
            found += near.iter().filter_map(score).count();
            expected += exact.len();
        }
        assert!(found * 100 >= expected * 95, "{found} of {expected} were found, at epoch {}", self.epoch);
    }

    fn digest(&self) -> Hash {
        self.reader().digest().expect("digest")
    }

    fn files_in(&self, folder: &str) -> BTreeSet<OsString> {
        let entries = std::fs::read_dir(self.index.folder.join("chunks.lance").join(folder));
        entries.into_iter().flatten().map(|entry| entry.expect("an entry").file_name()).collect()
    }

    /// The parts of indexes on the disk.
    fn parts(&self) -> BTreeSet<OsString> {
        self.files_in("_indices")
    }
}

const KINDS: [VectorIndexKind; 3] = [VectorIndexKind::IvfSq, VectorIndexKind::IvfPq, VectorIndexKind::IvfHnswSq];
const METRICS: [VectorMetric; 3] = [VectorMetric::Cosine, VectorMetric::Dot, VectorMetric::L2];

#[test]
fn searches_find_what_is_there_through_any_epochs() {
    for (kind, metric) in KINDS.into_iter().zip(METRICS) {
        let mut store = Store::new(config(kind, metric));
        let mut random = Random(5);
        let mut next = 100_u64;
        let reader = store.publish(&[], 0..20);
        assert!(!reader.has_vector_index(), "200 rows are too few");
        store.check(&reader, None);
        let reader = store.publish(&[], 20..60);
        assert!(reader.has_vector_index(), "{kind:?}");
        store.check(&reader, None);
        for epoch in 0..10 {
            let held: Vec<u64> = store.held.keys().copied().collect();
            let removed: Vec<u64> = (0..2).map(|_| held[random.below(held.len())]).collect();
            let added = next..next + random.below(5) as u64;
            next = added.end;
            if epoch % 5 == 3 {
                store.reopen();
            }
            let reader = store.publish(&removed, added);
            assert!(reader.has_vector_index());
            store.check(&reader, None);
        }
        let among: HashSet<RowKey> = store.held.values().step_by(4).map(|record| row(record).key()).collect();
        store.check(&store.reader(), Some(&among));
        let reader = store.compact();
        assert!(reader.has_vector_index());
        store.check(&reader, None);
        store.check(&reader, Some(&among));
        let query = [0.5; DIMENSION];
        let best = reader.nearest(&query, NEAREST, None).expect("an answer");
        let addresses: HashSet<u64> = best.iter().skip(3).step_by(2).map(|near| near.address).collect();
        let found = reader.nearest_at(&query, NEAREST, &addresses).expect("an answer");
        assert!(!found.is_empty() && found.iter().all(|near| addresses.contains(&near.address)), "{found:?}");
        assert_eq!(reader.nearest_at(&query, NEAREST, &HashSet::new()).expect("an answer"), []);
        assert_eq!(reader.nearest(&[0.5; DIMENSION], NEAREST, Some(&HashSet::new())).expect("an answer"), []);
        assert!(reader.nearest(&[0.5; 3], NEAREST, None).is_err(), "another dimension");
    }
}

fn sq() -> LanceConfig {
    config(VectorIndexKind::IvfSq, VectorMetric::Cosine)
}

#[test]
fn an_epoch_that_is_given_up_leaves_the_index_before_it() {
    let mut store = Store::new(sq());
    store.publish(&[], 0..40);
    let digest = store.digest();
    // Enough rows to be put into the index, or to build another.
    for more in [10, 60] {
        store.stage(&[3], 100..100 + more, false);
        store.sink.abort();
        store.reopen();
        store.check(&store.reader(), None);

        store.stage(&[3], 100..100 + more, false);
        store.reopen();
        store.check(&store.reader(), None);

        store.lose(&[3], 100..100 + more);
        store.reopen();
        store.check(&store.reader(), None);

        // A crash after the rows were published, before the index was.
        store.lose(&[3], 100..100 + more);
        let newest = store.files_in("_versions").into_iter().next().expect("a version");
        std::fs::remove_file(store.index.folder.join("chunks.lance/_versions").join(newest)).expect("remove");
        store.reopen();
        store.check(&store.reader(), None);
        assert_eq!(store.digest(), digest);
    }
    let reader = store.publish(&[5, 6], 200..215);
    assert!(reader.has_vector_index());
    store.check(&reader, None);
}

#[test]
fn only_indexes_of_kept_epochs_keep_their_space() {
    let mut store = Store::new(sq());
    store.publish(&[], 0..40);
    let mut tokens = Vec::new();
    for epoch in 0..6_u64 {
        store.publish(&[epoch], 100 + 10 * epoch..110 + 10 * epoch);
        tokens.push((store.token.clone().expect("an epoch"), store.held.clone()));
    }
    store.lose(&[], 500..600);
    store.reopen();
    let before = store.parts();
    let config = store.config.clone();
    config.retain(&store.index.folder, &[tokens[2].0.clone(), tokens[5].0.clone()]).expect("retain");
    let after = store.parts();
    assert!(after.len() < before.len() && after.is_subset(&before), "{after:?} of {before:?}");
    for nth in [5, 2] {
        (store.token, store.held) = (Some(tokens[nth].0.clone()), tokens[nth].1.clone());
        let reader = store.reader();
        assert!(reader.has_vector_index());
        store.check(&reader, None);
    }
    let config = store.config.clone();
    config.retain(&store.index.folder, &[tokens[2].0.clone()]).expect("retain");
    store.check(&store.reader(), None);
}

#[test]
fn an_index_changes_no_rows() {
    let mut with = Store::new(sq());
    let mut without = Store::new(config(VectorIndexKind::None, VectorMetric::Cosine));
    for store in [&mut with, &mut without] {
        store.publish(&[], 0..40);
        store.publish(&[1, 2], 50..60);
        store.compact();
    }
    assert!(with.reader().has_vector_index() && !without.reader().has_vector_index());
    assert_eq!(with.digest(), without.digest());
    let rows: Vec<RowId> = with.held.values().map(row).collect();
    let [left, right] = [&mut with, &mut without].map(|store| store.sink.records(&rows, None));
    for (left, right) in left.iter().zip(&right) {
        assert_same(left.as_ref().expect("it is stored"), right.as_ref().expect("it is stored"));
    }
}

#[test]
fn another_kind_or_metric_rebuilds_the_index_alone() {
    let mut store = Store::new(sq());
    store.publish(&[], 0..40);
    let (data, digest) = (store.files_in("data"), store.digest());
    let others = [
        config(VectorIndexKind::IvfSq, VectorMetric::L2),
        config(VectorIndexKind::IvfPq, VectorMetric::L2),
        config(VectorIndexKind::None, VectorMetric::Dot),
    ];
    for other in others {
        let fingerprint = store.config.fingerprint();
        let parts = store.parts();
        store.config = other;
        store.reopen();
        assert_eq!(store.config.fingerprint(), fingerprint);
        // What is committed stays as it is until there is another epoch.
        assert!(store.reader().has_vector_index());
        let reader = store.publish(&[], []);
        let VectorIndexConfig { kind, metric, .. } = store.config.vector_index;
        assert_eq!(reader.has_vector_index(), kind != VectorIndexKind::None);
        assert_eq!(reader.metric(), metric);
        store.check(&reader, None);
        assert_eq!(store.digest(), digest);
        assert_eq!(store.files_in("data"), data);
        assert_eq!(store.parts().len(), parts.len() + usize::from(kind != VectorIndexKind::None));
    }
}

#[test]
fn an_index_goes_when_most_rows_do() {
    let mut store = Store::new(sq());
    store.publish(&[], 0..30);
    assert!(store.reader().has_vector_index());
    let reader = store.publish(&(0..16).collect::<Vec<_>>(), []);
    assert!(!reader.has_vector_index(), "140 rows are left");
    store.check(&reader, None);
}

#[test]
fn vectors_that_teach_nothing_stop_no_epoch() {
    for metric in METRICS {
        for kind in KINDS {
            let mut store = Store::new(config(kind, metric));
            for (epoch, value) in (1..).zip([0.0, 1.0]) {
                let mut records: Vec<Record> = (0..40).map(|nth| file(epoch * 100 + nth)).collect();
                for vector in records.iter_mut().filter_map(|record| record.chunks.as_mut()?.vectors.as_mut()) {
                    vector.fill(value);
                }
                store.sink.begin(epoch, false);
                store.sink.writer().add(&records).expect("add");
                store.sink.try_stage(epoch).expect("stage");
                let reader = store.commit();
                let near = reader.nearest(&[1.0; DIMENSION], NEAREST, None).expect("an answer");
                assert!(value == 0.0 || near.len() == NEAREST, "{kind:?} {metric:?} {}", near.len());
            }
        }
    }
}

/// The numbers as 16 bits keep them.
fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().map(|value| half::f16::from_f32(*value).to_f32()).collect()
}

#[test]
fn rounded_vectors_come_back_as_they_are_stored() {
    for kind in KINDS {
        let config = LanceConfig { vectors: VectorForm::F16, ..config(kind, VectorMetric::Cosine) };
        let mut store = Store::new(config.clone());
        store.publish(&[], 0..40);
        store.publish(&[7, 8], 50..55);
        let reader = store.compact();
        assert!(reader.has_vector_index());
        for record in store.held.values_mut() {
            let chunks = record.chunks.as_mut().expect("chunks");
            let id = RowId { path: record.path.clone(), content_hash: record.analysis.content_hash };
            let expected = rounded(chunks.vectors.as_deref().expect("vectors"));
            let recalled = store.sink.records(&[id], None).remove(0).expect("it is stored");
            assert_eq!(recalled.chunks.and_then(|chunks| chunks.vectors).as_ref(), Some(&expected));
            let found = store.sink.read(|facts| facts.vectors(&chunks.hashes, None)).expect("vectors");
            assert_eq!(found.values, expected);
            chunks.vectors = Some(expected);
        }
        store.check(&reader, None);
        let stored = reader.vectors().expect("vectors").values;
        assert_eq!(stored, rounded(&stored));

        // What was rounded is not rounded again.
        let mut scratch = Store::new(config.clone());
        scratch.publish(&[], store.held.keys().copied());
        assert_eq!(store.digest(), scratch.digest());
        let mut recalled = Store::new(config);
        recalled.sink.begin(1, false);
        recalled.sink.writer().add(&store.held.values().cloned().collect::<Vec<_>>()).expect("add");
        recalled.sink.try_stage(1).expect("stage");
        recalled.commit();
        assert_eq!(store.digest(), recalled.digest());
    }
}

#[test]
fn one_thread_builds_an_index() {
    let mut store = Store::new(sq());
    store.sink = sink(&store.index, &store.config, true);
    store.sink.open(None);
    let reader = store.publish(&[], 0..40);
    assert!(reader.has_vector_index());
    store.check(&reader, None);
}
