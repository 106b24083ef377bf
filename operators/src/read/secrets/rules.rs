//! Rules kept as data: the formats of tokens by issuer.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use super::Found;
use super::token::begins_word;
use super::value::{entropy, is_placeholder};

/// The rules of gitleaks that are not in code, and those that it lacks.
const FILES: [&str; 2] = [include_str!("gitleaks.rules"), include_str!("own.rules")];

/// The bytes before and after a keyword in which a rule looks for its secret.
const BEFORE: usize = 128;
const AFTER: usize = 1024;

/// What the expression of a rule must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Text from a keyword on, where it begins a word.
    Start,
    /// Text around a keyword.
    Text,
    /// All of a value that is assigned to a name with a keyword in it.
    Value,
    /// Likewise, where the name says that it is a credential.
    NamedValue,
}

/// A line of a rule file.
pub(super) struct DataRule {
    pub(super) id: &'static str,
    pub(super) target: Target,
    /// Of the secret, in bits per byte.
    min_entropy: f64,
    keywords: &'static str,
    pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
}

/// All rules of [`FILES`].
pub(super) static RULES: LazyLock<Vec<DataRule>> = LazyLock::new(|| {
    let lines = FILES.iter().flat_map(|file| file.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(DataRule::parse).collect()
});

impl DataRule {
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let id = fields.next()?;
        let target = match fields.next()? {
            "start" => Target::Start,
            "text" => Target::Text,
            "value" => Target::Value,
            "named" => Target::NamedValue,
            _ => return None,
        };
        let min_entropy = fields.next()?.parse().ok()?;
        let (keywords, pattern) = (fields.next()?, fields.next()?);
        fields.next().is_none().then_some(Self { id, target, min_entropy, keywords, pattern, regex: OnceLock::new() })
    }

    /// The literals that trigger the rule, in lower case.
    pub(super) fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.keywords.split(' ')
    }

    /// The compiled expression. Most rules never meet one of their keywords, so it is compiled
    /// at the first one.
    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let pattern = match self.target {
                Target::Start => format!("^(?:{})", self.pattern),
                Target::Text => self.pattern.to_owned(),
                Target::Value | Target::NamedValue => format!("(?i)^(?:{})$", self.pattern),
            };
            RegexBuilder::new(&pattern).unicode(false).build().ok()
        };
        self.regex.get_or_init(compile).as_ref()
    }

    /// Finds the secret at or around a keyword.
    pub(super) fn find(&self, bytes: &[u8], keyword: Range<usize>) -> Found {
        let Range { start, end } = keyword;
        let from = match self.target {
            Target::Start if begins_word(bytes, start) => start,
            Target::Start => return None,
            _ => start.saturating_sub(BEFORE),
        };
        let to = bytes.len().min(end + AFTER);
        for groups in self.regex()?.captures_iter(bytes.get(from..to)?) {
            let secret = groups.iter().skip(1).flatten().next().or_else(|| groups.get(0))?;
            if entropy(secret.as_bytes()) >= self.min_entropy && !is_placeholder(secret.as_bytes()) {
                let mut secret_end = from + secret.end();
                if secret_end == to {
                    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-.".contains(byte);
                    secret_end += bytes.get(to..)?.iter().take_while(|byte| is_of_token(byte)).count();
                }
                return Some((self.id, from + secret.start()..secret_end));
            }
        }
        None
    }

    /// Whether a value, as a whole, is one of this rule's.
    pub(super) fn is_value(&self, value: &[u8]) -> bool {
        // Without digits it is a word.
        let has_digits = value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 3;
        let has_letters = value.iter().any(u8::is_ascii_alphabetic);
        has_digits
            && has_letters
            && entropy(value) >= self.min_entropy.max(2.5)
            && !is_placeholder(value)
            && self.regex().is_some_and(|regex| regex.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_rule_with_a_valid_expression() {
        let lines = FILES.iter().flat_map(|file| file.lines());
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), RULES.len());
        for rule in RULES.iter() {
            assert!(rule.regex().is_some(), "{}", rule.id);
            for keyword in rule.keywords() {
                assert!(keyword.len() >= 2 && !keyword.bytes().any(|byte| byte.is_ascii_uppercase()), "{}", rule.id);
            }
        }
    }
}
