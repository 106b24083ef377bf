//! Server settings, read from a TOML file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::body::BodyLimits;
use super::desk::Deadlines;
use super::tenants::TokenDigest;
use gristmill_config::ByteSize;
use gristmill_query::default_threads;

/// The settings of a server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// Web origins that may call the API besides the server's own, such as `https://code.example`.
    pub origins: Vec<String>,
    /// Limits of requests and connections.
    pub limits: Limits,
    /// How indexes are written beside queries.
    pub indexing: IndexingSettings,
    /// Who may query which indexes.
    #[serde(rename = "tenant")]
    pub tenants: Vec<TenantSettings>,
}

/// Limits of requests and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest request body.
    pub max_body: ByteSize,
    /// Open connections. Beyond them a few are accepted for `/health`, `/ready` and `/metrics`; further ones wait.
    pub max_connections: usize,
    /// Event streams that a token may hold open.
    pub max_event_streams: usize,
    /// Tool calls that run at once.
    pub max_calls: usize,
    /// Timeout for receiving the head of a request, in milliseconds.
    pub header_timeout_ms: u64,
    /// Timeout for receiving the body of a request, in milliseconds.
    pub body_timeout_ms: u64,
    /// The deadline of a request that sets none, in milliseconds.
    pub deadline_ms: u64,
    /// The longest deadline that a request may set, in milliseconds.
    pub max_deadline_ms: u64,
    /// Calls that run longer are logged as warnings with their input, in milliseconds.
    pub slow_call_ms: u64,
    /// Answers that are kept to be given again, for each open epoch; 0 for none.
    pub kept_answers: ByteSize,
}

/// How indexes are written beside queries.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexingSettings {
    /// The share of a job's workers that indexing uses, above 0 and at most 1. Whatever it is, indexing yields to queries.
    pub cpu: f64,
}

impl Default for IndexingSettings {
    fn default() -> Self {
        Self { cpu: 1.0 }
    }
}

/// A tenant: who may query which indexes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// The tenant's name in logs.
    pub name: String,
    /// The environment variable that holds the token.
    pub token_env: Option<String>,
    /// The SHA-256 digest of the token, as 64 hexadecimal digits.
    pub token_sha256: Option<String>,
    /// Job files, relative to the folder of the settings file.
    pub jobs: Vec<PathBuf>,
    /// Whether to index these jobs whenever their sources change.
    #[serde(default)]
    pub watch: bool,
    /// Whether the tenant may ask to index its jobs, to rebuild and to clear them.
    #[serde(default)]
    pub may_index: bool,
    /// Requests a second that the tenant may send, on average and at once; default: any number.
    pub requests_per_second: Option<NonZeroU32>,
}

/// The settings are invalid.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the server settings {file}: {reason}")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is not valid TOML, or has unknown or mistyped keys.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong, with its line.
        reason: toml::de::Error,
    },
    /// A value is out of range or in conflict with another.
    #[error("{0}")]
    Invalid(String),
}

/// The minimum length of a token: shorter ones can be guessed.
const MIN_TOKEN_BYTES: usize = 16;

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878),
            origins: Vec::new(),
            limits: Limits::default(),
            indexing: IndexingSettings::default(),
            tenants: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: ByteSize(1 << 20),
            max_connections: 1024,
            max_event_streams: 64,
            max_calls: default_threads(),
            header_timeout_ms: 10_000,
            body_timeout_ms: 30_000,
            deadline_ms: 30_000,
            max_deadline_ms: 600_000,
            slow_call_ms: 1_000,
            kept_answers: ByteSize(16 << 20),
        }
    }
}

impl Limits {
    /// The deadlines of requests.
    #[must_use]
    pub fn deadlines(&self) -> Deadlines {
        Deadlines { default_ms: self.deadline_ms, max_ms: self.max_deadline_ms }
    }

    /// Timeout for receiving the head of a request.
    #[must_use]
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// The limits of request bodies.
    #[must_use]
    pub fn body(&self) -> BodyLimits {
        BodyLimits {
            max_bytes: usize::try_from(self.max_body.0).unwrap_or(usize::MAX),
            timeout: Duration::from_millis(self.body_timeout_ms),
        }
    }

    fn check(&self) -> Result<(), SettingsError> {
        let counts = [
            ("max_body", self.max_body.0),
            ("max_connections", self.max_connections as u64),
            ("max_event_streams", self.max_event_streams as u64),
            ("max_calls", self.max_calls as u64),
            ("header_timeout_ms", self.header_timeout_ms),
            ("body_timeout_ms", self.body_timeout_ms),
            ("deadline_ms", self.deadline_ms),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(SettingsError::Invalid(format!("`limits.{name}` must be at least 1, got 0")));
        }
        let Self { deadline_ms, max_deadline_ms, .. } = self;
        if deadline_ms > max_deadline_ms {
            return Err(SettingsError::Invalid(format!(
                "`limits.deadline_ms` must be at most `limits.max_deadline_ms`, which is {max_deadline_ms}, got {deadline_ms}"
            )));
        }
        Ok(())
    }
}

impl Settings {
    /// Reads a settings file. The paths in it become absolute.
    ///
    /// # Errors
    /// If the file cannot be read or is invalid.
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
        let cpu = settings.indexing.cpu;
        if !(cpu > 0.0 && cpu <= 1.0) {
            return Err(SettingsError::Invalid(format!("`indexing.cpu` must be above 0 and at most 1, got {cpu}")));
        }
        let mut names = Vec::new();
        for tenant in &mut settings.tenants {
            let name = &tenant.name;
            if names.contains(name) {
                return Err(SettingsError::Invalid(format!("duplicate tenant name `{name}`; names must be unique")));
            }
            names.push(name.clone());
            if tenant.jobs.is_empty() {
                return Err(SettingsError::Invalid(format!(
                    "tenant `{name}`: `jobs` is empty; list at least one job file"
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
    /// The digest of the tenant's token; `environment` reads environment variables.
    ///
    /// # Errors
    /// If no token is given, it is too short, or the digest is malformed.
    pub fn token(&self, environment: impl Fn(&str) -> Option<String>) -> Result<TokenDigest, SettingsError> {
        let name = &self.name;
        let invalid = |message: String| Err(SettingsError::Invalid(format!("tenant `{name}`: {message}")));
        match (&self.token_env, &self.token_sha256) {
            (Some(variable), None) => match environment(variable) {
                Some(token) if token.len() >= MIN_TOKEN_BYTES => Ok(TokenDigest::of(&token)),
                Some(_) => invalid(format!(
                    "the token in {variable} must have at least {MIN_TOKEN_BYTES} bytes; generate one with `openssl rand -hex 32`"
                )),
                None => invalid(format!(
                    "environment variable {variable} is not set; set it to the token, or change `token_env`"
                )),
            },
            (None, Some(digits)) => match TokenDigest::from_hex(digits) {
                Some(digest) => Ok(digest),
                None => invalid(format!(
                    "`token_sha256` must be 64 hexadecimal digits, got `{digits}`; compute it with `sha256sum`"
                )),
            },
            _ => invalid("set exactly one of `token_env` and `token_sha256`".into()),
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
    fn missing_keys_have_defaults() {
        let settings = parse("").unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7878");
        assert_eq!(settings.limits, Limits::default());
        let settings = parse("[limits]\nmax_body = \"2 MiB\"\nmax_calls = 3\n").unwrap();
        assert_eq!((settings.limits.body().max_bytes, settings.limits.max_calls), (2 << 20, 3));
        assert_eq!(settings.limits.max_connections, 1024);
    }

    #[test]
    fn job_paths_are_relative_to_the_settings_file() {
        let settings =
            parse("[[tenant]]\nname = \"a\"\ntoken_env = \"A\"\njobs = [\"one.toml\", \"/srv/two.toml\"]\n").unwrap();
        assert_eq!(settings.tenants[0].jobs, [Path::new("/etc/gristmill/one.toml"), Path::new("/srv/two.toml")]);
    }

    #[test]
    fn errors_name_the_key() {
        let tenant = |name: &str| format!("[[tenant]]\nname = \"{name}\"\njobs = [\"a.toml\"]\n");
        let cases = [
            ("listen = \"here\"".to_owned(), "line 1"),
            ("[limits]\nmax_bodies = 3".into(), "max_bodies"),
            ("[limits]\nmax_calls = 0".into(), "limits.max_calls"),
            ("[indexing]\ncpu = 1.5".into(), "`indexing.cpu` must be above 0 and at most 1, got 1.5"),
            ("[indexing]\ncpu = 0".into(), "indexing.cpu"),
            ("[limits]\ndeadline_ms = 9\nmax_deadline_ms = 8".into(), "which is 8, got 9"),
            (format!("{}{}", tenant("a"), tenant("a")), "duplicate tenant name `a`"),
            ("[[tenant]]\nname = \"a\"\njobs = []".into(), "`jobs` is empty"),
        ];
        for (text, part) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn exactly_one_token_is_required() {
        let tenant = |env: Option<&str>, sha256: Option<&str>| TenantSettings {
            name: "a".into(),
            token_env: env.map(Into::into),
            token_sha256: sha256.map(Into::into),
            jobs: Vec::new(),
            watch: false,
            may_index: false,
            requests_per_second: None,
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
            (None, None, "exactly one"),
            (Some("GOOD"), Some(digits), "exactly one"),
            (Some("SHORT"), None, "at least 16"),
            (Some("UNSET"), None, "not set"),
            (None, Some("12"), "64 hexadecimal digits"),
        ] {
            let error = tenant(env, sha256).token(environment).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
