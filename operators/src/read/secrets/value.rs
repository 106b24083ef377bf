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
        0 => changes >= 30 && value.len() >= 20 && has_odd_cases(value),
        1 | 2 => changes >= 25,
        _ => changes >= 20,
    };
    let is_hex = value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let least_entropy = if is_hex || value.len() < 16 { 3.0 } else { 3.5 };
    is_mixed
        && letters >= 4
        && entropy(value) >= least_entropy
        && !is_camel_case(value)
        && !is_public(value)
        && !is_placeholder(value)
}

/// Whether many runs of a case are not those of words, where one capital is followed by several
/// small letters.
fn has_odd_cases(value: &[u8]) -> bool {
    let runs = value.chunk_by(|a, b| a.is_ascii_uppercase() == b.is_ascii_uppercase());
    let (count, odd) = runs.fold((0, 0), |(count, odd), run| {
        let is_upper = run.first().is_some_and(u8::is_ascii_uppercase);
        (count + 1, odd + usize::from(is_upper == (run.len() > 1)))
    });
    odd * 3 >= count
}

/// Whether much of a value is capitalised words: `CryptMsgDllGenEncryptKey`, `PubsubV1beta1ListRequest`.
fn is_camel_case(value: &[u8]) -> bool {
    let words = value.chunk_by(|_, next| next.is_ascii_lowercase());
    let words = words.filter(|word| word.len() >= 4 && word.first().is_some_and(u8::is_ascii_uppercase));
    words.map(<[u8]>::len).sum::<usize>() * 100 >= value.len() * 45
}

/// Whether a value is a password that a person chose well: it has letters of both cases, digits
/// and signs, and none of the words and signs of placeholders, paths and patterns.
pub(super) fn is_strong_password(value: &[u8]) -> bool {
    const COMMON: &[&str] = &["pass", "test", "secret", "1234", "qwerty", "abc", "foo", "admin"];
    let count = |wanted: fn(&u8) -> bool| value.iter().filter(|byte| wanted(byte)).count();
    let is_sign = |byte: &u8| b"!@#%^&*?$~+=-_.,;:".contains(byte);
    let holds = |part: &&str| value.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    (8..=64).contains(&value.len())
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || is_sign(byte))
        && value.iter().any(|byte| b"!@#%^&*?$~+".contains(byte))
        && count(u8::is_ascii_lowercase) >= 2
        && count(u8::is_ascii_uppercase) >= 1
        && count(u8::is_ascii_digit) >= 1
        && entropy(value) >= 2.5
        && !matches!(value.first(), Some(b'$' | b'%' | b'@' | b'&' | b'*' | b':' | b'.'))
        && !COMMON.iter().any(holds)
        && !is_public(value)
        && !is_placeholder(value)
}

/// Beginnings of references to what is kept elsewhere, and of public values.
const PUBLIC_PREFIXES: &[&str] = &[
    "sha1-",
    "sha256-",
    "sha256:",
    "sha384-",
    "sha512-",
    "sha512:",
    "md5-",
    "md5:",
    "h1:",
    "/",
    "./",
    "../",
    "~/",
    "urn:",
    "arn:",
    "data:",
    "magnet:",
    "op://",
    "vault:",
    "projects/",
    "ssh-",
    "ecdsa-sha2-",
    "bc1q",
    "ENC[",
    "pk_live_",
    "pk_test_",
    "W/",
    // The key of the storage emulator of Azure, which is the same for everyone.
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1",
];

/// Whether a value is a public one, although it looks random: a UUID, an address on a blockchain,
/// a checksum that names its algorithm, a commit that something is pinned to, a URL, a path.
pub(super) fn is_public(value: &[u8]) -> bool {
    PUBLIC_PREFIXES.iter().any(|mark| starts_with(value, mark))
        || is_uuid(value)
        || is_address(value)
        || is_pinned(value)
        || is_fingerprint(value)
        || memchr::memmem::find(value, b"://").is_some()
        || value.ends_with(b"/aws4_request")
        || has_words(value)
}

fn starts_with(value: &[u8], mark: &str) -> bool {
    value.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

fn is_uuid(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"{").and_then(|value| value.strip_suffix(b"}")).unwrap_or(value);
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a value is an address of Ethereum and its kin, or a number of a program: `0x803100AB_u32`.
fn is_address(value: &[u8]) -> bool {
    let Some(digits) = value.strip_prefix(b"0x") else { return false };
    let hex = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    hex == 40 && digits.len() == 40 || (1..=16).contains(&hex)
}

/// Whether a value is a number in hexadecimal: a hash of a transaction, or a private key.
pub(super) fn is_hex_number(value: &[u8]) -> bool {
    value.strip_prefix(b"0x").is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether a value is a reference with the hash of its content: `actions/checkout@8f4b…`,
/// `image@sha256:…`, `package.tgz#8f4b…`.
fn is_pinned(value: &[u8]) -> bool {
    let Some(at) = value.iter().rposition(|byte| matches!(byte, b'@' | b'#')) else { return false };
    let hash = value.get(at + 1..).unwrap_or_default();
    let hash = hash.strip_prefix(b"sha256:").or_else(|| hash.strip_prefix(b"sha1:")).unwrap_or(hash);
    at > 0 && hash.len() >= 32 && hash.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a value is pairs of hex digits with colons, as fingerprints and hardware addresses are.
fn is_fingerprint(value: &[u8]) -> bool {
    value.len() > 4
        && value.split(|byte| *byte == b':').all(|pair| pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit))
}

/// Whether most of a value is words between separators, as in paths, routes and qualified names.
fn has_words(value: &[u8]) -> bool {
    let is_word = |part: &&[u8]| {
        let tail = part.get(1..).unwrap_or_default();
        part.len() >= 3
            && part.first().is_some_and(u8::is_ascii_alphabetic)
            && (tail.iter().all(u8::is_ascii_lowercase) || part.iter().all(u8::is_ascii_uppercase))
            && part.iter().any(|byte| b"aeiouyAEIOUY".contains(byte))
    };
    let parts = value.split(|byte| !byte.is_ascii_alphanumeric());
    let words = parts.filter(is_word);
    let (count, letters) = words.fold((0, 0), |(count, letters), word| (count + 1, letters + word.len()));
    count >= 2 && letters * 2 >= value.len()
}

/// Decodes base64 of either alphabet up to its first other character.
pub(super) fn decode_base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(((bits >> count) & 0xff) as u8);
        }
    }
    out
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
            "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "actions/create-token@d72941d797fd3113feb6b93fd0dec494b13a2547",
            "/v1/users/:userId/password/reset2FA/step1",
            "urn:ietf:params:oauth:token-type:id_token2",
            "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
            "c1:b1:30:29:d7:b8:de:6c:97:77:10:d7:46:41:63:87",
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
    fn strong_passwords_have_all_kinds_of_characters() {
        for value in ["Winter2024!", "k9#Lm2$vQ", "Tr0ub4dor&3"] {
            assert!(is_strong_password(value.as_bytes()), "{value}");
        }
        for value in ["winter2024", "Password1!", "Test1234!", "^[A-Za-z0-9]{8}$", "$Env1.Db!", "https://A1.b!", "W1n!"]
        {
            assert!(!is_strong_password(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn base64_of_both_alphabets_is_decoded() {
        assert_eq!(decode_base64(b"dXNlcjpwYXNz"), b"user:pass");
        assert_eq!(decode_base64(b"_-8=!"), [0xff, 0xef]);
    }

    #[test]
    fn entropy_of_known_distributions() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcd"), 2.0);
    }
}
