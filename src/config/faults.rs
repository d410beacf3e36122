//! What is wrong with settings: each setting that is wrong (of a list its first fault), and where it
//! stands. Must never show a value that may be a secret.

use std::collections::BTreeSet;

use duban_core::echo::{echo, echo_path};
use figment::error::{Actual, Kind};
use figment::providers::Serialized;
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::{SETTINGS, Settings};

/// Settings whose values may hold passwords.
const SECRET: [&str; 4] = ["database_url", "redis_url", "otlp_endpoint", "destinations"];

/// The settings out of all layers, or a line for each fault.
pub(super) fn settings(mut layers: Figment) -> Result<Settings, String> {
    let mut said = unknown(&layers);
    let mut mended = BTreeSet::new();
    loop {
        match layers.extract::<Settings>() {
            Ok(settings) => {
                let more = settings.contradictions();
                if said.is_empty() && more.is_empty() {
                    return Ok(settings);
                }
                said.extend(more.into_iter().map(|says| format!("配置有误：{says}")));
                break;
            }
            Err(error) => {
                said.push(wrong(&error));
                // What comes after a wrong setting is seen when its default stands there.
                let Some(setting) = error.path.first().filter(|one| mended.insert((*one).clone()))
                else {
                    break;
                };
                layers = layers.merge(Serialized::default(setting, default_of(setting)));
            }
        }
    }
    Err(said.join("\n"))
}

/// A setting that is not there by default is none.
fn default_of(setting: &str) -> Option<serde_json::Value> {
    serde_json::to_value(Settings::default()).ok()?.get(setting).cloned()
}

/// Whoever has more unknown names than that has given another file.
const UNKNOWN_MAX: usize = 100;

/// What is no setting.
fn unknown(layers: &Figment) -> Vec<String> {
    let Ok(data) = layers.data() else { return Vec::new() };
    let keys = data.get(&Profile::Default).into_iter().flat_map(|settings| settings.keys());
    let is_known = |key: &str| SETTINGS.contains(&key) || key == "destinations";
    let (said, more) = {
        let mut unknown = keys.filter(|key| !is_known(key));
        (unknown.by_ref().take(UNKNOWN_MAX).collect::<Vec<_>>(), unknown.next().is_some())
    };
    let unknown = said.into_iter().map(|key| {
        let place = place(layers.find_metadata(key), key);
        if key.is_empty() {
            return format!("配置有误（{place}）：有一个键是空的");
        }
        format!(
            "配置有误（{place}）：没有名为“{}”的设置；有哪些设置见 duban serve --help",
            echo(key)
        )
    });
    let more = more.then(|| "配置有误：还有其他未知的设置，未列出".to_owned());
    unknown.chain(more).collect()
}

/// One sentence: which setting, from where, and what is wrong.
fn wrong(error: &figment::Error) -> String {
    let setting = error.path.first().map(String::as_str).unwrap_or_default();
    let place = place(error.metadata.as_ref(), setting);
    let expected = |expected: &str| format!("应为{}", in_chinese(expected));
    let what = match &error.kind {
        Kind::UnknownField(field, _) => format!("没有名为“{}”的键", echo(field)),
        Kind::MissingField(field) => format!("缺少 {}", echo(field)),
        Kind::InvalidType(..) | Kind::InvalidValue(..) if !form_of(setting).is_empty() => {
            format!("的值无效{}", form_of(setting))
        }
        Kind::InvalidType(found, should) | Kind::InvalidValue(found, should) => {
            format!("{}{}", value(setting, found), expected(should))
        }
        Kind::UnknownVariant(found, known) => {
            let found = value(setting, &Actual::Str(found.clone()));
            format!("{found}取值应为：{}", known.join("、"))
        }
        Kind::Message(said) => match place_in(said) {
            Some((line, column)) => format!("第 {line} 行第 {column} 列附近 TOML 语法有误"),
            None => format!("的值无效{}", form_of(setting)),
        },
        _ => "无法读取".to_owned(),
    };
    format!("配置有误（{place}）：{}{what}", path(&error.path))
}

/// `trusted_proxies 第 2 项`: which setting, and which of a list.
fn path(path: &[String]) -> String {
    let steps = path.iter().map(|step| match step.parse::<usize>() {
        Ok(index) => format!("第 {} 项", index + 1),
        Err(_) => echo(step),
    });
    let steps: Vec<String> = steps.collect();
    let after = if steps.last().is_none_or(|last| last.ends_with('项')) { "" } else { " " };
    steps.join(" ") + after
}

/// Which file, variable or flag said it.
fn place(from: Option<&Metadata>, setting: &str) -> String {
    match from.map(|from| (&from.source, &from.name)) {
        Some((Some(Source::File(path)), _)) => echo_path(path),
        Some((_, name)) if name.contains("environment") => {
            format!("环境变量 DUBAN_{}", setting.to_ascii_uppercase())
        }
        Some(_) if !setting.is_empty() => format!("参数 --{}", setting.replace('_', "-")),
        _ => "设置".to_owned(),
    }
}

/// What was written, where it may be shown.
fn value(setting: &str, found: &Actual) -> String {
    let shown = match found {
        _ if SECRET.contains(&setting) => return String::new(),
        Actual::Str(text) if text.is_empty() => return "的值是空的，".to_owned(),
        Actual::Str(text) => echo(text),
        Actual::Bool(is) => is.to_string(),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        _ => return String::new(),
    };
    format!("的值“{shown}”无效，")
}

/// How a setting that is more than a word is written.
fn form_of(setting: &str) -> &'static str {
    match setting {
        "listen" => "，应为“地址:端口”，例如 0.0.0.0:8080",
        "trusted_proxies" => "，应为反向代理的 IP 地址，例如 10.0.0.5",
        "start_at" => "，应为时刻，例如 2026-03-02T10:00:00+08:00",
        _ => "",
    }
}

/// What a setting should be, in place of the reader's own words.
fn in_chinese(expected: &str) -> &str {
    match expected {
        _ if expected.contains("nonzero") => "正整数",
        _ if expected.starts_with('i') || expected.starts_with('u') => "整数",
        "a boolean" => " true 或 false",
        "a map" | "map" => "表",
        _ if expected.contains("sequence") || expected.contains("array") => "列表",
        _ if expected.contains("string") => "文本",
        _ if expected.is_ascii() => "其他类型",
        // Our own words.
        other => other,
    }
}

/// Line and column of a fault in a file's syntax; what the reader shows of it may be a secret.
fn place_in(said: &str) -> Option<(u32, u32)> {
    let (_, rest) = said.split_once("at line ")?;
    let (line, rest) = rest.split_once(", column ")?;
    let digits = rest.split(|char: char| !char.is_ascii_digit()).next()?;
    Some((line.parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Settings;

    fn told(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let read = Settings::read(Some(file.path()), serde_json::json!({}));
        read.expect_err("refused").to_string()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let check = |text: &str, says: &str| {
            let told = told(text);
            assert!(told.contains(says), "{text}: {told}");
            assert!(!told.contains(" file"), "{told}");
        };
        check("listn = \"x\"", "没有名为“listn”的设置");
        check("listen = \"x\"", "listen 的值无效，应为“地址:端口”");
        check(
            "trusted_proxies = [\"::1\", \"x\"]",
            "trusted_proxies 第 2 项的值无效，应为反向代理的 IP 地址",
        );
        check("start_at = \"x\"", "start_at 的值无效，应为时刻");
        check("clock = \"x\"", "clock 的值“x”无效，取值应为：system、simulated");
        check("roles = []", "roles 不能为空");
        check("roles = [\"api\", \"x\"]", "roles 第 2 项的值“x”无效，取值应为：api、jobs");
        check("start_at = \"2026-03-02T10:00:00+08:00\"", "模拟时钟");
        check("listen = \"127.0.0.1:1\"\nx = [\"y\"", ":2: TOML 语法有误");
        check("listen = “x”", "有全角的 “");
        check("page_max = 1\npage_max = 1", ":2: “page_max”写了两次");
        check("start_at = 2026-02-30T00:00:00Z", "2026 年 2 月没有 30 日");
        check("clock = \"\"", "clock 的值是空的");
        check("page_max = 0", "page_max 的值“0”无效，应为正整数");
        check("page_max = \"x\"", "page_max 的值“x”无效，应为正整数");
        check("roles = 1", "roles 的值“1”无效，应为列表");
        check("accept_clock = 1", "accept_clock 的值“1”无效，应为 true 或 false");
        check("clock_offset_ms = \"x\"", "clock_offset_ms 的值“x”无效，应为整数");
        let told = Settings::read(Some(Path::new("/nowhere/duban.toml")), serde_json::json!({}));
        assert!(told.expect_err("refused").to_string().contains("无法读取配置文件"));
    }

    #[test]
    fn what_is_no_settings_file_is_told_soon() {
        let many: Vec<String> = (0..20_000).map(|nr| format!("k{nr}=1")).collect();
        let told = told(&many.join("\n"));
        assert_eq!(told.lines().count(), 101);
        assert!(told.ends_with("未列出"), "{told}");
        assert!(super::tests::told(&"#".repeat(256 * 1024 + 1)).contains("不应超过 256 KiB"));
    }

    #[test]
    fn a_setting_that_may_be_absent_hides_no_other() {
        let told = told("start_at = \"x\"\nredis_url = 1\nattachments = 1\npage_max = 0");
        for one in ["start_at", "redis_url", "attachments", "page_max"] {
            assert!(told.contains(one), "{one}: {told}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = told("listn = 1\npage_max = 0\nbody_kib = \"x\"\nclock = \"x\"\nexotic = 2");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 5, "{told}");
        for one in ["listn", "exotic", "page_max", "body_kib", "clock"] {
            assert!(lines.iter().any(|line| line.contains(one)), "{one}: {told}");
        }
    }

    /// Contradictions too, beside what is wrong by itself.
    #[test]
    fn contradictions_are_told_beside_other_faults() {
        let told = told("page_max = 0\nroles = []\nstart_at = \"2026-03-02T10:00:00+08:00\"");
        for one in ["page_max", "roles 不能为空", "start_at 只用于模拟时钟"] {
            assert!(told.contains(one), "{one}: {told}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for text in [
            "database_url = 4711",
            "redis_url = 4711",
            "[[destinations]]\nto = \"agency\"\nurl = \"x\"\nsecret = 4711",
            "[[destinations]]\nto = \"agency\"\nurl = \"x\"\nsecret = \"s\"\nprivate = \"4711\"",
            "otlp_endpoint = 4711",
            "x = [\"4711\"",
            "\"postgres://u:4711@h/db\" = 1",
        ] {
            let told = told(text);
            assert!(!told.contains("4711"), "{text}: {told}");
        }
    }
}
