//! Floor 1: settings of a server: defaults, then the file, then `DUBAN_…`, then flags. Must never
//! write a secret.

mod faults;

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use duban_core::document::check_syntax;
use duban_core::echo::echo_path;
use duban_core::name::Name;
use duban_core::system;
use duban_core::time::Instant;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::de::{IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The file that is read where it is there and no other is named.
pub const FILE: &str = "duban.toml";

/// How the service's clock goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// By the system.
    #[default]
    System,
    /// It stands still until it is moved.
    Simulated,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// It answers requests.
    Api,
    /// It works off what falls due and delivers messages.
    Jobs,
}

impl NodeRole {
    /// The word in settings and views.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Jobs => "jobs",
        }
    }
}

/// Where messages to an audience go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// An audience, alone or with one agency or source: `agency`, `agency:SZ014`, `source:gd`. The
    /// more exact one counts.
    pub to: String,
    /// Where it is called.
    pub url: String,
    /// `whsec_…`: the key of its signatures.
    pub secret: String,
    /// Whether it may lie in a private network.
    #[serde(default)]
    pub private: bool,
}

impl fmt::Debug for Destination {
    /// Without the secret, and without what a URL may hold.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Destination").field("to", &self.to).finish_non_exhaustive()
    }
}

/// All settings of a server.
#[derive(Clone, Serialize, Deserialize)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its database.
    pub database_url: String,
    /// The Redis between nodes, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis_url: Option<String>,
    /// Where traces go: the address of a collector (OTLP over HTTP).
    pub otlp_endpoint: Option<String>,
    /// The folder of attachments, the same for all nodes; where none is named, beside a database
    /// file or, for a server, in the working folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<PathBuf>,
    /// How its clock goes.
    pub clock: ClockKind,
    /// Where the simulated clock starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Instant>,
    /// By how much the system's clock is shifted, in milliseconds; for tests.
    pub clock_offset_ms: i64,
    /// By how much the database's clock is taken to be shifted, in milliseconds; for tests.
    #[serde(default)]
    pub database_clock_offset_ms: i64,
    /// Whether to start although the clock is behind the newest commit, or is simulated where the
    /// system's was used.
    pub accept_clock: bool,
    /// What this node does.
    #[serde(deserialize_with = "listed")]
    pub roles: Vec<NodeRole>,
    /// A folder of calendars in place of the embedded ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendars: Option<PathBuf>,
    /// A folder of workflows in place of the embedded ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflows: Option<PathBuf>,
    /// A folder with agencies, districts and tags in place of the embedded ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<PathBuf>,
    /// The agencies that are the hotline itself.
    #[serde(deserialize_with = "listed")]
    pub hotline_agencies: Vec<Name>,
    /// Addresses of the proxies before the nodes: what these say of where a request comes from counts.
    #[serde(deserialize_with = "listed")]
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests a second that one token may make.
    pub token_requests_per_s: NonZeroU32,
    /// The same for systems that push reviews.
    pub token_reviews_per_s: NonZeroU32,
    /// Open streams that one token may have.
    pub token_streams: NonZeroU32,
    /// Attachments and batches of reviews that one token may send and receive at once.
    pub token_transfers: NonZeroU32,
    /// KiB of a body; batches and attachments have their own measure.
    pub body_kib: NonZeroU32,
    /// What stands on one page at most.
    pub page_max: NonZeroU32,
    /// Where messages go; what has no destination stays in duban.
    pub destinations: Vec<Destination>,
}

impl fmt::Debug for Settings {
    /// Without addresses: they may hold passwords.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let of = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: "sqlite://duban.db?mode=rwc".to_owned(),
            redis_url: None,
            otlp_endpoint: None,
            attachments: None,
            clock: ClockKind::System,
            start_at: None,
            clock_offset_ms: 0,
            database_clock_offset_ms: 0,
            accept_clock: false,
            roles: vec![NodeRole::Api, NodeRole::Jobs],
            calendars: None,
            workflows: None,
            register: None,
            hotline_agencies: vec!["SZ002".into()],
            trusted_proxies: Vec::new(),
            token_requests_per_s: of(1_000),
            token_reviews_per_s: of(20_000),
            token_streams: of(8),
            token_transfers: of(4),
            body_kib: of(256),
            page_max: of(200),
            destinations: Vec::new(),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named is not there.
    #[error("无法读取配置文件 {0}：{1}")]
    NoFile(String, String),
    /// The file is no text.
    #[error("无法读取配置文件 {0}：不是 UTF-8 编码的文本")]
    NoText(String),
    /// The file is longer than any settings are.
    #[error("无法读取配置文件 {0}：内容过大，不应超过 256 KiB")]
    TooLarge(String),
    /// A setting is none, or has a value that it cannot have.
    #[error("{0}")]
    Wrong(String),
}

impl Settings {
    /// The settings out of all layers; `flags` are those that were given.
    ///
    /// # Errors
    /// A file that is not there, a setting that is none, a value that it cannot have.
    pub fn read(file: Option<&Path>, flags: impl Serialize) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        // What has the file's name is meant to be read, also where it is no file.
        let usual = Path::new(FILE);
        let file = file.or_else(|| usual.symlink_metadata().is_ok().then_some(usual));
        if let Some(file) = file {
            check(file)?;
            layers = layers.merge(Toml::file_exact(file));
        }
        layers = layers.merge(Env::prefixed("DUBAN_").only(SETTINGS));
        Self::out_of(layers.merge(Serialized::defaults(flags)))
    }

    /// The defaults and what `flags` say: neither a file nor the environment of some other service
    /// has a say in it.
    ///
    /// # Errors
    /// A value that a setting cannot have.
    pub fn alone(flags: impl Serialize) -> Result<Self, ConfigError> {
        let layers = Figment::from(Serialized::defaults(Self::default()));
        Self::out_of(layers.merge(Serialized::defaults(flags)))
    }

    fn out_of(layers: Figment) -> Result<Self, ConfigError> {
        faults::settings(layers).map_err(ConfigError::Wrong)
    }

    /// What the settings say that cannot be, each by itself or together.
    fn contradictions(&self) -> Vec<&'static str> {
        let is_simulated = self.clock == ClockKind::Simulated;
        let checks = [
            (self.roles.is_empty(), "roles 不能为空；可用：api、jobs"),
            (
                self.start_at.is_some() && !is_simulated,
                "start_at 只用于模拟时钟（clock = \"simulated\"）",
            ),
            (self.clock_offset_ms != 0 && is_simulated, "clock_offset_ms 只用于系统时钟"),
            (self.clock_offset_ms.unsigned_abs() > OFFSET_MS_MAX, "clock_offset_ms 不得超过 50 年"),
            (
                self.database_clock_offset_ms.unsigned_abs() > OFFSET_MS_MAX,
                "database_clock_offset_ms 不得超过 50 年",
            ),
            (self.body_kib.get() > BODY_KIB_MAX, "body_kib 不得超过 8192"),
            (self.page_max.get() > PAGE_MAX, "page_max 不得超过 1000"),
        ];
        checks.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, says)| says).collect()
    }

    /// `DUBAN_…` in the environment that sets nothing: most likely a slip.
    #[must_use]
    pub fn unknown_in_environment() -> Vec<String> {
        let is_known = |name: &str| {
            let setting = name.strip_prefix("DUBAN_").map(str::to_ascii_lowercase);
            setting.is_none_or(|setting| {
                SETTINGS.contains(&setting.as_str())
                    || ["config", "log"].contains(&setting.as_str())
            })
        };
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut names: Vec<String> = names.filter(|name| !is_known(name)).collect();
        names.sort();
        names
    }

    /// Whether this node does something.
    #[must_use]
    pub fn does(&self, role: NodeRole) -> bool {
        self.roles.contains(&role)
    }
}

/// Whether a file can be read, before it is.
fn check(file: &Path) -> Result<(), ConfigError> {
    let name = || echo_path(file);
    let unreadable = |error: &std::io::Error| ConfigError::NoFile(name(), system::reason(error));
    let is_file = fs::metadata(file).map_err(|error| unreadable(&error))?.is_file();
    if !is_file {
        // A device has no end, a pipe perhaps no beginning.
        return Err(ConfigError::NoFile(name(), "不是普通文件".to_owned()));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| unreadable(&error))?;
    let read = opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge(name()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::NoText(name()))?;
    check_syntax(&name(), text).map_err(|faults| ConfigError::Wrong(faults.to_string()))
}

/// A list, or words between commas, as the environment writes one.
fn listed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct Listed<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Listed<T> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an array")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(|word| T::deserialize(word.into_deserializer())).collect()
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                list.push(item);
            }
            Ok(list)
        }
    }
    from.deserialize_any(Listed(PhantomData))
}

/// Some thousand destinations.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A body is read whole: many of them at once must fit into memory.
const BODY_KIB_MAX: u32 = 8 * 1024;

/// A page is answered at once.
const PAGE_MAX: u32 = 1_000;

/// Fifty years: beyond them the calendar ends.
const OFFSET_MS_MAX: u64 = 50 * 365 * 86_400_000;

/// What the environment may set; `DUBAN_DATABASE_URL` and so on.
const SETTINGS: &[&str] = &[
    "listen",
    "database_url",
    "redis_url",
    "otlp_endpoint",
    "attachments",
    "clock",
    "start_at",
    "clock_offset_ms",
    "database_clock_offset_ms",
    "accept_clock",
    "roles",
    "calendars",
    "workflows",
    "register",
    "hotline_agencies",
    "trusted_proxies",
    "token_requests_per_s",
    "token_reviews_per_s",
    "token_streams",
    "token_transfers",
    "body_kib",
    "page_max",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, flags: serde_json::Value) -> Result<Settings, ConfigError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        Settings::read(Some(file.path()), flags)
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let none = serde_json::json!({});
        let settings = read("listen = \"0.0.0.0:9\"\nroles = [\"jobs\"]", none).expect("good");
        assert_eq!(settings.listen.to_string(), "0.0.0.0:9");
        assert!(settings.does(NodeRole::Jobs) && !settings.does(NodeRole::Api));
        assert_eq!(settings.database_url, "sqlite://duban.db?mode=rwc");
        let flags = serde_json::json!({"listen": "127.0.0.1:7"});
        let settings = read("listen = \"0.0.0.0:9\"", flags).expect("good");
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7");
    }

    /// What is written down twice says the same.
    #[test]
    fn every_setting_is_known_by_name() {
        let whole = Settings {
            redis_url: Some(String::new()),
            attachments: Some(PathBuf::new()),
            start_at: Some(Instant::from_ms(0)),
            calendars: Some(PathBuf::new()),
            workflows: Some(PathBuf::new()),
            register: Some(PathBuf::new()),
            ..Settings::default()
        };
        let value = serde_json::to_value(whole).expect("JSON");
        let mut fields: Vec<&str> =
            value.as_object().expect("an object").keys().map(String::as_str).collect();
        let mut known: Vec<&str> = SETTINGS.iter().copied().chain(["destinations"]).collect();
        fields.sort_unstable();
        known.sort_unstable();
        assert_eq!(fields, known);
    }

    #[test]
    fn a_list_may_be_words_between_commas() {
        let roles = |text: &str| read(text, serde_json::json!({})).map(|settings| settings.roles);
        let both = [NodeRole::Api, NodeRole::Jobs];
        assert_eq!(roles("roles = \"api,jobs\"").expect("good"), both);
        assert_eq!(roles("roles = \" api , jobs \"").expect("good"), both);
        assert_eq!(roles("roles = \"jobs\"").expect("good"), [NodeRole::Jobs]);
        let told = roles("roles = \"api,geheim\"").expect_err("refused").to_string();
        assert!(told.contains("取值应为：api、jobs"), "{told}");
        assert!(roles("roles = \",\"").expect_err("refused").to_string().contains("不能为空"));
        let proxies = read("trusted_proxies = \"10.0.0.5, ::1\"", serde_json::json!({}));
        assert_eq!(proxies.expect("good").trusted_proxies.len(), 2);
        let agencies = read("hotline_agencies = \"SZ001,SZ002\"", serde_json::json!({}));
        assert_eq!(agencies.expect("good").hotline_agencies.len(), 2);
    }
}
