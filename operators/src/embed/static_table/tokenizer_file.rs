//! Reading `tokenizer.json`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::word_piece::{AddedToken, WordPiece};

/// The parts of a `tokenizer.json` that decide whether [`WordPiece`] implements it.
#[derive(Deserialize)]
pub(super) struct TokenizerFile<'a> {
    #[serde(default, borrow)]
    added_tokens: Vec<AddedTokenSpec<'a>>,
    #[serde(default)]
    normalizer: Option<NormalizerSpec>,
    #[serde(default)]
    pre_tokenizer: Option<PreTokenizerSpec>,
    #[serde(borrow)]
    pub(super) model: ModelSpec<'a>,
}

#[derive(Deserialize)]
struct AddedTokenSpec<'a> {
    id: u32,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
}

#[derive(Deserialize)]
struct NormalizerSpec {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    clean_text: bool,
    #[serde(default)]
    handle_chinese_chars: bool,
    #[serde(default)]
    strip_accents: Option<bool>,
    #[serde(default)]
    lowercase: bool,
}

#[derive(Deserialize)]
struct PreTokenizerSpec {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
pub(super) struct ModelSpec<'a> {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    pub(super) unk_token: Option<String>,
    #[serde(default)]
    pub(super) unk_id: Option<u32>,
    #[serde(default)]
    continuing_subword_prefix: Option<String>,
    #[serde(default)]
    max_input_chars_per_word: Option<usize>,
    #[serde(default, borrow)]
    vocab: Entries<'a>,
}

/// A vocabulary as pairs of token and id; empty where the model has another format.
#[derive(Default)]
struct Entries<'a>(Vec<(Cow<'a, str>, u32)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor).map(Entries)
    }
}

/// A map key that is borrowed where the JSON string has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(Cow<'de, str>, u32)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vocabulary")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::with_capacity(32_768);
        while let Some((Key(token), id)) = map.next_entry()? {
            entries.push((token, id));
        }
        Ok(entries)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Vec::new())
    }
}

impl TokenizerFile<'_> {
    /// Returns the tokenizer, if it is one that [`WordPiece`] implements exactly: uncased BERT
    /// with plain added tokens.
    pub(super) fn word_piece(&self, split_identifiers: bool) -> Option<WordPiece> {
        let normalizer = self.normalizer.as_ref()?;
        let pre_tokenizer = self.pre_tokenizer.as_ref()?;
        let is_uncased_bert = normalizer.kind == "BertNormalizer"
            && normalizer.clean_text
            && normalizer.handle_chinese_chars
            && normalizer.lowercase
            && normalizer.strip_accents.unwrap_or(true)
            && pre_tokenizer.kind == "BertPreTokenizer"
            && self.model.kind.as_deref() == Some("WordPiece");
        if !is_uncased_bert {
            return None;
        }
        let added: Option<Vec<AddedToken>> = self.added_tokens.iter().map(|token| self.added(token)).collect();
        let vocabulary = self.model.vocab.0.iter().map(|(token, id)| (token.as_ref(), *id));
        WordPiece::new(
            vocabulary,
            added?,
            self.model.unk_token.as_deref()?,
            self.model.continuing_subword_prefix.as_deref().unwrap_or("##"),
            self.model.max_input_chars_per_word.unwrap_or(100),
            split_identifiers,
        )
    }

    /// Returns an added token that matches wherever its characters occur, or `None` if it has
    /// rules of its own.
    fn added(&self, token: &AddedTokenSpec<'_>) -> Option<AddedToken> {
        let is_plain = !(token.single_word || token.lstrip || token.rstrip || token.normalized);
        let in_vocabulary = self.model.vocab.0.iter().any(|(name, id)| *name == token.content && *id == token.id);
        (is_plain && in_vocabulary).then(|| AddedToken { content: token.content.as_ref().into(), id: token.id })
    }
}
