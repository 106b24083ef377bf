//! How many credentials of a labelled set are found, and how many look-alikes are taken for one.

use gristmill_operators::read::find_secrets;

const SECRETS: &str = include_str!("data/secrets.txt");
const LOOK_ALIKES: &str = include_str!("data/not_secrets.txt");

/// Each snippet is tried with this many random values.
const VARIANTS: u64 = 5;

/// Returns the snippets of a file, each with its random values.
fn snippets(file: &'static str) -> impl Iterator<Item = String> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("# ") && !line.starts_with("## "));
    lines.enumerate().flat_map(|(number, line)| {
        (0..VARIANTS).map(move |variant| fill(line, number as u64 * VARIANTS + variant).replace("\\n", "\n"))
    })
}

/// Replaces each `{A20}` by random characters of that kind and number.
fn fill(line: &str, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491;
    let mut next = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let mut out = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let close = rest.find('}').unwrap_or(0);
        let inner = rest.get(1..close).unwrap_or_default();
        let alphabet = match inner.get(..1) {
            Some("A") => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Some("a") => "abcdefghijklmnopqrstuvwxyz0123456789",
            Some("U") => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            Some("h") => "0123456789abcdef",
            Some("d") => "123456789",
            Some("B") => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            Some("W") => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Some("Q") => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
            Some(" ") => " ",
            _ => "",
        };
        let count = if inner == " " { Some(1) } else { inner.get(1..).and_then(|count| count.parse().ok()) };
        match count.filter(|_| !alphabet.is_empty()) {
            Some(count) => {
                let count: usize = count;
                out.extend((0..count).map(|_| char::from(alphabet.as_bytes()[next(alphabet.len())])));
                rest = &rest[close + 1..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

#[test]
fn labelled_credentials_are_found() {
    let (mut all, mut missed) = (0, Vec::new());
    for snippet in snippets(SECRETS) {
        let (before, rest) = snippet.split_once('⟦').expect("a credential");
        let (secret, after) = rest.split_once('⟧').expect("an end");
        let text = format!("first\n{before}{secret}{after}\nlast");
        let start = "first\n".len() + before.len();
        let found = find_secrets(&text);
        let is_found =
            found.iter().any(|finding| finding.range.start <= start && finding.range.end >= start + secret.len());
        all += 1;
        if !is_found {
            missed.push(text);
        }
    }
    for text in &missed {
        println!("missed: {text:?} {:?}", find_secrets(text));
    }
    println!("{} of {all} credentials are found", all - missed.len());
    assert!(missed.len() * 100 <= all * 5, "{} of {all} are missed", missed.len());
}

#[test]
fn look_alikes_are_left() {
    let (mut all, mut wrong) = (0, Vec::new());
    for snippet in snippets(LOOK_ALIKES) {
        let text = format!("first\n{snippet}\nlast");
        let found = find_secrets(&text);
        all += 1;
        if !found.is_empty() {
            wrong.push((text, found));
        }
    }
    for (text, found) in &wrong {
        println!("wrong: {text:?} {found:?}");
    }
    println!("{} of {all} look-alikes are left", all - wrong.len());
    assert!(wrong.len() * 100 <= all * 2, "{} of {all} are taken for credentials", wrong.len());
}
