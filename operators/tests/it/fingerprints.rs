//! The fingerprints of the operators, which are part of the key of everything that they produced.
//!
//! A fingerprint that changes makes every index parse or embed its sources again. It must change
//! with the results, and only with them: when an operator's `VERSION` is raised, a grammar is
//! updated, or the built-in model is replaced.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use gristmill_operators::chunk::ChunkConfig;
use gristmill_operators::embed::models::{FileEntry, MANIFEST};
use gristmill_operators::embed::{HttpConfig, OnnxConfig, StaticConfig};
use gristmill_operators::hash::HashConfig;
use gristmill_operators::parse::ParseConfig;
use gristmill_operators::read::{GeneratedPolicy, ReadConfig, SecretPolicy};
use gristmill_pipeline::Operator as _;
use gristmill_pipeline::OperatorConfig;
use gristmill_pipeline::port::Header;

/// Writes the fingerprint of the operator that a configuration builds.
fn write<C: OperatorConfig>(table: &mut String, what: &str, config: &C) {
    let operator = config.build(Path::new(".")).unwrap();
    writeln!(table, "{} {what}: {}", C::NAME, operator.fingerprint()).unwrap();
}

/// A model folder whose files are no model: the fingerprint comes from `model.json`.
fn described_model(folder: &Path) -> OnnxConfig {
    let mut files = BTreeMap::new();
    for file in ["model.onnx", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::write(folder.join(file), file).unwrap();
        files.insert(file, FileEntry::of(file.as_bytes()));
    }
    let manifest = serde_json::json!({
        "format": 1, "name": "m", "kind": "onnx", "dimension": 8, "max_tokens": 16,
        "quantization": "dynamic", "files": files,
    });
    std::fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
    OnnxConfig { model: folder.to_str().unwrap().into(), ..OnnxConfig::default() }
}

#[test]
fn fingerprints_stay() {
    let mut table = String::new();
    for secrets in [SecretPolicy::Skip, SecretPolicy::Redact, SecretPolicy::Off] {
        write(&mut table, &format!("{secrets:?}"), &ReadConfig { secrets, ..ReadConfig::default() });
    }
    let skipped = ReadConfig { generated: GeneratedPolicy::Skip, ..ReadConfig::default() };
    write(&mut table, "without generated", &skipped);
    write(&mut table, "default", &HashConfig::default());
    write(&mut table, "default", &ParseConfig::default());
    write(&mut table, "limited", &ParseConfig { max_bytes: 77, max_nesting: 5 });
    for header in [Header::Path, Header::Scope, Header::None] {
        write(&mut table, &format!("{header:?}"), &ChunkConfig { header, ..ChunkConfig::default() });
    }
    write(&mut table, "small", &ChunkConfig { max_tokens: 100, min_tokens: 7, ..ChunkConfig::default() });
    write(&mut table, "default", &StaticConfig::default());
    let short = StaticConfig { dimensions: Some(64), max_tokens: Some(9), ..StaticConfig::default() };
    write(&mut table, "short", &short);
    let folder = tempfile::tempdir().unwrap();
    write(&mut table, "described", &described_model(folder.path()));
    let http = HttpConfig {
        url: Some("http://localhost:1/v1".into()),
        model: Some("m".into()),
        dimension: 8.try_into().ok(),
        passage_prefix: "p".into(),
        ..HttpConfig::default()
    };
    write(&mut table, "prefixed", &http);
    write(&mut table, "revised", &HttpConfig { normalize: false, revision: "r".into(), ..http });
    insta::assert_snapshot!(table, @"
    read Skip: f9880472a3a95a576762a1b32fc31effb1aa3b8780aa0b3fb4b12d6f0fcab6e1
    read Redact: 1350ab50698f78e306646a9a6f68da23c0d87e2d4ccf9c040d730d40c8f9436d
    read Off: cb11b19c65645256c53bc6bb2fc025a551f71037df8108261aa6f6de91eac86b
    read without generated: f52511ee703bd85f3ea806c97b07f7a6e839936b3d0879cbb23427f15ae404eb
    hash default: b59602a013db304a8a333ea94f020eeab74d19f2220ddf710ca5d341261cb5c6
    parse default: 3304984679e06c82a38c14577ba91ffcc2163930d9a80f3c9c01eec7872a3929
    parse limited: 13d66d369aceb88fde41f079dc74553f65386782606bb0116cfcc22e9e92d26c
    chunk Path: 0bfdee6673dd03fe868bcf93f993586070ecb74b32b6424f960837465f286525
    chunk Scope: 72759d5ffba8870b14cc04615deb3f81acec2b6b16dc993f7ceae67d20b81e36
    chunk None: a80f73e40bdadf148a82dfe2d81399dbe76b1eafc8b30590571bb3ad3dd3882b
    chunk small: 67be0c658041757d9b8013a6caf177530c687810edcddec694c8a42ee25a1748
    embed default: 1900844c2134459e2108218657b71b398f9ba03d1b245915c81f0a5c4f1476d0
    embed short: 83fb3f9d1e8ac3aacb24186bca760480e760de8c24fdba44dc6dfb6565e0e1e8
    fastembed described: 1e96c778d350e0f7884af7606dbf04fa9fc1790198b34301267ca9aae735d7ca
    http prefixed: 6f74936f382bc03bec13f68e50626e44f64ec72f78b2e6188d070e527064a3fa
    http revised: 72a8a06535b73fad3030655055cbc257d262408fa24f53ac0819471916050f49
    ");
}
