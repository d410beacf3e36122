//! TOML read by hand, so that every fault is found at once and names file, line and key.
//!
//! Must never stop at the first fault, and must never let an unknown key pass in silence.

mod fault;
mod syntax;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use fault::{Fault, Faults, gather};
pub(crate) use fault::{LINE, is_line, note, told};
use syntax::{Flaw, Lines};

/// Reads a TOML document with `read`, and gives its value only if no fault was found.
///
/// # Errors
/// Every fault: of the syntax, those that `read` reported, and each key that `read` never asked
/// for in a table it closed.
pub fn read<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Table<'_>) -> Option<T>,
) -> Result<T, Faults> {
    let source = Source { file, lines: Lines::new(text), faults: RefCell::default() };
    match syntax::tree(text, &source.lines) {
        Ok(root) => {
            let asked = RefCell::default();
            let table = Table { source: &source, path: String::new(), at: 0, inner: &root, asked };
            let value = read(&table);
            table.close();
            if let Some(value) = value
                && source.faults.borrow().is_empty()
            {
                return Ok(value);
            }
        }
        Err(Flaw::TooMany(at)) => source.fault(at, String::new(), too_many()),
        Err(Flaw::At(flaws)) => {
            for (at, message) in flaws {
                source.fault(at, String::new(), message);
            }
        }
    }
    let mut faults = told(source.faults.into_inner());
    if faults.is_empty() {
        // A reader gave nothing and said nothing: still an error, never a silent success.
        faults.push(Fault {
            file: file.to_owned(),
            line: 1,
            key: String::new(),
            message: "内容不完整".to_owned(),
        });
    }
    Err(Faults(faults))
}

/// Looks whether a text is TOML, and at nothing else of it.
///
/// # Errors
/// Every fault of the syntax.
pub fn check_syntax(file: &str, text: &str) -> Result<(), Faults> {
    let spelled = |root: &Table<'_>| {
        let _ = root.json();
        Some(())
    };
    read(file, text, spelled)
}

/// What is said of a document that does not fit.
fn too_many() -> String {
    let most = syntax::PIECES_MAX / 10_000;
    format!("内容过多：一个文件中的键、值、标点和空白合计不应超过 {most} 万个，请删减")
}

struct Source<'s> {
    file: &'s str,
    lines: Lines,
    faults: RefCell<Vec<Fault>>,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        self.lines.of(at)
    }

    fn fault(&self, at: usize, key: String, message: String) {
        let file = || self.file.to_owned();
        let fault = || Fault { file: file(), line: self.line(at), key, message };
        note(&mut self.faults.borrow_mut(), fault);
    }
}

/// A position in a document, for faults that are found after the reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The dotted path of the key.
    pub key: String,
    /// Of a table, the line of each of its keys.
    lines: BTreeMap<String, usize>,
}

impl Position {
    /// Where one of the table's keys stands, or the table if it has no such key.
    #[must_use]
    pub fn of(&self, key: &str) -> Self {
        if key.is_empty() {
            return self.clone();
        }
        let dot = if self.key.is_empty() { "" } else { "." };
        let line = self.lines.get(key).copied().unwrap_or(self.line);
        Self { line, key: format!("{}{dot}{key}", self.key), lines: BTreeMap::new() }
    }
}

/// A table of the document. Remembers which keys were asked for.
pub struct Table<'s> {
    source: &'s Source<'s>,
    path: String,
    at: usize,
    inner: &'s DeTable<'s>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'s> Table<'s> {
    /// Where this table stands.
    #[must_use]
    pub fn position(&self) -> Position {
        let line = |key: &Spanned<_>| self.source.line(key.span().start);
        let lines = self.inner.keys().map(|key| (key.get_ref().to_string(), line(key))).collect();
        Position { line: self.source.line(self.at), key: self.path.clone(), lines }
    }

    /// Where `key` stands, or this table if it has no such key.
    #[must_use]
    pub fn position_of(&self, key: &str) -> Position {
        let line = self.source.line(self.offset(key));
        Position { line, key: self.dotted(key), lines: BTreeMap::new() }
    }

    /// Reports a fault of this table (`key` empty) or of one of its keys.
    pub fn fault(&self, key: &str, message: impl Into<String>) {
        let at = self.offset(key);
        self.source.fault(at, self.dotted(key), message.into());
    }

    /// Whether the table has the key. Does not count as asking.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.inner.contains_key(key)
    }

    /// The keys in the order of the document.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.inner.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// A line that must be there and not be blank.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.parsed(key, |text| match text {
            text if text.trim().is_empty() => Err("不能为空".to_owned()),
            text if !is_line(text) => Err(LINE.to_owned()),
            text => Ok(text.to_owned()),
        })
    }

    /// The same of a text with several paragraphs, a line each.
    #[must_use]
    pub fn paragraphs(&self, key: &str) -> Option<String> {
        self.parsed(key, |text| match text {
            text if text.trim().is_empty() => Err("不能为空".to_owned()),
            text if !text.split('\n').all(is_line) => Err(LINE.to_owned()),
            text => Ok(text.to_owned()),
        })
    }

    /// A text that may be missing.
    #[must_use]
    pub fn optional_text(&self, key: &str) -> Option<String> {
        self.ask(key);
        self.has(key).then(|| self.text(key)).flatten()
    }

    /// A text (or a TOML date) that must be there, made into a value by `parse`.
    #[must_use]
    pub fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let value = self.required(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            other => {
                self.fault(key, format!("应为文本，却是{}", kind_of(other)));
                return None;
            }
        };
        parse(&text).map_err(|message| self.fault(key, message)).ok()
    }

    /// The same for a text that may be missing.
    #[must_use]
    pub fn optional_parsed<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.ask(key);
        self.has(key).then(|| self.parsed(key, parse)).flatten()
    }

    /// A whole number within `range` that may be missing.
    #[must_use]
    pub fn integer(&self, key: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.ask(key);
        let value = self.inner.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => {
                i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
            }
            _ => None,
        };
        let allowed = number.filter(|number| range.contains(number));
        if allowed.is_none() {
            let (low, high) = (range.start(), range.end());
            let says = if low == high {
                format!("只能为 {low}")
            } else if *high >= i64::from(u32::MAX) {
                format!("应为不小于 {low} 的整数，且不能过大")
            } else {
                format!("应为 {low} 至 {high} 之间的整数")
            };
            self.fault(key, says);
        }
        allowed
    }

    /// The same for a number that must be there.
    #[must_use]
    pub fn required_integer(&self, key: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        self.required(key)?;
        self.integer(key, range)
    }

    /// `true` or `false`; missing is `false`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.ask(key);
        match self.inner.get(key).map(Spanned::get_ref) {
            None => false,
            Some(DeValue::Boolean(value)) => *value,
            Some(_) => {
                self.fault(key, "应为 true 或 false");
                false
            }
        }
    }

    /// A text or a list of texts, each made into a value by `parse`; missing is an empty list.
    #[must_use]
    pub fn list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        self.ask(key);
        let Some(value) = self.inner.get(key) else {
            return Vec::new();
        };
        let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut list = Vec::new();
        for item in items {
            let text = match item.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Datetime(date) => date.to_string(),
                other => {
                    let message = format!("应为文本或文本列表，其中有{}", kind_of(other));
                    self.source.fault(item.span().start, self.dotted(key), message);
                    continue;
                }
            };
            match parse(&text) {
                Ok(value) => list.push(value),
                Err(message) => {
                    self.source.fault(item.span().start, self.dotted(key), message);
                }
            }
        }
        list
    }

    /// A table that must be there.
    #[must_use]
    pub fn table(&self, key: &str) -> Option<Table<'s>> {
        self.required(key)?;
        self.optional_table(key)
    }

    /// A table that may be missing.
    #[must_use]
    pub fn optional_table(&self, key: &str) -> Option<Table<'s>> {
        self.ask(key);
        let value = self.inner.get(key)?;
        self.as_table(value, self.dotted(key), self.offset(key))
    }

    /// The tables of a list (`[[key]]`, or one inline table); missing is an empty list.
    #[must_use]
    pub fn tables(&self, key: &str) -> Vec<Table<'s>> {
        self.ask(key);
        match self.inner.get(key).map(|value| (value, value.get_ref())) {
            None => Vec::new(),
            Some((_, DeValue::Array(items))) => {
                let numbered = items.iter().enumerate();
                numbered
                    .filter_map(|(index, item)| {
                        let path = format!("{}[{}]", self.dotted(key), index + 1);
                        self.as_table(item, path, item.span().start)
                    })
                    .collect()
            }
            Some((value, _)) => {
                let table = self.as_table(value, self.dotted(key), value.span().start);
                table.into_iter().collect()
            }
        }
    }

    /// The tables of a list (`[[key]]`) of which there may be several; missing is an empty list.
    #[must_use]
    pub fn several(&self, key: &str) -> Vec<Table<'s>> {
        if let Some(DeValue::Table(_)) = self.inner.get(key).map(Spanned::get_ref) {
            self.ask(key);
            self.fault(key, format!("应写作 [[{key}]]：可以有多个"));
            return Vec::new();
        }
        self.tables(key)
    }

    /// The named tables below `key` (`[key.name]`), in the order of the document.
    #[must_use]
    pub fn entries(&self, key: &str) -> Vec<(String, Table<'s>)> {
        let Some(group) = self.optional_table(key) else {
            return Vec::new();
        };
        let names = group.keys();
        names
            .into_iter()
            .filter_map(|name| group.optional_table(&name).map(|table| (name, table)))
            .collect()
    }

    /// This table as JSON, every key counted as asked for. Dates become texts.
    #[must_use]
    pub fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut map = serde_json::Map::new();
        for (key, value) in self.inner {
            self.ask(key.get_ref());
            map.insert(key.get_ref().to_string(), json_of(value.get_ref()));
        }
        map
    }

    /// Reports every key that nobody asked for.
    pub fn close(&self) {
        let asked = self.asked.borrow();
        for key in self.inner.keys() {
            if !asked.contains(&**key.get_ref()) {
                let known: Vec<&str> = asked.iter().map(String::as_str).collect();
                self.source.fault(
                    key.span().start,
                    self.dotted(key.get_ref()),
                    format!("没有这个键；此处可用：{}", known.join("、")),
                );
            }
        }
    }

    fn ask(&self, key: &str) {
        self.asked.borrow_mut().insert(key.to_owned());
    }

    fn required(&self, key: &str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.ask(key);
        let value = self.inner.get(key);
        if value.is_none() {
            self.fault("", format!("缺少 {key}"));
        }
        value
    }

    fn as_table(
        &self,
        value: &'s Spanned<DeValue<'s>>,
        path: String,
        at: usize,
    ) -> Option<Table<'s>> {
        if let DeValue::Table(inner) = value.get_ref() {
            Some(Table { source: self.source, path, at, inner, asked: RefCell::default() })
        } else {
            let message = format!("应为表，却是{}", kind_of(value.get_ref()));
            self.source.fault(at, path, message);
            None
        }
    }

    fn dotted(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (_, true) => self.path.clone(),
            (true, false) => key.to_owned(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    fn offset(&self, key: &str) -> usize {
        let found = self.inner.get_key_value(key);
        found.map_or(self.at, |(key, _)| key.span().start)
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "文本",
        DeValue::Integer(_) => "整数",
        DeValue::Float(_) => "小数",
        DeValue::Boolean(_) => "布尔值",
        DeValue::Datetime(_) => "日期",
        DeValue::Array(_) => "列表",
        DeValue::Table(_) => "表",
    }
}

fn json_of(value: &DeValue<'_>) -> serde_json::Value {
    use serde_json::Value;
    match value {
        DeValue::String(text) => Value::from(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            i64::from_str_radix(&digits, number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(items) => items.iter().map(|item| json_of(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter();
            entries
                .map(|(key, value)| (key.get_ref().to_string(), json_of(value.get_ref())))
                .collect()
        }
    }
}
