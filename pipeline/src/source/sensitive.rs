//! Files that are never read, by name: keys, credentials, environment files.

#[cfg(test)]
mod tests;

/// Version of the rules of this file. A source that skips unchanged folders compares it, so it
/// must change with the rules.
pub(super) const RULES_VERSION: u8 = 2;

/// Names that are sensitive as they stand.
const NAMES: &[&str] = &[
    ".authinfo",
    ".boto",
    ".dev.vars",
    ".dockercfg",
    ".dockerconfigjson",
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".mylogin.cnf",
    ".netrc",
    ".npmrc",
    ".passwd-s3fs",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".secrets",
    ".vault-token",
    "_netrc",
    "accesskeys.csv",
    "application_default_credentials.json",
    "credentials.csv",
    "credentials.json",
    "credentials.xml",
    "kubeconfig",
    "kubeconfig.yaml",
    "kubeconfig.yml",
    "master.key",
    "passwd-s3fs",
    "pgpass.conf",
    "rootkey.csv",
    "secring.gpg",
    "secrets.ini",
    "secrets.json",
    "secrets.properties",
    "secrets.toml",
    "secrets.yaml",
    "secrets.yml",
    "service-account.json",
    "service_account.json",
    "serviceaccountkey.json",
];

/// Names that are sensitive with any other ending too, but for that of source code:
/// `.env.production`, `.env-prod`, `id_rsa_work`, `.vault_pass.txt`.
const STEMS: &[&str] = &[
    ".dev.vars",
    ".env",
    ".vault_pass",
    ".vault-pass",
    ".vaultpass",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "vault_pass",
    "vault_password",
    "vault-password",
];

/// Beginnings of names of JSON files with a credential in them: `client_secret_123.json`.
const JSON_STEMS: &[&str] = &["client_secret", "client-secret", "firebase-adminsdk", "service-account-key"];

/// Extensions of key stores and private keys.
const KEY_STORES: &[&str] = &[
    "agekey",
    "bcfks",
    "jceks",
    "jks",
    "kdb",
    "kdbx",
    "key",
    "keystore",
    "keytab",
    "kubeconfig",
    "p12",
    "p8",
    "pem",
    "pfx",
    "pk8",
    "pkcs12",
    "ppk",
    "pvk",
];

/// Extensions of environment files, and of variables and state of Terraform. They count before
/// the last extension too: `app.env.production`, `prod.auto.tfvars.json`, `terraform.tfstate.1700000000`.
const VARIABLES: &[&str] = &["env", "tfstate", "tfvars"];

/// Folders whose file of that name holds credentials.
const IN_FOLDER: &[(&str, &str)] = &[
    (".aws", "credentials"),
    (".azure", "accesstokens.json"),
    (".azure", "msal_token_cache.json"),
    (".cargo", "credentials"),
    (".cargo", "credentials.toml"),
    (".docker", "config.json"),
    (".gem", "credentials"),
    (".kube", "config"),
    ("gh", "hosts.yml"),
];

/// Parts of a name that mark a template rather than the real thing.
const TEMPLATES: &[&str] =
    &["dist", "erb", "example", "examples", "j2", "sample", "samples", "schema", "skel", "template", "tmpl", "tpl"];

/// Endings of copies that editors, tools and people leave beside a file.
const COPIES: &[&str] = &[
    "~",
    ".backup",
    ".bak",
    ".bkp",
    ".copy",
    ".disabled",
    ".off",
    ".old",
    ".orig",
    ".prev",
    ".previous",
    ".rej",
    ".save",
    ".saved",
    ".swo",
    ".swp",
    ".tmp",
    " copy",
    "_backup",
    "-backup",
    "_bak",
    "-bak",
    "_old",
    "-old",
];

/// Extensions of source code and documents, whose files deal with environments and keys
/// without holding any: `webpack.env.js`, `id_rsa_test.go`, `.env.md`.
const SOURCES: &[&str] = &[
    "c", "cc", "cjs", "cpp", "cs", "css", "go", "h", "hpp", "html", "java", "js", "jsx", "kt", "lua", "md", "mjs",
    "mts", "php", "pl", "pub", "py", "rb", "rs", "rst", "scala", "svg", "swift", "ts", "tsx", "vue",
];

/// Whether the file of that path is likely to hold secrets, so that it must not be read.
///
/// Case does not count, nor do the endings of copies (`id_rsa.bak`, `.env~`). Templates of such
/// files (`.env.example`, `sample.tfvars`) are not sensitive, nor is source code.
#[must_use]
pub fn is_sensitive(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path).to_lowercase();
    let folder = parts.next().unwrap_or_default();
    let name = without_copy_marks(&name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if KEY_STORES.contains(&extension) {
        return true;
    }
    if SOURCES.contains(&extension) || name.split(MARKS).any(|part| TEMPLATES.contains(&part)) {
        return false;
    }
    let follows = |stem: &&str| name.strip_prefix(*stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(MARKS));
    NAMES.contains(&name)
        || STEMS.iter().any(follows)
        || name.split('.').skip(1).any(|part| VARIABLES.contains(&part))
        || IN_FOLDER.iter().any(|(parent, file)| folder.eq_ignore_ascii_case(parent) && name == *file)
        || (extension == "json" && JSON_STEMS.iter().any(|stem| name.starts_with(stem)))
}

/// What separates the parts of a name.
const MARKS: [char; 4] = ['.', '-', '_', ' '];

/// Strips what marks a copy: `#.env#`, `.id_rsa.swp`, `id_rsa (1)`, `.env.bak.2`, `prod.env.2024-01-31`.
fn without_copy_marks(name: &str) -> &str {
    let mut name = name.strip_prefix('#').and_then(|inner| inner.strip_suffix('#')).unwrap_or(name);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    loop {
        let numbered = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
        let numbered = numbered.or_else(|| name.rsplit_once('.')).filter(|(_, number)| is_number(number));
        let shorter = match numbered {
            Some((rest, _)) => rest,
            None => match COPIES.iter().find_map(|ending| name.strip_suffix(ending)) {
                // Vim keeps the changes of `id_rsa` in `.id_rsa.swp`, those of `.env` in `.env.swp`.
                Some(rest) if name.ends_with(".swp") || name.ends_with(".swo") => match rest.strip_prefix('.') {
                    Some(visible) if STEMS.contains(&visible) || NAMES.contains(&visible) => visible,
                    _ => rest,
                },
                Some(rest) => rest,
                None => return name,
            },
        };
        if shorter.is_empty() || shorter == "." {
            return name;
        }
        name = shorter;
    }
}
