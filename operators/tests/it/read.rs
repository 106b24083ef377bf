//! Reading, decoding and secret scanning.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gristmill_operators::hash::VerifyHash;
use gristmill_operators::read::{Read, ReadConfig, SecretPolicy, find_secrets, redact};
use gristmill_pipeline::port::{Content, FileItem};
use gristmill_pipeline::source::Origin;
use gristmill_pipeline::{Batch, Diagnostic, Emitter, Hash, Operator, RelPath, Severity};
use proptest::prelude::*;

/// The output of a stage: contents and diagnostics.
type Given = (Vec<Arc<Content>>, Vec<(RelPath, Diagnostic)>);

fn item(location: &Path, bytes: u64) -> Arc<FileItem> {
    let content_hash = fs::read(location).map(|bytes| Hash::of(&bytes)).unwrap_or(Hash::of(b""));
    Arc::new(FileItem {
        path: "dir/file.rs".into(),
        origin: Origin::File(location.into()),
        bytes,
        content_hash,
        variant: "",
    })
}

fn run<O: Operator<Out = Arc<Content>>>(stage: &O, input: O::In) -> Given {
    let mut out = Emitter::new(stage.name().into());
    stage.process(Batch(vec![input]), &mut out).expect("no file stops a stage");
    out.into_parts()
}

/// Reads a file with those bytes.
fn read_as(bytes: &[u8], secrets: SecretPolicy) -> Given {
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().join("file.rs");
    fs::write(&location, bytes).expect("writes");
    run(&Read::new(ReadConfig { secrets }), item(&location, bytes.len() as u64))
}

fn read(bytes: &[u8]) -> Given {
    read_as(bytes, SecretPolicy::Redact)
}

/// Returns severity, code and line of each diagnostic.
fn reported(given: &Given) -> Vec<(Severity, &str, u32)> {
    given.1.iter().map(|(_, diagnostic)| (diagnostic.severity, &*diagnostic.code, diagnostic.line)).collect()
}

#[test]
fn text_is_read_unchanged() {
    let bytes = "\u{feff}fn é() {}\r\n".as_bytes();
    let given = read(bytes);
    assert_eq!(reported(&given), []);
    let content = &given.0[0];
    assert_eq!(content.text.as_bytes(), bytes);
    assert_eq!((content.encoding, content.content_hash), ("UTF-8", Hash::of(bytes)));
}

#[test]
fn an_empty_file_is_an_empty_text() {
    let given = read(b"");
    assert_eq!((given.0.len(), given.1.len()), (1, 0));
    assert!(given.0[0].text.is_empty());
}

#[test]
fn encodings_are_decoded_and_noted() {
    let given = read(b"\xff\xfea\0\n\0");
    assert_eq!(reported(&given), [(Severity::Note, "encoding", 0)]);
    assert_eq!((&*given.0[0].text, given.0[0].encoding), ("a\n", "UTF-16LE"));
    assert_eq!(given.0[0].content_hash, Hash::of(b"\xff\xfea\0\n\0"), "the hash is that of the bytes");

    let given = read(b"a\ncaf\xe9");
    assert_eq!(reported(&given), [(Severity::Warning, "encoding", 2)]);
    assert_eq!((&*given.0[0].text, given.0[0].encoding), ("a\ncafé", "windows-1252"));
}

#[test]
fn a_nul_makes_a_file_binary_only_near_its_start() {
    let given = read(b"GIF\0");
    assert_eq!((given.0.len(), reported(&given)), (0, vec![(Severity::Note, "binary", 0)]));

    let mut late = "x\n".repeat(5_000).into_bytes();
    late.extend(b"\0 tail");
    let given = read(&late);
    assert_eq!((given.0.len(), reported(&given)), (1, vec![(Severity::Note, "nul", 5_001)]));

    late.push(0xff);
    let given = read(&late);
    assert_eq!((given.0.len(), reported(&given)), (0, vec![(Severity::Note, "binary", 0)]));
}

#[test]
fn deleted_and_unreadable_files_are_reported_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Read::default();
    let gone = run(&stage, item(&folder.path().join("gone.rs"), 3));
    assert_eq!((gone.0.len(), reported(&gone)), (0, vec![(Severity::Note, "vanished", 0)]));

    let directory = run(&stage, item(folder.path(), 3));
    assert_eq!((directory.0.len(), reported(&directory)), (0, vec![(Severity::Error, "unreadable", 0)]));

    let file = folder.path().join("file.rs");
    fs::write(&file, "x").expect("writes");
    let replaced = run(&stage, item(&file.join("under.rs"), 3));
    assert_eq!(reported(&replaced), [(Severity::Note, "vanished", 0)], "a parent that became a file");
}

#[cfg(unix)]
#[test]
fn a_permission_error_is_reported_with_its_cause() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().join("file.rs");
    fs::write(&location, "x").expect("writes");
    fs::set_permissions(&location, fs::Permissions::from_mode(0o000)).expect("sets");
    let Err(refused) = fs::read(&location) else { return }; // Permissions do not bind the superuser.
    let given = run(&Read::default(), item(&location, 1));
    assert_eq!(reported(&given), [(Severity::Error, "unreadable", 0)]);
    assert!(given.1[0].1.message.contains(&refused.to_string()));
}

#[test]
fn a_file_that_grew_is_skipped_until_the_next_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().join("file.rs");
    fs::write(&location, vec![b'a'; 100 << 10]).expect("writes");
    let given = run(&Read::default(), item(&location, 10));
    assert_eq!((given.0.len(), reported(&given)), (0, vec![(Severity::Note, "changed", 0)]));
}

#[test]
fn hash_rejects_files_that_changed_since_the_scan() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().join("file.rs");
    fs::write(&location, "before").expect("writes");
    let scanned = item(&location, 6);
    let content = run(&Read::default(), Arc::clone(&scanned)).0.remove(0);
    let given = run(&VerifyHash, content);
    assert_eq!((given.0.len(), given.1.len()), (1, 0));

    fs::write(&location, "after").expect("writes");
    let content = run(&Read::default(), scanned).0.remove(0);
    let given = run(&VerifyHash, content);
    assert_eq!((given.0.len(), reported(&given)), (0, vec![(Severity::Note, "changed", 0)]));
}

/// Returns pseudo-random alphanumeric text, the same in every run; not a real credential.
fn noise(length: usize) -> String {
    let alphabet = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let mut state = 0x2545_f491_u64;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(alphabet[(state >> 33) as usize % alphabet.len()])
    };
    (0..length).map(step).collect()
}

fn hex(length: usize) -> String {
    Hash::of(b"gristmill").to_string()[..length].to_owned()
}

/// Returns credentials, lines to put them into, and the kind that is found. They are assembled here
/// so that no file of the repository seems to contain one.
fn credentials() -> Vec<(String, String, &'static str)> {
    let dotted = format!("SG.{}.{}", noise(22), noise(43));
    let token = |payload: &str| format!("eyJhbGciOiJIUzI1NiIs.eyJ{payload}.{}", noise(43));
    let key = format!("-----BEGIN RSA {0} KEY-----\n{1}\n{1}\n-----END RSA {0} KEY-----", "PRIVATE", noise(64));
    vec![
        (format!("AKIA{}", noise(16).to_uppercase()), "id = '{}'".into(), "AWS access key id"),
        (noise(40), "aws_secret_access_key = {}".into(), "AWS secret access key"),
        (noise(40), "secretAccessKey: \"{}\",".into(), "AWS secret access key"),
        (format!("ghp_{}", noise(36)), "Authorization: token {}".into(), "GitHub token"),
        (format!("github_pat_{}_{}", noise(22), noise(59)), "x={}".into(), "GitHub token"),
        (format!("glpat-{}", noise(20)), "x={}".into(), "GitLab token"),
        (format!("xoxb-123456789012-{}", noise(24)), "\"{}\"".into(), "Slack token"),
        (format!("AIza{}", noise(35)), "key={}&x".into(), "Google API key"),
        (format!("sk_live_{}", noise(24)), "stripe(\"{}\")".into(), "Stripe key"),
        (dotted, "send({})".into(), "SendGrid key"),
        (format!("SK{}", hex(32)), "twilio: {}".into(), "Twilio key"),
        (format!("npm_{}", noise(36)), "//registry/:_authToken={}".into(), "npm token"),
        (format!("pypi-AgEI{}", noise(60)), "password = {}".into(), "PyPI token"),
        (format!("sk-proj-{}", noise(48)), "OPENAI={}".into(), "OpenAI key"),
        (format!("sk-ant-api03-{}", noise(80)), "token = \"{}\"".into(), "Anthropic key"),
        (format!("hf_{}", noise(34)), "login('{}')".into(), "Hugging Face token"),
        (token(&noise(30)), "Bearer {}".into(), "JSON web token"),
        (key, "let pem = \"{}\";".into(), "private key"),
        ("hunter2pass9".into(), "postgres://app:{}@db.internal:5432/x".into(), "password in a URL"),
        (noise(24), "\"apiKey\": \"{}\"".into(), "credential assigned to a name"),
        (noise(24), "password := '{}'".into(), "password assigned to a name"),
        (noise(24), "const API_TOKEN: &str = \"{}\";".into(), "credential assigned to a name"),
        (hex(32), "export CLIENT_SECRET={}".into(), "credential assigned to a name"),
    ]
}

#[test]
fn credentials_are_found_at_their_position() {
    for (secret, frame, rule) in credentials() {
        let text = format!("// é first line\n{}\nlast", frame.replace("{}", &secret));
        let findings = find_secrets(&text);
        let found: Vec<_> =
            findings.iter().map(|finding| (finding.rule, &text[finding.range.clone()], finding.line)).collect();
        assert_eq!(found, [(rule, secret.as_str(), 2)], "in {text}");
    }
}

#[test]
fn placeholders_and_checksums_are_not_credentials() {
    let placeholder = format!("AKIA{}EXAMPLE", &noise(9).to_uppercase());
    let checksum = format!("\"js-tokens\": \"sha512-{}\"", noise(60));
    let lines = [
        placeholder.as_str(),
        checksum.as_str(),
        "password = \"your-password-goes-here-123\"",
        "api_key: \"${API_KEY_FROM_ENVIRONMENT_1}\"",
        "token = \"<put your token here 12345>\"",
        "token = \"aaaaaaaaaaaaaaaaaaaaaaaa\"",
        "secret = \"the_name_of_the_secret_2_use\"",
        "let token: Token = self.next_token_or_default_12();",
        "if password == \"x8Jk29sLq0Pm38Zn27Vb\" {}",
        "https://user:password@host/ ftp://anonymous:guest@example.com",
        "postgres://postgres:hunter2pass@localhost/db",
        "https://example.com/a:b@c http://{user}:{password99}@db.internal/",
        "class=\"sk-folding-cube-loading-indicator-wide\"",
        "strip(\"-----BEGIN PRIVATE KEY-----\").strip(\"-----END PRIVATE KEY-----\")",
        "-----BEGIN PUBLIC KEY-----",
        "\"eyJhbGciOiJIUzI1NiJ9\"",
        "hf_hub_download_with_cache_and_retry_x1",
        "xghp_1234567890",
        "checksum = \"9f86d081884c7d659a2feaa0c55ad015\"",
    ];
    for line in lines {
        assert_eq!(find_secrets(line), [], "in {line}");
    }
}

#[test]
fn redaction_keeps_length_and_line_numbers() {
    for (secret, frame, _) in credentials() {
        let text = format!("é\n{}\nrest", frame.replace("{}", &secret));
        let given = read(text.as_bytes());
        let redacted = &given.0[0].text;
        assert_eq!((redacted.len(), redacted.lines().count()), (text.len(), text.lines().count()));
        assert!(!redacted.contains(&secret) && redacted.ends_with("\nrest"), "{redacted:?}");
        assert_eq!(reported(&given), [(Severity::Warning, "secret", 2)]);
        assert_eq!(given.0[0].content_hash, Hash::of(text.as_bytes()));
        assert!(!given.1[0].1.message.contains(&secret));
    }
}

#[test]
fn each_policy_treats_secrets_differently() {
    let secret = format!("ghp_{}", noise(36));
    let text = format!("a\n{secret}\n{secret}");
    let skipped = read_as(text.as_bytes(), SecretPolicy::Skip);
    let twice = vec![(Severity::Error, "secret", 2), (Severity::Error, "secret", 3)];
    assert_eq!((skipped.0.len(), reported(&skipped)), (0, twice));
    let kept = read_as(text.as_bytes(), SecretPolicy::Off);
    assert_eq!((&*kept.0[0].text, reported(&kept)), (text.as_str(), vec![]));
    let prints = [SecretPolicy::Skip, SecretPolicy::Redact, SecretPolicy::Off]
        .map(|secrets| Read::new(ReadConfig { secrets }).fingerprint());
    assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2]);
}

#[test]
fn all_secrets_are_redacted_but_reports_are_capped() {
    let text = format!("ghp_{}\n", noise(36)).repeat(250);
    let given = read(text.as_bytes());
    assert_eq!(given.1.len(), 101);
    assert!(given.1[100].1.message.contains("150"));
    assert!(!given.0[0].text.contains("ghp_"));
}

#[test]
fn configuration_is_strict() {
    let config: ReadConfig = serde_json::from_str(r#"{"secrets": "skip"}"#).expect("valid");
    assert_eq!(config.secrets, SecretPolicy::Skip);
    assert_eq!(serde_json::from_str::<ReadConfig>("{}").expect("valid"), ReadConfig::default());
    assert!(serde_json::from_str::<ReadConfig>(r#"{"secret": "skip"}"#).is_err());
}

proptest! {
    #[test]
    fn findings_are_sorted_and_redaction_changes_nothing_else(
        parts in proptest::collection::vec((0_usize..23, "\\PC{0,8}|[ -~\n]{0,20}"), 0..6),
    ) {
        let credentials = credentials();
        let mut text = String::new();
        for (which, filler) in &parts {
            let (secret, frame, _) = &credentials[*which];
            text.push_str(&frame.replace("{}", secret));
            text.push_str(filler);
        }
        let findings = find_secrets(&text);
        for pair in findings.windows(2) {
            prop_assert!(pair[0].range.end <= pair[1].range.start && pair[0].line <= pair[1].line);
        }
        for finding in &findings {
            let before = text.get(..finding.range.start).expect("begins between characters");
            prop_assert_eq!(finding.line as usize, before.matches('\n').count() + 1);
        }
        let redacted = redact(&text, &findings);
        prop_assert_eq!(redacted.len(), text.len());
        for (at, (was, is)) in text.bytes().zip(redacted.bytes()).enumerate() {
            let inside = findings.iter().any(|finding| finding.range.contains(&at));
            prop_assert!(was == is || (inside && is == b'*'), "at {at}");
        }
    }

    #[test]
    fn any_bytes_yield_a_content_or_a_diagnostic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let given = read(&bytes);
        prop_assert!(given.0.len() == 1 || !given.1.is_empty());
        if let (Ok(text), [content]) = (std::str::from_utf8(&bytes), given.0.as_slice())
            && !bytes.starts_with(b"\xff\xfe")
        {
            prop_assert_eq!(content.text.len(), text.len());
        }
    }
}
