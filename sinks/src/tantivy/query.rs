//! Parsing the text of a search into a query.

use std::collections::BTreeMap;

use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, RegexQuery, TermQuery,
    TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::{TokenStream as _, Tokenizer as _};
use tantivy::{TantivyError, Term};

use super::document::Fields;
use super::glob::to_regex;
use super::options::SearchOptions;
use super::tokenizer::CodeTokenizer;

/// Weight of a part of an identifier, relative to the whole.
const PART_WEIGHT: f32 = 0.5;

/// Builds the query: any of the words, all of the phrases in double quotes, and all of the
/// filters.
pub(super) fn build(fields: &Fields, text: &str, options: &SearchOptions) -> Result<Box<dyn Query>, TantivyError> {
    let searched = [
        (fields.body, options.body_boost),
        (fields.symbol, options.symbol_boost),
        (fields.scope, options.scope_boost),
        (fields.path_text, options.path_boost),
    ];
    let mut words: BTreeMap<String, f32> = BTreeMap::new();
    let mut phrases = Vec::new();
    for (nth, section) in text.split('"').enumerate() {
        let tokens = tokens_of(section);
        // A section after an odd number of quotes is inside a pair.
        if nth % 2 == 1 {
            phrases.push(
                tokens.iter().filter(|token| !token.has_parts).map(|token| token.text.clone()).collect::<Vec<_>>(),
            );
        }
        for token in tokens.into_iter().filter(|token| !token.is_noise()) {
            let weight = words.entry(token.text).or_default();
            *weight = weight.max(token.weight);
        }
    }
    if words.is_empty() {
        return Ok(Box::new(EmptyQuery));
    }
    let any: Vec<_> = words
        .iter()
        .flat_map(|(word, weight)| {
            searched.iter().map(move |(field, boost)| {
                let term = TermQuery::new(Term::from_field_text(*field, word), IndexRecordOption::WithFreqs);
                (Occur::Should, boosted(Box::new(term), boost * weight))
            })
        })
        .collect();
    let any: Box<dyn Query> = Box::new(BooleanQuery::new(any));
    let mut narrowing: Vec<(Occur, Box<dyn Query>)> =
        phrases.iter().filter_map(|phrase| Some((Occur::Must, phrase_query(&searched, phrase)?))).collect();
    narrowing.extend(filters(fields, options)?.into_iter().map(|filter| {
        let filter: Box<dyn Query> = Box::new(ConstScoreQuery::new(filter, 0.0));
        (Occur::Must, filter)
    }));
    if narrowing.is_empty() {
        // A union of words alone lets Tantivy skip documents that cannot be among the best.
        return Ok(any);
    }
    narrowing.push((Occur::Must, any));
    Ok(Box::new(BooleanQuery::new(narrowing)))
}

fn boosted(query: Box<dyn Query>, boost: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, boost))
}

struct QueryToken {
    text: String,
    weight: f32,
    /// Whether its parts follow; they take its place in a phrase.
    has_parts: bool,
}

impl QueryToken {
    /// Whether it is a part too short to search for by itself: the `2` of `Server2`, the `x` of
    /// `getX`. Phrases keep it.
    fn is_noise(&self) -> bool {
        let part = self.weight < 1.0;
        part && (self.text.len() < 2 || self.text.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

fn tokens_of(text: &str) -> Vec<QueryToken> {
    let mut tokenizer = CodeTokenizer::default();
    let mut stream = tokenizer.token_stream(text);
    let mut tokens = Vec::new();
    let mut parts = 0;
    stream.process(&mut |token| {
        let (weight, whole) = if parts > 0 {
            parts -= 1;
            (PART_WEIGHT, false)
        } else if token.position_length > 1 {
            parts = token.position_length;
            (1.0, true)
        } else {
            (1.0, false)
        };
        tokens.push(QueryToken { text: token.text.clone(), weight, has_parts: whole });
    });
    tokens
}

/// The phrase in any of the fields; `None` for a phrase without words.
fn phrase_query(searched: &[(Field, f32)], phrase: &[String]) -> Option<Box<dyn Query>> {
    let any = searched.iter().map(|(field, boost)| {
        let mut terms: Vec<_> = phrase.iter().map(|word| Term::from_field_text(*field, word)).collect();
        let query: Box<dyn Query> = match terms.len() {
            0 => return None,
            1 => Box::new(TermQuery::new(terms.pop()?, IndexRecordOption::WithFreqs)),
            _ => Box::new(PhraseQuery::new(terms)),
        };
        Some((Occur::Should, boosted(query, *boost)))
    });
    let any: Option<Vec<_>> = any.collect();
    Some(Box::new(BooleanQuery::new(any?)))
}

fn filters(fields: &Fields, options: &SearchOptions) -> Result<Vec<Box<dyn Query>>, TantivyError> {
    let mut filters: Vec<Box<dyn Query>> = Vec::new();
    for (field, values) in [(fields.language, &options.languages), (fields.kind, &options.kinds)] {
        if !values.is_empty() {
            filters.push(Box::new(TermSetQuery::new(values.iter().map(|value| Term::from_field_text(field, value)))));
        }
    }
    if !options.paths.is_empty() {
        let any: Result<Vec<_>, TantivyError> = options
            .paths
            .iter()
            .map(|glob| {
                let query = RegexQuery::from_pattern(&to_regex(glob), fields.path)?;
                Ok((Occur::Should, Box::new(query) as Box<dyn Query>))
            })
            .collect();
        filters.push(Box::new(BooleanQuery::new(any?)));
    }
    Ok(filters)
}
