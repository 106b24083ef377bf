//! Answers that are kept: those of one epoch, bounded in bytes.
//!
//! An answer of a tool that reads nothing but the epoch ([`Tool::OF_EPOCH`](super::Tool::OF_EPOCH)) stays right as long
//! as the epoch is queried, so it need not be found again. What took less than a millisecond is not kept: a look-up in
//! memory costs as much as finding it here.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;

/// Quicker answers are not kept.
const MIN_DURATION: Duration = Duration::from_millis(1);

/// Answers larger than this share of the cache are not kept.
const MAX_SHARE: u64 = 8;

/// The guess of how large an answer is.
const USUAL_BYTES: u64 = 4096;

/// The answers of an epoch.
pub(crate) struct Answers {
    held: Cache<Box<str>, Held, ByBytes>,
    capacity: u64,
}

#[derive(Clone)]
struct Held {
    answer: Arc<Value>,
    bytes: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Box<str>, Held> for ByBytes {
    fn weight(&self, _: &Box<str>, held: &Held) -> u64 {
        held.bytes
    }
}

/// What identifies an answer within its epoch.
pub(crate) fn key(tool: &str, ref_name: Option<&str>, input: &Value) -> Box<str> {
    format!("{tool}\0{}\0{input}", ref_name.unwrap_or_default()).into()
}

impl Answers {
    /// Keeps answers of so many bytes.
    pub(crate) fn new(capacity: u64) -> Self {
        let items = usize::try_from(capacity / USUAL_BYTES).unwrap_or(usize::MAX).max(1);
        Self { held: Cache::with_weighter(items, capacity, ByBytes), capacity }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<Value>> {
        self.held.get(key).map(|held| held.answer)
    }

    /// Keeps an answer that took so long, if that pays.
    pub(crate) fn keep(&self, key: Box<str>, answer: &Value, took: Duration) {
        if took < MIN_DURATION {
            return;
        }
        let bytes = bytes_of(answer) + key.len() as u64;
        if bytes <= self.capacity / MAX_SHARE {
            self.held.insert(key, Held { answer: Arc::new(answer.clone()), bytes });
        }
    }
}

/// About the memory that a value takes.
fn bytes_of(value: &Value) -> u64 {
    /// A value, and a key with its node in a map.
    const OF_VALUE: u64 = size_of::<Value>() as u64;
    const OF_ENTRY: u64 = 48;
    OF_VALUE
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len() as u64,
            Value::Array(items) => items.iter().map(bytes_of).sum(),
            Value::Object(items) => items.iter().map(|(key, item)| OF_ENTRY + key.len() as u64 + bytes_of(item)).sum(),
        }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_took_time_is_kept_within_the_bound() {
        let answers = Answers::new(64 * 1024);
        let slow = Duration::from_millis(5);
        let answer = json!({ "hits": ["x".repeat(1000)] });
        let one = key("search", None, &json!({ "query": "a" }));
        answers.keep(one.clone(), &answer, Duration::from_micros(50));
        assert!(answers.get(&one).is_none(), "a quick answer is not kept");
        answers.keep(one.clone(), &answer, slow);
        assert_eq!(answers.get(&one).as_deref(), Some(&answer));
        for other in [
            key("search", Some("main"), &json!({ "query": "a" })),
            key("references", None, &json!({ "query": "a" })),
            key("search", None, &json!({ "query": "b" })),
        ] {
            assert!(answers.get(&other).is_none(), "{other:?}");
        }
        answers.keep(one.clone(), &json!("y".repeat(20_000)), slow);
        assert_eq!(answers.get(&one).as_deref(), Some(&answer), "one that is too large is not kept");
        for nth in 0..1_000 {
            answers.keep(key("search", None, &json!(nth)), &answer, slow);
        }
        assert!(answers.held.weight() <= 64 * 1024 && answers.held.len() > 10, "{}", answers.held.weight());
    }
}
