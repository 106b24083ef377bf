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
use super::tokenizer::{CodeTokenizer, is_word_by_itself};

/// Weight of a part of an identifier, relative to the whole.
const PART_WEIGHT: f32 = 0.5;

/// The maximum number of phrases of a query.
const MAX_PHRASES: usize = 64;

/// Returns whether a text has words that the index may hold. Signs alone are none.
#[must_use]
pub fn has_words(text: &str) -> bool {
    tokens_of(text).iter().any(|token| !token.is_noise())
}

/// Returns the term of the first word of a text in each searched field.
pub(super) fn first_word(fields: &Fields, text: &str) -> impl Iterator<Item = Term> + use<> {
    let word = tokens_of(text).into_iter().next();
    let fields = [fields.symbol, fields.body, fields.scope, fields.path_text];
    word.into_iter().flat_map(move |word| fields.map(|field| Term::from_field_text(field, &word.text)))
}

/// Builds the query: any of the words, and all of the filters. Phrases raise the score: those in double
/// quotes, and adjacent characters of scripts without spaces. They never exclude a chunk, as a quote
/// may be part of what was pasted.
pub(super) fn build(fields: &Fields, text: &str, options: &SearchOptions) -> Result<Box<dyn Query>, TantivyError> {
    let searched = [
        (fields.body, options.body_boost),
        (fields.symbol, options.symbol_boost),
        (fields.scope, options.scope_boost),
        (fields.path_text, options.path_boost),
    ];
    let mut words: BTreeMap<String, f32> = BTreeMap::new();
    let mut phrases: Vec<Vec<String>> = Vec::new();
    let sections: Vec<&str> = text.split('"').collect();
    for (nth, section) in sections.iter().enumerate() {
        let tokens = tokens_of(section);
        // A section after an odd number of quotes is inside a pair, if a quote follows.
        if nth % 2 == 1 && nth + 1 < sections.len() {
            phrases.push(tokens.iter().filter(|token| !token.has_parts).map(|token| token.text.clone()).collect());
        }
        phrases.extend(adjacent_signs(&tokens));
        for token in tokens.into_iter().filter(|token| !token.is_noise()) {
            let weight = words.entry(token.text).or_default();
            *weight = weight.max(token.weight);
        }
    }
    if words.is_empty() {
        return Ok(Box::new(EmptyQuery));
    }
    phrases.retain(|phrase| phrase.len() > 1);
    phrases.truncate(MAX_PHRASES);
    let mut any: Vec<_> = words
        .iter()
        .flat_map(|(word, weight)| {
            searched.iter().map(move |(field, boost)| {
                let term = TermQuery::new(Term::from_field_text(*field, word), IndexRecordOption::WithFreqs);
                (Occur::Should, boosted(Box::new(term), boost * weight))
            })
        })
        .collect();
    any.extend(phrases.iter().flat_map(|phrase| phrase_queries(&searched, phrase)));
    // A union of words alone lets Tantivy skip documents that cannot be among the best.
    let any: Box<dyn Query> = Box::new(BooleanQuery::new(any));
    let filters = filters(fields, options)?;
    if filters.is_empty() {
        return Ok(any);
    }
    let filters = filters.into_iter().map(|filter| {
        let filter: Box<dyn Query> = Box::new(ConstScoreQuery::new(filter, 0.0));
        (Occur::Must, filter)
    });
    Ok(Box::new(BooleanQuery::new(filters.chain([(Occur::Must, any)]).collect())))
}

/// The pairs of adjacent characters that are words by themselves. Together they tell apart the texts
/// that have the words of a script without spaces from those that only have its characters.
fn adjacent_signs(tokens: &[QueryToken]) -> impl Iterator<Item = Vec<String>> {
    let is_pair = |pair: &&[QueryToken]| matches!(pair, [left, right] if left.is_sign && right.is_sign && left.end == right.start);
    tokens.windows(2).filter(is_pair).map(|pair| pair.iter().map(|token| token.text.clone()).collect())
}

fn boosted(query: Box<dyn Query>, boost: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(query, boost))
}

struct QueryToken {
    text: String,
    start: usize,
    end: usize,
    weight: f32,
    /// Whether it is a character of a script without spaces.
    is_sign: bool,
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
        let is_sign = token.text.chars().next().is_some_and(is_word_by_itself);
        let (start, end) = (token.offset_from, token.offset_to);
        tokens.push(QueryToken { text: token.text.clone(), start, end, weight, is_sign, has_parts: whole });
    });
    tokens
}

/// A phrase of two words or more, in each of the fields.
fn phrase_queries(searched: &[(Field, f32)], phrase: &[String]) -> impl Iterator<Item = (Occur, Box<dyn Query>)> {
    searched.iter().map(|(field, boost)| {
        let terms = phrase.iter().map(|word| Term::from_field_text(*field, word)).collect();
        (Occur::Should, boosted(Box::new(PhraseQuery::new(terms)), *boost))
    })
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
