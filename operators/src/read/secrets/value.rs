//! Heuristics that tell credentials from words, names and placeholders.

/// Substrings of placeholders for a credential.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replace",
    "redacted",
    "dummy",
    "sample",
    "your",
    "xxxx",
    "****",
    "....",
    "1234567890abcdef",
    "abcdefgh",
    "0123456789",
    "00000000",
    "<",
    "${",
    "{{",
    "%s",
    "#{",
    "$(",
    "insert",
];

/// Whether a value is a placeholder for a credential.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let holds = |part: &str| value.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    PLACEHOLDERS.iter().any(|part| holds(part))
}

/// Returns the Shannon entropy of a value, in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len().max(1) as f64;
    let share = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(share).sum()
}

/// Whether a value looks random, as keys do, rather than written by a person.
///
/// Random values mix digits and both cases throughout. Names and sentences change case only
/// between words, and have their digits in one place.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let changes = value
        .array_windows()
        .filter(|[a, b]| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() && kind(*a) != kind(*b));
    let changes = changes.count() * 100 / value.len().max(1);
    let digit_groups = value.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let digit_groups = digit_groups.filter(|group| group.first().is_some_and(u8::is_ascii_digit)).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let is_mixed = match digit_groups {
        0 => false,
        1 => changes >= 45,
        _ => changes >= 25,
    };
    let is_hex = value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let least_entropy = if is_hex { 3.0 } else { 3.5 };
    is_mixed && letters >= 4 && entropy(value) >= least_entropy && !is_checksum(value) && !is_placeholder(value)
}

/// Whether a value is a checksum that names its algorithm, as in lock files.
fn is_checksum(value: &[u8]) -> bool {
    ["sha1-", "sha256-", "sha256:", "sha384-", "sha512-", "md5-", "h1:"]
        .iter()
        .any(|mark| value.starts_with(mark.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_random() {
        for value in [
            "the_quick_brown_fox_jumps",
            "getUserTokenFromHeader2",
            "base64UserTokenValue",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "com.company.service.Token1.V2",
            "sha512-a8B3kd93Jd83nDk3l9Dk3m",
            "your-api-key-a8B3kd93Jd83",
        ] {
            assert!(!looks_random(value.as_bytes()), "{value}");
        }
        for value in [
            "a8B3kd97Jq5tnVx2l6Wm",
            "RSinKekhvSR4eDUeTRbBGwWD",
            "9f86d081884c7d659a2feaa0c55ad015",
            "Zx4-9qPl_27vTgH8sW1u",
        ] {
            assert!(looks_random(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn entropy_of_known_distributions() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
    }
}
