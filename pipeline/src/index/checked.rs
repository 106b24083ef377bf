//! Text files that carry a checksum of themselves, so that a damaged one is never taken for another state.
//!
//! ```text
//! HEAD.check = <epoch> SP check LF                       check: of the epoch's digits
//! record     = JSON object whose last field is "checksum"    check: of all that comes before that field
//! ```
//!
//! A check is the first half of a BLAKE3 hash, in hexadecimal digits.

use gristmill_ids::{Epoch, Hash};
use serde::Serialize;

const CHECK_DIGITS: usize = 32;
/// What stands between the object's other fields and its checksum.
const FIELD: &str = ",\n  \"checksum\": \"";
const END: &str = "\"\n}\n";

fn check(text: &str) -> String {
    Hash::of(text.as_bytes()).short(CHECK_DIGITS)
}

/// Writes an epoch's number with its check.
pub(super) fn head(epoch: Epoch) -> String {
    let digits = epoch.to_string();
    let check = check(&digits);
    format!("{digits} {check}\n")
}

/// Reads an epoch's number; an error says what is wrong with it.
pub(super) fn parse_head(text: &str) -> Result<Epoch, &'static str> {
    let (digits, found) = text.trim_end().split_once(' ').ok_or("it lacks its checksum")?;
    if found != check(digits) {
        return Err("its checksum does not match");
    }
    digits.parse().map_err(|_| "it names no epoch")
}

/// Writes a value that serialises as an object with at least one field.
pub(super) fn encode(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.truncate(text.strip_suffix("\n}").unwrap_or(&text).len());
    let check = check(&text);
    text.extend([FIELD, &check, END]);
    Ok(text)
}

/// Whether the text ends with its checksum.
pub(super) fn is_whole(text: &str) -> bool {
    let found = || {
        let (body, check) = text.strip_suffix(END)?.split_at_checked(text.len() - END.len() - CHECK_DIGITS)?;
        Some((body.strip_suffix(FIELD)?, check))
    };
    found().is_some_and(|(body, found)| found == check(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(parse_head(&head(Epoch::new(120))), Ok(Epoch::new(120)));
        for value in [json!({"epoch": 1}), json!({"nested": {"a": {}}, "last": {"b": [{}]}})] {
            let text = encode(&value).expect("encodes");
            assert!(is_whole(&text), "{text}");
            let mut read: Value = serde_json::from_str(&text).expect("is JSON");
            read.as_object_mut().expect("is an object").remove("checksum");
            assert_eq!(read, value);
        }
    }

    proptest! {
        #[test]
        fn any_damage_is_found(at in 0_usize..400, bit in 0_u8..7, cut in 0_usize..400) {
            let texts = [head(Epoch::new(12)), encode(&json!({"epoch": 12, "source": "/src"})).expect("encodes")];
            for (text, is_whole) in texts.iter().zip([|text: &str| parse_head(text).is_ok(), is_whole]) {
                let mut flipped = text.clone().into_bytes();
                let at = at % (flipped.len() - 1);
                flipped[at] ^= 1 << bit;
                let flipped = String::from_utf8(flipped).expect("is ASCII");
                prop_assert!(!is_whole(&flipped), "{flipped}");
                let cut = &text[..cut % (text.len() - 1)];
                prop_assert!(!is_whole(cut), "{cut}");
            }
        }
    }
}
