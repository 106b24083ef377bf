//! From text to token ids.

use super::split::split_identifiers;
use super::tokenizer_file::TokenizerFile;
use super::word_piece::WordPiece;

/// Room that embedding one text after another reuses.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The ids of the text at hand.
    pub(super) ids: Vec<u32>,
    /// A text, or a part of one, rewritten on its way to tokens.
    pub(super) rewritten: String,
}

impl Scratch {
    /// The ids that [`Tokenizer::encode`] found last.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

/// A model's tokenizer: `tokenizer.json` with the identifier split before it.
#[derive(Debug)]
pub struct Tokenizer {
    form: Form,
    unknown: Option<u32>,
    tokens: usize,
    highest: u32,
}

#[derive(Debug)]
enum Form {
    /// Uncased BERT WordPiece, which is nearly every Model2Vec model.
    WordPiece(Box<WordPiece>),
    /// Any other.
    General { tokenizer: Box<tokenizers::Tokenizer>, split_identifiers: bool },
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(json: &[u8], split_identifiers: bool) -> Result<Self, Box<str>> {
        // Checked once as a whole, rather than by the parser token by token.
        let text = std::str::from_utf8(json).map_err(|error| error.to_string())?;
        let file: TokenizerFile<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(word_piece) = file.word_piece(split_identifiers) {
            let (tokens, highest) = (word_piece.tokens(), word_piece.highest());
            let unknown = Some(word_piece.unknown());
            return Ok(Self { form: Form::WordPiece(Box::new(word_piece)), unknown, tokens, highest });
        }
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        tokenizer.with_padding(None);
        let unknown_token = file.model.unk_token.as_deref().unwrap_or("[UNK]");
        let unknown = file.model.unk_id.or_else(|| tokenizer.token_to_id(unknown_token));
        let vocabulary = tokenizer.get_vocab(true);
        let tokens = vocabulary.len();
        let Some(highest) = vocabulary.into_values().max() else {
            return Err("it has no vocabulary".into());
        };
        let form = Form::General { tokenizer: Box::new(tokenizer), split_identifiers };
        Ok(Self { form, unknown, tokens, highest })
    }

    /// The id that stands for what the vocabulary lacks.
    #[must_use]
    pub const fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// The number of tokens.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.tokens
    }

    /// The highest token id.
    #[must_use]
    pub const fn highest(&self) -> u32 {
        self.highest
    }

    /// Puts the ids of the first `limit` tokens of `text` into `scratch`, without special
    /// tokens at the ends.
    pub fn encode(&self, text: &str, limit: usize, scratch: &mut Scratch) {
        match &self.form {
            Form::WordPiece(word_piece) => word_piece.encode(text, limit, scratch),
            Form::General { tokenizer, split_identifiers: split } => {
                scratch.ids.clear();
                let text = if *split {
                    scratch.rewritten.clear();
                    split_identifiers(text, &mut scratch.rewritten);
                    &scratch.rewritten
                } else {
                    text
                };
                // An encoding fails where a word is unknown and the model names no token
                // for that: such a text has nothing that the table knows.
                if let Ok(encoding) = tokenizer.encode_fast(text, false) {
                    scratch.ids.extend(encoding.get_ids().iter().take(limit));
                }
            }
        }
    }
}
