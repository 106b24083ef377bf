//! Files that are never read, by name: keys, credentials, environment files.

/// Names that are sensitive as they stand.
const NAMES: &[&str] = &[
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".netrc",
    ".pgpass",
    ".pypirc",
    "_netrc",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "master.key",
    "secring.gpg",
    "secrets.json",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
];

/// Extensions of key stores and private keys.
const EXTENSIONS: &[&str] =
    &["agekey", "jks", "kdbx", "key", "keystore", "p12", "pem", "pfx", "pkcs12", "ppk", "tfstate"];

/// Folders whose file of that name holds credentials.
const IN_FOLDER: &[(&str, &str)] =
    &[(".aws", "credentials"), (".docker", "config.json"), (".kube", "config"), (".cargo", "credentials.toml")];

/// Endings that mark a template rather than the real thing.
const TEMPLATES: &[&str] = &[".example", ".sample", ".template", ".dist"];

/// Whether the file of that path is likely to hold secrets, so that it must not be read.
///
/// Templates of such files (`.env.example`) are not sensitive.
#[must_use]
pub fn is_sensitive(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    let folder = parts.next().unwrap_or_default();
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if TEMPLATES.iter().any(|ending| name.ends_with(ending)) {
        return false;
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    NAMES.iter().any(|known| is(known))
        || name.starts_with(".env.")
        || extension.is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
        || IN_FOLDER.iter().any(|(parent, file)| folder == *parent && is(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_sensitive_names_and_their_templates() {
        for path in [".env", "app/.env.production", "certs/server.PEM", "home/.aws/credentials", "id_rsa"] {
            assert!(is_sensitive(path), "{path}");
        }
        for path in ["env.rs", ".env.example", "src/key.rs", "docs/credentials", "id_rsa.pub", "config.json"] {
            assert!(!is_sensitive(path), "{path}");
        }
    }
}
