//! The content of an index as one hash.

use gristmill_pipeline::Hash;
use tantivy::postings::Postings as _;
use tantivy::schema::{Field, IndexRecordOption, Value as _};
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, TantivyDocument};

use super::document::{Fields, numbers};

/// Hashes every live document of a searcher.
pub(super) fn of(searcher: &Searcher, fields: &Fields) -> tantivy::Result<Hash> {
    let mut documents = Vec::new();
    for segment in searcher.segment_readers() {
        segment_documents(segment, fields, &mut documents)?;
    }
    documents.sort_unstable();
    Ok(Hash::of_parts(documents.iter().map(|document| document.hash.as_bytes().as_slice())))
}

/// A document, ordered by path and ordinal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Document {
    path: Box<str>,
    ordinal: u32,
    hash: Hash,
}

fn segment_documents(segment: &SegmentReader, fields: &Fields, documents: &mut Vec<Document>) -> tantivy::Result<()> {
    let mut postings = vec![0_u128; segment.max_doc() as usize];
    for field in [fields.path_text, fields.symbol, fields.scope, fields.body] {
        add_postings(segment, field, &mut postings)?;
    }
    let stored = [fields.path, fields.symbol, fields.scope, fields.language, fields.kind];
    let store = segment.get_store_reader(8)?;
    for doc in segment.doc_ids_alive() {
        let document: TantivyDocument = store.get(doc)?;
        let text = |field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
        let numbers = numbers(segment, doc)?;
        let mut parts: Vec<Vec<u8>> = stored.iter().map(|field| text(*field).into()).collect();
        parts.extend(numbers.iter().map(|number| number.to_le_bytes().to_vec()));
        parts.extend(postings.get(doc as usize).map(|sum| sum.to_le_bytes().to_vec()));
        let hash = Hash::of_parts(parts.iter().map(Vec::as_slice));
        let [ordinal, ..] = numbers;
        documents.push(Document { path: text(fields.path).into(), ordinal, hash });
    }
    Ok(())
}

/// Adds to each document's sum a hash of every term that it has in `field`, with the
/// term's frequency and positions. A sum does not depend on the order of its terms, so
/// postings are read in the order in which they are stored: term by term.
fn add_postings(segment: &SegmentReader, field: Field, sums: &mut [u128]) -> tantivy::Result<()> {
    let index = segment.inverted_index(field)?;
    let mut terms = index.terms().stream()?;
    let mut positions = Vec::new();
    let mut posting = Vec::new();
    while let Some((term, info)) = terms.next() {
        let term = Hash::of_parts([&field.field_id().to_le_bytes(), term]);
        let mut docs = index.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions)?;
        while docs.doc() != TERMINATED {
            let doc = docs.doc();
            if !segment.is_deleted(doc) {
                docs.positions(&mut positions);
                posting.clear();
                posting.extend_from_slice(term.as_bytes());
                posting.extend(docs.term_freq().to_le_bytes());
                posting.extend(positions.iter().flat_map(|position| position.to_le_bytes()));
                if let Some(sum) = sums.get_mut(doc as usize) {
                    *sum = sum.wrapping_add(Hash::of(&posting).key().to_bits());
                }
            }
            docs.advance();
        }
    }
    Ok(())
}
