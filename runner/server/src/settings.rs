//! The server's settings, from a TOML file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::desk::Deadlines;
use super::tenants::TokenDigest;
use gristmill_config::ByteSize;
use gristmill_query::default_threads;

/// The settings of a server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Sites whose pages may ask, beside the server's own, such as `https://code.example`.
    pub origins: Vec<String>,
    /// What callers may take.
    pub limits: Limits,
    /// Who may ask, and which indexes.
    #[serde(rename = "tenant")]
    pub tenants: Vec<TenantSettings>,
}

/// What callers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a request's body.
    pub max_body: ByteSize,
    /// Connections at once; further ones wait to be taken.
    pub max_connections: usize,
    /// Calls of tools that run at once.
    pub max_calls: usize,
    /// How long the head of a request may take to arrive, in milliseconds.
    pub header_timeout_ms: u64,
    /// How long the body of a request may take to arrive, in milliseconds.
    pub body_timeout_ms: u64,
    /// How long an answer may take where the request does not say, in milliseconds.
    pub deadline_ms: u64,
    /// The longest time that a request may ask for, in milliseconds.
    pub most_deadline_ms: u64,
}

/// Who may ask, and which indexes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// The name in logs.
    pub name: String,
    /// The environment variable that holds the token.
    pub token_env: Option<String>,
    /// The SHA-256 of the token, in hexadecimal digits.
    pub token_sha256: Option<String>,
    /// The job files, relative to the settings' folder.
    pub jobs: Vec<PathBuf>,
    /// Whether to keep their indexes up to date.
    #[serde(default)]
    pub watch: bool,
}

/// The settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the server's settings {file}: {reason}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is not what is taken.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What, and where.
        reason: toml::de::Error,
    },
    /// A value is of no use.
    #[error("{0}")]
    Wrong(String),
}

/// The shortest token that is taken: shorter ones can be tried out.
const SHORTEST_TOKEN: usize = 16;

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878),
            origins: Vec::new(),
            limits: Limits::default(),
            tenants: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: ByteSize(1 << 20),
            max_connections: 1024,
            max_calls: default_threads(),
            header_timeout_ms: 10_000,
            body_timeout_ms: 30_000,
            deadline_ms: 30_000,
            most_deadline_ms: 600_000,
        }
    }
}

impl Limits {
    /// How long answers may take.
    #[must_use]
    pub fn deadlines(&self) -> Deadlines {
        Deadlines { default_ms: self.deadline_ms, most_ms: self.most_deadline_ms }
    }

    /// How long the head of a request may take to arrive.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// How long the body of a request may take to arrive.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// Bytes of a request's body.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        usize::try_from(self.max_body.0).unwrap_or(usize::MAX)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let counts = [
            ("max_body", self.max_body.0),
            ("max_connections", self.max_connections as u64),
            ("max_calls", self.max_calls as u64),
            ("header_timeout_ms", self.header_timeout_ms),
            ("body_timeout_ms", self.body_timeout_ms),
            ("deadline_ms", self.deadline_ms),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(SettingsError::Wrong(format!("`limits.{name}` is 0; nothing could be asked; write 1 or more")));
        }
        if self.deadline_ms > self.most_deadline_ms {
            let message =
                "`limits.deadline_ms` is more than `limits.most_deadline_ms`; lower the one or raise the other";
            return Err(SettingsError::Wrong(message.into()));
        }
        Ok(())
    }
}

impl Settings {
    /// Reads settings; the paths in them become relative to nothing.
    ///
    /// # Errors
    /// If the file cannot be read, or says what cannot be.
    pub fn load(file: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(file)
            .map_err(|reason| SettingsError::Unreadable { file: file.to_owned(), reason })?;
        let folder = std::path::absolute(file).ok().and_then(|file| file.parent().map(Path::to_owned));
        Self::parse(&text, file, &folder.unwrap_or_default())
    }

    fn parse(text: &str, file: &Path, folder: &Path) -> Result<Self, SettingsError> {
        let malformed = |reason| SettingsError::Malformed { file: file.to_owned(), reason };
        let mut settings: Self = toml::from_str(text).map_err(malformed)?;
        settings.limits.check()?;
        let mut names = Vec::new();
        for tenant in &mut settings.tenants {
            if names.contains(&tenant.name) {
                let name = &tenant.name;
                return Err(SettingsError::Wrong(format!("two tenants are named `{name}`; rename one of them")));
            }
            names.push(tenant.name.clone());
            if tenant.jobs.is_empty() {
                let name = &tenant.name;
                return Err(SettingsError::Wrong(format!(
                    "the tenant `{name}` has no jobs; name one or more in `jobs`"
                )));
            }
            for job in &mut tenant.jobs {
                *job = folder.join(&*job);
            }
        }
        Ok(settings)
    }
}

impl TenantSettings {
    /// The digest of its token.
    ///
    /// # Errors
    /// If none is given, or one that is of no use.
    pub fn token(&self, environment: impl Fn(&str) -> Option<String>) -> Result<TokenDigest, SettingsError> {
        let name = &self.name;
        let wrong = |message: String| Err(SettingsError::Wrong(format!("the tenant `{name}` {message}")));
        match (&self.token_env, &self.token_sha256) {
            (Some(variable), None) => match environment(variable) {
                Some(token) if token.len() >= SHORTEST_TOKEN => Ok(TokenDigest::of(&token)),
                Some(_) => wrong(format!(
                    "has a token of less than {SHORTEST_TOKEN} letters in {variable}; make one with `openssl rand -hex 32`"
                )),
                None => {
                    wrong(format!("has its token in {variable}, which is not set; set it, or name another variable"))
                }
            },
            (None, Some(digits)) => match TokenDigest::from_hex(digits) {
                Some(digest) => Ok(digest),
                None => {
                    wrong("has a `token_sha256` that is not 64 hexadecimal digits; make it with `sha256sum`".into())
                }
            },
            _ => wrong("needs either `token_env` or `token_sha256`".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, SettingsError> {
        Settings::parse(text, Path::new("server.toml"), Path::new("/etc/gristmill"))
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let settings = parse("").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7878");
        assert_eq!(settings.limits, Limits::default());
        let settings = parse("[limits]\nmax_body = \"2 MiB\"\nmax_calls = 3\n").unwrap();
        assert_eq!((settings.limits.body_bytes(), settings.limits.max_calls), (2 << 20, 3));
        assert_eq!(settings.limits.max_connections, 1024);
    }

    #[test]
    fn jobs_lie_beside_the_settings() {
        let settings =
            parse("[[tenant]]\nname = \"a\"\ntoken_env = \"A\"\njobs = [\"one.toml\", \"/srv/two.toml\"]\n").unwrap();
        assert_eq!(settings.tenants[0].jobs, [Path::new("/etc/gristmill/one.toml"), Path::new("/srv/two.toml")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let tenant = |name: &str| format!("[[tenant]]\nname = \"{name}\"\njobs = [\"a.toml\"]\n");
        let cases = [
            ("listen = \"here\"".to_owned(), "line 1"),
            ("[limits]\nmax_bodies = 3".into(), "max_bodies"),
            ("[limits]\nmax_calls = 0".into(), "limits.max_calls"),
            ("[limits]\ndeadline_ms = 9\nmost_deadline_ms = 8".into(), "limits.deadline_ms"),
            (format!("{}{}", tenant("a"), tenant("a")), "two tenants are named `a`"),
            ("[[tenant]]\nname = \"a\"\njobs = []".into(), "has no jobs"),
        ];
        for (text, part) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_token_is_given_in_one_way() {
        let tenant = |env: Option<&str>, sha256: Option<&str>| TenantSettings {
            name: "a".into(),
            token_env: env.map(Into::into),
            token_sha256: sha256.map(Into::into),
            jobs: Vec::new(),
            watch: false,
        };
        let environment = |name: &str| match name {
            "GOOD" => Some("0123456789abcdef".to_owned()),
            "SHORT" => Some("0123".to_owned()),
            _ => None,
        };
        let good = tenant(Some("GOOD"), None).token(environment).unwrap();
        // printf 0123456789abcdef | sha256sum
        let digits = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";
        assert_eq!(tenant(None, Some(digits)).token(environment).unwrap(), good);
        for (env, sha256, part) in [
            (None, None, "needs either"),
            (Some("GOOD"), Some(digits), "needs either"),
            (Some("SHORT"), None, "less than 16"),
            (Some("UNSET"), None, "not set"),
            (None, Some("12"), "64 hexadecimal digits"),
        ] {
            let error = tenant(env, sha256).token(environment).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
