//! Which names say that their value is a credential.

use std::ops::Range;

/// What a name says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// A password, which a person may have chosen.
    Password,
    /// A token: often random, but a blockchain's token has a public address.
    Token,
    /// A user and a password in base64: `auth`, `_auth`.
    BasicAuth,
    /// A key or a secret.
    Key,
}

/// Words that name a password, alone or at the end of a longer word: `dbpassword`.
const PASSWORDS: &[&str] = &["password", "passwd", "passwort", "passphrase", "passcode", "pwd"];

/// Words that name a password only if they stand alone.
const WHOLE_PASSWORDS: &[&str] = &["pass", "psk", "requirepass", "masterauth"];

/// Words that name a token.
const TOKENS: &[&str] = &["token", "bearer"];

/// Words that name a key or a secret, alone or at the end of a longer word.
const KEYS: &[&str] = &[
    "secret",
    "credential",
    "credentials",
    "creds",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "privkey",
    "authkey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "accountkey",
    "subscriptionkey",
    "sharedkey",
];

/// Words before `key` that make it a secret one.
const KEY_KINDS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "authorization",
    "cipher",
    "client",
    "consumer",
    "crypto",
    "decryption",
    "deploy",
    "encrypt",
    "encryption",
    "hmac",
    "host",
    "integration",
    "jwt",
    "license",
    "licence",
    "live",
    "master",
    "private",
    "preshared",
    "priv",
    "secret",
    "server",
    "service",
    "session",
    "shared",
    "sign",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "symmetric",
    "webhook",
    "write",
];

/// Words before the credential that make it something public, or no credential.
const PUBLIC_KINDS: &[&str] = &[
    "cache",
    "cancel",
    "cancellation",
    "color",
    "continuation",
    "csrf",
    "css",
    "cursor",
    "design",
    "foreign",
    "hashed",
    "invalid",
    "is",
    "next",
    "page",
    "primary",
    "pub",
    "public",
    "publishable",
    "site",
    "sort",
    "sync",
    "syntax",
    "theme",
    "wrong",
    "xsrf",
];

/// Words after the credential that make the name one of something about it.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "action", "actions", "addr", "address", "addresses", "algo", "algorithm", "alias", "arn", "attempts", "attribute",
    "audience", "button", "callback", "cert", "certificate", "checksum", "class", "column", "command", "commit",
    "contract", "count", "created", "date", "description", "digest", "dir", "directory", "domain", "duration",
    "endpoint", "error", "etag", "exp", "expiration", "expires", "expiry", "field", "file", "filename", "fingerprint",
    "folder", "format", "function", "group", "guid", "hash", "hashes", "header", "help", "hint", "host", "icon", "id",
    "identifier", "ids", "image", "index", "input", "integrity", "issuer", "kind", "label", "len", "length",
    "lifetime", "link", "location", "locator", "max", "message", "method", "min", "mint", "mode", "model", "msg",
    "name", "names", "network", "page", "param", "parameter", "path", "pattern", "placeholder", "policy", "position",
    "prefix", "program", "prompt", "property", "provider", "ref", "reference", "regex", "regexp", "region", "repo",
    "revision", "rev", "role", "route", "rule", "scheme", "schema", "scope", "selector", "sha", "shasum", "size",
    "slot", "state", "status", "store", "strategy", "suffix", "symbol", "table", "template", "text", "timeout",
    "title", "ttl", "type", "types", "uri", "url", "urls", "usage", "user", "username", "uuid", "validator",
    "version", "view",
    // Names of files.
    "css", "gz", "html", "js", "json", "lock", "map", "md", "mjs", "py", "rs", "tgz", "toml", "ts", "txt", "whl",
    "xml", "yaml", "yml", "zip",
];

/// The name around a keyword, with the dots of paths: `spring.datasource.password`.
pub(super) fn name_around(bytes: &[u8], keyword: Range<usize>) -> Option<Range<usize>> {
    const MAX_BYTES: usize = 64;
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = bytes.get(..keyword.start)?.iter().rev().take(MAX_BYTES).take_while(is_of_name).count();
    let after = bytes.get(keyword.end..)?.iter().take(MAX_BYTES).take_while(is_of_name).count();
    let (mut start, mut end) = (keyword.start - before, keyword.end + after);
    // An escape such as `\n` is not part of the name, nor is the punctuation around it.
    if start > 0 && bytes.get(start - 1) == Some(&b'\\') && matches!(bytes.get(start), Some(b'n' | b't' | b'r')) {
        start += 1;
    }
    while start < keyword.start && matches!(bytes.get(start), Some(b'-' | b'.')) {
        start += 1;
    }
    while end > keyword.end && matches!(bytes.get(end - 1), Some(b'-' | b'.')) {
        end -= 1;
    }
    (before < MAX_BYTES && after < MAX_BYTES).then_some(start..end)
}

/// What a name such as `dbPassword`, `API_KEY` or `client-secret` says of its value. Nothing for
/// `tokenAddress`, `public_key`, `author`.
pub(super) fn credential(name: &[u8]) -> Option<Credential> {
    let words = Words::of(name);
    let words = words.as_slice();
    let (at, credential) = words.iter().enumerate().rev().find_map(|(at, word)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at));
        credential_word(word, before.copied()).map(|credential| (at, credential))
    })?;
    let any_of = |words: &[&[u8]], known: &[&str]| words.iter().any(|word| known.iter().any(|known| is(word, known)));
    let is_about = any_of(words.get(at + 1..).unwrap_or_default(), ABOUT);
    let is_public = any_of(words.get(at.saturating_sub(2)..at).unwrap_or_default(), PUBLIC_KINDS);
    (!is_about && !is_public).then_some(credential)
}

fn credential_word(word: &[u8], before: Option<&[u8]>) -> Option<Credential> {
    let singular = word.strip_suffix(b"s").or_else(|| word.strip_suffix(b"S")).unwrap_or(word);
    let ends = |known: &&str| {
        let tail = |word: &[u8]| word.len().checked_sub(known.len()).is_some_and(|at| is(&word[at..], known));
        tail(word) || tail(singular)
    };
    let whole = |known: &&str| is(word, known);
    if PASSWORDS.iter().any(&ends) || WHOLE_PASSWORDS.iter().any(whole) {
        Some(Credential::Password)
    } else if TOKENS.iter().any(&ends) {
        Some(Credential::Token)
    } else if is(word, "auth") {
        Some(Credential::BasicAuth)
    } else if is(singular, "key") {
        let kind = before?;
        KEY_KINDS.iter().any(|known| is(kind, known)).then_some(Credential::Key)
    } else {
        KEYS.iter().any(ends).then_some(Credential::Key)
    }
}

fn is(word: &[u8], known: &str) -> bool {
    word.eq_ignore_ascii_case(known.as_bytes())
}

/// The words of a name: runs of letters, split at changes of case. The last ones, of a long name.
struct Words<'a> {
    words: [&'a [u8]; 12],
    count: usize,
}

impl<'a> Words<'a> {
    fn of(name: &'a [u8]) -> Self {
        let mut found = Self { words: [&[]; 12], count: 0 };
        for run in name.split(|byte| !byte.is_ascii_alphabetic()).filter(|run| !run.is_empty()) {
            let mut start = 0;
            for at in 1..run.len() {
                // `apiKey`, `APIKey`.
                let is_upper = |at: usize| run.get(at).is_some_and(u8::is_ascii_uppercase);
                let is_lower = |at: usize| run.get(at).is_some_and(u8::is_ascii_lowercase);
                if is_upper(at) && (is_lower(at - 1) || is_lower(at + 1)) {
                    found.push(&run[start..at]);
                    start = at;
                }
            }
            found.push(&run[start..]);
        }
        found
    }

    fn push(&mut self, word: &'a [u8]) {
        if self.count == self.words.len() {
            self.words.rotate_left(1);
            self.count -= 1;
        }
        self.words[self.count] = word;
        self.count += 1;
    }

    fn as_slice(&self) -> &[&'a [u8]] {
        &self.words[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials() {
        use Credential::{BasicAuth, Key, Password, Token};
        for (name, wanted) in [
            ("password", Password),
            ("DB_PASS", Password),
            ("spring.datasource.password", Password),
            ("PGPASSWORD", Password),
            ("userPwd2", Password),
            ("API_KEY", Key),
            ("X-Api-Key", Key),
            ("APIKey", Key),
            ("stripeSecretKey", Key),
            ("client-secret", Key),
            ("aws_secret_access_key", Key),
            ("jwtSigningKey", Key),
            ("secret_key_base", Key),
            ("authToken", Token),
            ("GITHUB_TOKEN_PROD", Token),
            ("_auth", BasicAuth),
        ] {
            assert_eq!(credential(name.as_bytes()), Some(wanted), "{name}");
        }
    }

    #[test]
    fn names_about_credentials_and_of_public_keys() {
        for name in [
            "tokenAddress",
            "TOKEN_TYPE",
            "tokenRegex",
            "passwordResetRoute",
            "token_uri",
            "secretName",
            "public_key",
            "publicToken",
            "author",
            "tokenizer",
            "bypass",
            "passed",
            "cache_key",
            "primaryKey",
            "key",
            "keyboard",
            "monkey",
            "csrf_token",
            "next_page_token",
            "access_key_id",
            "password_hash",
            "token_sha256",
            "hotkey",
            "siteKey",
            "compass",
        ] {
            assert_eq!(credential(name.as_bytes()), None, "{name}");
        }
    }
}
