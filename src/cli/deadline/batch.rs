//! `duban deadline --batch`: JSON lines in, JSON lines out. Must never print a single result when
//! one line is wrong.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::{Answer, out_of_range};
use crate::catalog;
use crate::cli::{Ended, Failure, print};
use duban_core::calendar::{Calendar, Due, Within};
use duban_core::time::{Day, Instant};

/// The largest batch, some three million lines of usual length; `-` is the standard input. Everything is checked before anything
/// is printed, so a batch stands in memory as a whole.
const BATCH_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Complaints shown; the rest is counted. More would hide the first ones.
const COMPLAINTS_MAX: usize = 20;
/// The characters of a complaint shown: a line could hold a whole book.
const COMPLAINT_CHARS_MAX: usize = 300;

const FIELDS: [&str; 4] = ["received", "within", "known_on", "roll"];

pub(super) fn run(file: &Path, calendar: &Calendar) -> Ended {
    let bytes = read(file)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_end();
    let mut out = Vec::new();
    let mut complaints = Vec::new();
    let mut wrong = 0_usize;
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.take_while(|_| !bytes.is_empty()) {
        match answer(line, calendar) {
            Ok(due) if wrong == 0 => {
                serde_json::to_writer(&mut out, &Answer::new(&due, None))
                    .map_err(|error| Failure::Machine(format!("无法写成 JSON：{error}")))?;
                out.push(b'\n');
            }
            Ok(_) => {}
            Err(found) => {
                wrong += 1;
                let room = COMPLAINTS_MAX.saturating_sub(complaints.len());
                let found = found.iter().take(room);
                complaints.extend(found.map(|text| format!("第 {} 行：{}", index + 1, cut(text))));
            }
        }
    }
    if wrong > 0 {
        complaints.push(format!("共 {wrong} 行有误，没有输出任何结果"));
        return Err(Failure::Input(complaints.join("\n")));
    }
    print(&String::from_utf8_lossy(&out))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(COMPLAINT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = BATCH_BYTES_MAX + 1;
    let standard = file == Path::new("-");
    let done = if standard {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    let name = if standard { "标准输入".to_owned() } else { file.display().to_string() };
    done.map_err(|error| Failure::Input(format!("无法读取 {name}：{}", catalog::reason(&error))))?;
    if bytes.len() as u64 > BATCH_BYTES_MAX {
        let most = BATCH_BYTES_MAX / (1024 * 1024);
        return Err(Failure::Input(format!("{name} 过大：不应超过 {most} MiB，请分批")));
    }
    Ok(bytes)
}

fn answer(line: &[u8], calendar: &Calendar) -> Result<Due, Vec<String>> {
    let Request { received, within, known_on } = Request::read(line)?;
    let edition = known_on.map_or_else(|| calendar.latest(), |day| calendar.known_on(day));
    let due = edition.due(received, within);
    due.ok_or_else(|| vec![format!("within：{}", out_of_range(within))])
}

struct Request {
    received: Instant,
    within: Within,
    known_on: Option<Day>,
}

impl Request {
    /// Reads a line, or gives everything that is wrong with it.
    fn read(line: &[u8]) -> Result<Self, Vec<String>> {
        let text = std::str::from_utf8(line).map_err(|_| vec!["不是 UTF-8 编码".to_owned()])?;
        if text.trim().is_empty() {
            return Err(vec!["空行；每行应为一个 JSON 对象".to_owned()]);
        }
        let fields: Fields = serde_json::from_str(text).map_err(|error| {
            vec![if error.is_data() {
                "应为 JSON 对象，例如 {\"received\":\"2026-02-13T16:30:00+08:00\",\"within\":\"10wd\"}"
                    .to_owned()
            } else {
                format!("不是合法的 JSON（第 {} 列）", error.column())
            }]
        })?;
        let mut wrong = fields.strange();
        let received = fields.text("received", str::parse::<Instant>, &mut wrong);
        let within = fields.text("within", str::parse::<Within>, &mut wrong);
        let known_on = fields.text("known_on", str::parse::<Day>, &mut wrong);
        let roll = match fields.get("roll") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(roll)) => *roll,
            Some(other) => {
                wrong.push(format!("roll：应为 true 或 false，却是{}", kind_of(other)));
                false
            }
        };
        for (field, missing) in [
            ("received", fields.get("received").is_none()),
            ("within", fields.get("within").is_none()),
        ] {
            if missing {
                wrong.push(format!("缺少 {field}；必填：received、within"));
            }
        }
        let within = match within.map(|within| if roll { within.rolled() } else { Ok(within) }) {
            Some(Err(why)) => {
                wrong.push(format!("roll：{why}"));
                None
            }
            Some(Ok(within)) => Some(within),
            None => None,
        };
        match (received, within) {
            (Some(received), Some(within)) if wrong.is_empty() => {
                Ok(Self { received, within, known_on })
            }
            _ => Err(wrong),
        }
    }
}

/// The fields of a line as they stand there, repetitions included.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// Fields that are unknown or stand there twice.
    fn strange(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (index, (field, _)) in self.0.iter().enumerate() {
            if !FIELDS.contains(&field.as_str()) {
                wrong.push(format!("{field}：不认识的字段；可用：{}", FIELDS.join("、")));
            } else if self.0.iter().take(index).any(|(before, _)| before == field) {
                wrong.push(format!("{field}：字段重复"));
            }
        }
        wrong
    }

    fn text<T>(
        &self,
        field: &str,
        parse: impl Fn(&str) -> Result<T, String>,
        wrong: &mut Vec<String>,
    ) -> Option<T> {
        let parsed = match self.get(field)? {
            Value::String(text) => parse(text),
            Value::Null if field == "known_on" => return None,
            other => Err(format!("应为文本，却是{}", kind_of(other))),
        };
        parsed.map_err(|why| wrong.push(format!("{field}：{why}"))).ok()
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "空值",
        Value::Bool(_) => "真假值",
        Value::Number(_) => "数字",
        Value::String(_) => "文本",
        Value::Array(_) => "列表",
        Value::Object(_) => "对象",
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::with_capacity(FIELDS.len());
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}
