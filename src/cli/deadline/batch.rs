//! `duban deadline --batch`: JSON lines in, JSON lines out. Must never print a single result when
//! one line is wrong.

use std::fmt;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use duban_core::calendar::{Calendar, Due, Within};
use duban_core::echo::unknown;
use duban_core::system;
use duban_core::time::{Day, Instant};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::{Answer, out_of_range};
use crate::cli::{Ended, Failure, input, write_out};

/// The largest batch, some three million lines of usual length.
const MIB_MAX: u64 = 256;

/// The longest line: what is longer is no request.
const LINE_BYTES_MAX: u64 = 4 * 1024;

/// Wrong lines that are looked for: whoever has so many has given another file.
const WRONG_MAX: usize = 1_000;

const FIELDS: [&str; 4] = ["received", "within", "known_on", "roll"];

/// Everything is checked before anything is printed: results wait in a file that has no name.
pub(super) fn run(file: &Path, calendar: &Calendar) -> Ended {
    let name = input::named(file);
    let answered = input::patiently(&input::reading(&name), || answered(file, calendar));
    let Answered { mut results, complaints, wrong, is_cut } = answered?;
    if wrong == 0 {
        return write_out(&mut results);
    }
    let (more, rest) = if is_cut { ("以上", "，其余未再检查") } else { ("", "") };
    let said = complaints.join("\n");
    Err(Failure::Input(format!("{said}\n共 {wrong} 行{more}有误{rest}，没有输出任何结果")))
}

/// What came of a batch.
struct Answered {
    results: std::fs::File,
    complaints: Vec<String>,
    wrong: usize,
    /// Whether there was more that was not looked at.
    is_cut: bool,
}

fn answered(file: &Path, calendar: &Calendar) -> Result<Answered, Failure> {
    let name = input::named(file);
    let unreadable = |error: std::io::Error| input::unreadable(&name, &error);
    let kept = |error: std::io::Error| {
        Failure::Machine(format!("无法暂存结果：{}", system::reason(&error)))
    };
    let most = MIB_MAX * 1024 * 1024;
    let mut lines = Lines(BufReader::new(input::open(file).map_err(unreadable)?.take(most + 1)));
    let mut results = BufWriter::new(tempfile::tempfile().map_err(kept)?);
    let (mut complaints, mut wrong, mut line) = (Vec::new(), 0, Vec::new());
    let (mut place, mut blank) = (0_u64, Vec::new());
    while let Some(is_whole) = lines.next(&mut line).map_err(unreadable)? {
        place += 1;
        // Behind the last line there may be blank ones.
        if is_whole && line.trim_ascii().is_empty() {
            if blank.len() < WRONG_MAX {
                blank.push(place);
            }
            continue;
        }
        for blank in blank.drain(..) {
            wrong += 1;
            complaints.push(format!("{name}:{blank}: 空行；每行应为一个 JSON 对象"));
        }
        let known = if place == 1 { line.strip_prefix(b"\xef\xbb\xbf") } else { None };
        let answered = if is_whole {
            answer(known.unwrap_or(&line), calendar)
        } else {
            Err(vec![format!("一行过长：不应超过 {} KiB", LINE_BYTES_MAX / 1024)])
        };
        match answered {
            Ok(due) if wrong == 0 => {
                serde_json::to_writer(&mut results, &Answer::new(&due, None))
                    .map_err(|error| kept(error.into()))?;
                results.write_all(b"\n").map_err(kept)?;
            }
            Ok(_) => {}
            Err(found) => {
                wrong += 1;
                complaints.extend(found.iter().map(|text| format!("{name}:{place}: {text}")));
            }
        }
        if wrong >= WRONG_MAX {
            break;
        }
    }
    if lines.0.get_ref().limit() == 0 {
        return Err(input::too_large(&name, MIB_MAX));
    }
    let mut results = results.into_inner().map_err(|error| kept(error.into_error()))?;
    results.rewind().map_err(kept)?;
    Ok(Answered { results, complaints, wrong, is_cut: wrong >= WRONG_MAX })
}

/// Lines of a stream, no more of each than a request can have.
struct Lines<R: Read>(BufReader<R>);

impl<R: Read> Lines<R> {
    /// The next line without its end, and whether it is whole: of one that is too long there is a
    /// part. None at the end.
    fn next(&mut self, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
        line.clear();
        let read = (&mut self.0).take(LINE_BYTES_MAX + 1).read_until(b'\n', line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if read as u64 > LINE_BYTES_MAX {
            self.0.skip_until(b'\n')?;
            return Ok(Some(false));
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(true))
    }
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
        let fields: Fields = serde_json::from_str(text).map_err(|error| {
            vec![if error.is_data() {
                "应为 JSON 对象，例如 {\"received\":\"2026-02-13T16:30:00+08:00\",\"within\":\"10wd\"}"
                    .to_owned()
            } else {
                format!("不是有效的 JSON：第 {} 列附近", error.column())
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
                wrong.push(unknown("字段", field, &FIELDS.join("、")));
            } else if self.0.iter().take(index).any(|(before, _)| before == field) {
                wrong.push(format!("{field}：同一字段写了两次"));
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
        Value::Bool(_) => "布尔值",
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
