//! Tokens of code: identifiers whole, and their parts.
//!
//! `HTTPServer2::new_parser` becomes `httpserver2 http server 2 new_parser new parser`.
//!
//! Parts take positions of their own, one after the other, and the whole identifier
//! shares the position of its first part. So the phrase "http server" finds
//! `HTTPServer`, `http_server` and `http server` alike, and a phrase that runs on into
//! the next word does too; were the parts to share one position, no phrase over them
//! could match, and were the whole to take one of its own, it would stand between the
//! identifier and what comes before it.
//!
//! A word is a run of letters, digits, marks and underscores of any script. It is parted at
//! underscores, from lower to upper case, before the last capital of a run that a lower
//! case letter follows, and between letters and digits, unless it begins with a digit or
//! an underscore and a digit (`0x1f` stays whole). Everything is lower case, and in normal form C.
//!
//! Scripts that write words without spaces, or with particles at their ends, have a token for each
//! character with its marks: Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese. So has a
//! pictograph. A word of these scripts is found by its characters, in their order by a phrase.

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The name by which the fields of an index refer to this tokenizer.
pub const NAME: &str = "code";

/// A longer word is data rather than a name: it takes a position but yields no token.
const MAX_WORD: usize = 255;

/// Splits text as described for the [module](self).
#[derive(Clone, Debug, Default)]
pub struct CodeTokenizer {
    token: Token,
}

impl Tokenizer for CodeTokenizer {
    type TokenStream<'a> = CodeTokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> CodeTokens<'a> {
        self.token.reset();
        CodeTokens { text, token: &mut self.token, cursor: 0, parts: 0..0, position: 0 }
    }
}

/// The tokens of a text. The whole of a word of several parts has a `position_length`
/// of as many.
#[derive(Debug)]
pub struct CodeTokens<'a> {
    text: &'a str,
    token: &'a mut Token,
    /// Where the search for the next word starts.
    cursor: usize,
    /// The rest of a word whose parts are being returned.
    parts: Range<usize>,
    /// The position of the next part.
    position: usize,
}

impl TokenStream for CodeTokens<'_> {
    fn advance(&mut self) -> bool {
        if let Some(part) = next_part(self.text, &mut self.parts) {
            self.emit(part, self.position, 1);
            self.position += 1;
            return true;
        }
        while let Some(word) = next_word(self.text, &mut self.cursor) {
            let (range, position) = (word.range, self.position);
            if range.len() > MAX_WORD {
                self.position += 1;
                continue;
            }
            if word.parts > 1 {
                self.parts = range.clone();
            } else {
                self.position += 1;
            }
            self.emit(range, position, word.parts);
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

impl CodeTokens<'_> {
    fn emit(&mut self, range: Range<usize>, position: usize, length: usize) {
        let source = self.text.get(range.clone()).unwrap_or_default();
        let token = &mut *self.token;
        (token.offset_from, token.offset_to) = (range.start, range.end);
        (token.position, token.position_length) = (position, length);
        token.text.clear();
        if source.is_ascii() {
            token.text.push_str(source);
            token.text.make_ascii_lowercase();
        } else {
            let is_shown = |sign: &char| !is_variation(*sign);
            token.text.extend(source.chars().filter(is_shown).flat_map(char::to_lowercase).nfc());
        }
    }
}

/// The class of a character within or between words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Underscore,
    /// A word by itself.
    Ideograph,
    /// Goes on with the character before it.
    Mark,
    /// Between words.
    Other,
}

/// Classes of the ASCII characters.
const ASCII: [Class; 128] = {
    let mut classes = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Underscore,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

/// The class of the character at `at`, and its length in bytes.
fn class_at(text: &str, at: usize) -> Option<(Class, usize)> {
    let byte = *text.as_bytes().get(at)?;
    if let Some(class) = ASCII.get(usize::from(byte)) {
        return Some((*class, 1));
    }
    let character = text.get(at..)?.chars().next()?;
    Some((class_of(character), character.len_utf8()))
}

#[cold]
fn class_of(character: char) -> Class {
    match character {
        // The vowel and the final consonant of a decomposed Korean syllable.
        '\u{1160}'..='\u{11ff}' => Class::Mark,
        _ if is_combining_mark(character) => Class::Mark,
        _ if is_word_by_itself(character) => Class::Ideograph,
        _ if character.is_uppercase() => Class::Upper,
        _ if character.is_numeric() => Class::Digit,
        _ if character.is_alphanumeric() => Class::Lower,
        _ => Class::Other,
    }
}

/// Whether a character is a word by itself: one of a script without spaces, or a pictograph.
#[must_use]
pub fn is_word_by_itself(character: char) -> bool {
    match character {
        // Thai, Lao, Burmese, Korean consonants, Khmer; but not their digits.
        '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{115f}' | '\u{1780}'..='\u{17ff}' => {
            character.is_alphabetic()
        }
        // Hiragana to CJK extension A and the unified ideographs, Korean syllables, compatibility
        // ideographs, half-width kana and consonants, and the supplementary ideographic planes.
        '\u{3040}'..='\u{31ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}' => true,
        // Pictographs, but not the modifiers of their colour.
        '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' => true,
        '\u{1f3fb}'..='\u{1f3ff}' => false,
        '\u{1f000}'..='\u{1faff}' => true,
        _ => false,
    }
}

/// Whether a character only selects how the one before it is drawn.
fn is_variation(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{20e3}')
}

/// The end of the marks that follow from `at` on.
fn end_of_marks(text: &str, mut at: usize) -> usize {
    while let Some((Class::Mark, length)) = class_at(text, at) {
        at += length;
    }
    at
}

struct Word {
    range: Range<usize>,
    /// How many parts it has.
    parts: usize,
}

/// The next word from `cursor` on, without underscores around it.
fn next_word(text: &str, cursor: &mut usize) -> Option<Word> {
    let mut start = *cursor;
    let mut previous = loop {
        let (class, length) = class_at(text, start)?;
        match class {
            Class::Other | Class::Underscore | Class::Mark => start += length,
            Class::Ideograph => {
                *cursor = end_of_marks(text, start + length);
                return Some(Word { range: start..*cursor, parts: 1 });
            }
            Class::Lower | Class::Upper | Class::Digit => {
                *cursor = start + length;
                break class;
            }
        }
    };
    let mut number = previous == Class::Digit;
    let mut end = *cursor;
    let mut parts = 1;
    let mut capitals = usize::from(previous == Class::Upper);
    while let Some((class, length)) = class_at(text, *cursor) {
        match class {
            Class::Other | Class::Ideograph => break,
            Class::Underscore => {}
            Class::Mark => {
                // It belongs to the letter before it, whose class stays that of the last.
                if previous != Class::Underscore {
                    end = *cursor + length;
                }
                *cursor += length;
                continue;
            }
            Class::Lower | Class::Upper | Class::Digit => {
                // `previous` is an underscore only inside the word, since more follows.
                if previous == Class::Underscore {
                    number = class == Class::Digit;
                    parts += 1;
                } else if !number && parts_at(previous, class, capitals) {
                    parts += 1;
                }
                end = *cursor + length;
            }
        }
        capitals = if class == Class::Upper { capitals + 1 } else { 0 };
        previous = class;
        *cursor += length;
    }
    Some(Word { range: start..end, parts })
}

/// Whether a part begins at or just before a character of class `class`.
fn parts_at(previous: Class, class: Class, capitals: usize) -> bool {
    match (previous, class) {
        (Class::Lower, Class::Upper) => true,
        (Class::Upper, Class::Lower) => capitals > 1,
        (previous, class) => (previous == Class::Digit) != (class == Class::Digit),
    }
}

/// The next part of a word, which is cut off from `rest`.
fn next_part(text: &str, rest: &mut Range<usize>) -> Option<Range<usize>> {
    let (mut previous, mut at) = loop {
        if rest.start >= rest.end {
            return None;
        }
        let (class, length) = class_at(text, rest.start)?;
        if class != Class::Underscore {
            break (class, rest.start + length);
        }
        rest.start += length;
    };
    let start = rest.start;
    // A word that begins with a digit is parted at underscores alone; the same holds for
    // a part that an underscore begins.
    let number = previous == Class::Digit && begins_word(text, start);
    let mut capitals = usize::from(previous == Class::Upper);
    let mut last = start;
    while at < rest.end {
        let (class, length) = class_at(text, at)?;
        if class == Class::Underscore {
            break;
        }
        if class == Class::Mark {
            at += length;
            continue;
        }
        if !number && parts_at(previous, class, capitals) {
            if class == Class::Lower && previous == Class::Upper {
                // The last capital begins the part that this letter goes on with.
                at = last;
            }
            break;
        }
        capitals = if class == Class::Upper { capitals + 1 } else { 0 };
        (previous, last) = (class, at);
        at += length;
    }
    rest.start = at;
    Some(start..at)
}

/// Whether a word, or what follows an underscore in it, begins here.
fn begins_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    before.is_none_or(|before| !before.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(usize, String)> {
        let mut tokenizer = CodeTokenizer::default();
        let mut stream = tokenizer.token_stream(text);
        let mut tokens = Vec::new();
        stream.process(&mut |token| tokens.push((token.position, token.text.clone())));
        tokens
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found: Vec<_> = tokens(text).into_iter().map(|(position, text)| format!("{position}:{text}")).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn identifiers_are_whole_and_in_parts() {
        check("HTTPServer2", "0:httpserver2 0:http 1:server 2:2");
        check("new_parser(x)", "0:new_parser 0:new 1:parser 2:x");
        check("parseHTTP", "0:parsehttp 0:parse 1:http");
        check("sha256sum", "0:sha256sum 0:sha 1:256 2:sum");
        check("getX", "0:getx 0:get 1:x");
        check("XMLHttpRequest", "0:xmlhttprequest 0:xml 1:http 2:request");
    }

    #[test]
    fn plain_words_are_one_token() {
        check("let Parser = PARSER;", "0:let 1:parser 2:parser");
        check("__init__ _ __", "0:init");
        check("kebab-case", "0:kebab 1:case");
    }

    #[test]
    fn numbers_stay_whole() {
        check("0x1F 10px 1e9", "0:0x1f 1:10px 2:1e9");
        check("1_000u64", "0:1_000u64 0:1 1:000u64");
    }

    #[test]
    fn other_scripts() {
        check("Größe ΑΒΓ", "0:größe 1:αβγ");
        check("größeMax", "0:größemax 0:größe 1:max");
        check("解析器 parser", "0:解 1:析 2:器 3:parser");
        check("검색기를 search", "0:검 1:색 2:기 3:를 4:search");
        check("ค้นหา", "0:ค้ 1:น 2:ห 3:า");
        check("launch🚀now ❤️", "0:launch 1:🚀 2:now 3:❤");
    }

    #[test]
    fn normal_forms_are_one() {
        check("cafe\u{301}Max", "0:cafémax 0:café 1:max");
        check("E\u{301}A\u{300}b", "0:éàb 0:é 1:àb");
        check("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "0:한 1:글");
        check("हिन्दी", "0:हिन्दी");
    }

    #[test]
    fn data_gives_no_token_but_keeps_its_place() {
        let text = format!("a {} b", "x".repeat(256));
        check(&text, "0:a 2:b");
    }

    #[test]
    fn wholes_say_how_many_parts_they_have() {
        let mut tokenizer = CodeTokenizer::default();
        let mut stream = tokenizer.token_stream("oneTwo_three four");
        let mut lengths = Vec::new();
        stream.process(&mut |token| lengths.push(token.position_length));
        assert_eq!(lengths, [3, 1, 1, 1, 1]);
    }

    proptest::proptest! {
        #[test]
        fn tokens_lie_in_the_text_and_parts_advance(text in "[a-zA-Z0-9_ éÉ解.-]{0,60}") {
            let mut tokenizer = CodeTokenizer::default();
            let mut stream = tokenizer.token_stream(&text);
            let mut next = 0;
            let (mut whole, mut end) = (0..0, 0);
            while stream.advance() {
                let token = stream.token();
                if token.position_length > 1 {
                    proptest::prop_assert!(whole.is_empty(), "a whole has as many parts as it says");
                    (whole, end) = (next..next + token.position_length, token.offset_to);
                } else if whole.next().is_some() {
                    proptest::prop_assert!(token.offset_to <= end, "parts lie within their whole");
                }
                proptest::prop_assert_eq!(token.position, next);
                let source = text.get(token.offset_from..token.offset_to).expect("a slice of the text");
                proptest::prop_assert_eq!(source.to_lowercase(), token.text.clone());
                if token.position_length == 1 {
                    next += 1;
                }
            }
            proptest::prop_assert!(whole.is_empty());
        }

        #[test]
        fn parts_hold_every_letter_of_the_text(text in "[a-zA-Z0-9_ é.-]{0,60}") {
            let mut tokenizer = CodeTokenizer::default();
            let mut stream = tokenizer.token_stream(&text);
            let mut parts = String::new();
            stream.process(&mut |token| if token.position_length == 1 { parts.push_str(&token.text) });
            let letters: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            proptest::prop_assert_eq!(parts.replace('_', ""), letters);
        }
    }
}
