//! Tokenising a text into token ids.

use super::scratch::Scratch;
use super::split::split_identifiers;
use super::tokenizer_file::TokenizerFile;
use super::word_piece::WordPiece;

/// The tokenizer of a model: `tokenizer.json`, after an optional split of identifiers.
#[derive(Debug)]
pub struct Tokenizer {
    form: Form,
    unknown: Option<u32>,
    tokens: usize,
    highest: u32,
}

#[derive(Debug)]
enum Form {
    /// Uncased BERT WordPiece, which nearly every Model2Vec model uses.
    WordPiece(Box<WordPiece>),
    /// Any other tokenizer.
    General { tokenizer: Box<tokenizers::Tokenizer>, split_identifiers: bool },
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// A description of what is wrong with it.
    pub fn from_json(json: &[u8], split_identifiers: bool) -> Result<Self, Box<str>> {
        // Validates UTF-8 once for the file, rather than in the parser for each token.
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
            return Err("no vocabulary".into());
        };
        let form = Form::General { tokenizer: Box::new(tokenizer), split_identifiers };
        Ok(Self { form, unknown, tokens, highest })
    }

    /// Returns the id of the unknown token, if there is one.
    #[must_use]
    pub const fn unknown(&self) -> Option<u32> {
        self.unknown
    }

    /// Returns the number of tokens in the vocabulary.
    #[must_use]
    pub const fn tokens(&self) -> usize {
        self.tokens
    }

    /// Returns the highest token id.
    #[must_use]
    pub const fn highest(&self) -> u32 {
        self.highest
    }

    /// Writes the ids of the first `limit` tokens of `text` to `scratch`, without special tokens
    /// at the ends.
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
                // Encoding fails on an unknown word if the model has no unknown token. Such a text
                // gets no tokens.
                if let Ok(encoding) = tokenizer.encode_fast(text, false) {
                    scratch.ids.extend(encoding.get_ids().iter().take(limit));
                }
            }
        }
    }
}
