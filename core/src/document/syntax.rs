//! Whether a text is TOML that fits into memory, before it is made a tree. Must never hold more of a
//! text than its pieces' places, nor more faults than are told.

use std::borrow::Cow;
use std::collections::BTreeSet;

use toml::de::DeTable;
use toml::value::Datetime;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::lexer::TokenKind;
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source, Span};

use super::fault::FILE_FAULTS_MAX;
use crate::echo::echo;
use crate::time::{Day, Instant};

/// The most keys, values, signs and blanks of a document. As a tree each takes up to 170 bytes; a
/// scenario of ten thousand steps has about half of them.
pub(super) const PIECES_MAX: usize = 600_000;

/// A dot may begin a table of its own, which takes as much room as so many others.
const PIECES_OF_A_DOT: usize = 8;

/// How deep tables and lists may lie in each other.
const DEPTH_MAX: u32 = 80;

/// Where the lines of a text end, so that a file of nothing but faults is not read once a fault.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(newlines.map(|(at, _)| at).collect())
    }

    /// On which line something stands, from 1.
    pub(super) fn of(&self, at: usize) -> usize {
        1 + self.0.partition_point(|newline| *newline < at)
    }

    /// The line that something stands on, without its end, if a person has written it.
    fn around<'t>(&self, text: &'t str, at: usize) -> &'t str {
        const BYTES_MAX: usize = 2_000;
        let next = self.0.partition_point(|newline| *newline < at);
        let start = next.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |end| end + 1);
        let end = self.0.get(next).copied().unwrap_or(text.len());
        text.get(start..end).filter(|line| line.len() <= BYTES_MAX).unwrap_or_default()
    }
}

/// What is no document.
pub(super) enum Flaw {
    /// It has more pieces than that: where the first stands that is too many.
    TooMany(usize),
    /// It is no TOML: where, and what is wrong there.
    At(Vec<(usize, String)>),
}

/// Looks how keys and values are spelled, and keeps nothing.
struct Spelled<'t>(&'t str);

impl Spelled<'_> {
    fn raw(&self, span: Span, encoding: Option<Encoding>) -> Raw<'_> {
        let piece = self.0.get(span.start()..span.end()).unwrap_or_default();
        Raw::new_unchecked(piece, encoding, span)
    }
}

impl EventReceiver for Spelled<'_> {
    fn simple_key(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        self.raw(span, encoding).decode_key(&mut (), error);
    }

    fn scalar(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut text = Cow::Borrowed("");
        let kind = self.raw(span, encoding).decode_scalar(&mut text, error);
        if kind == ScalarKind::DateTime && text.parse::<Datetime>().is_err() {
            error.report_error(ParseError::new(no_date(&text)).with_unexpected(span));
        }
    }
}

/// Why a text is no date, as it is told of one between quotation marks.
fn no_date(text: &str) -> String {
    let reason = if text.contains([':', 'T', 't']) {
        text.parse::<Instant>().err()
    } else {
        text.parse::<Day>().err()
    };
    reason.unwrap_or_else(|| format!("日期或时间有误：“{}”", echo(text)))
}

/// The tree of a document.
pub(super) fn tree<'t>(text: &'t str, lines: &Lines) -> Result<DeTable<'t>, Flaw> {
    let source = Source::new(text);
    let mut pieces = 0;
    let beyond = source.lex().find(|token| {
        pieces += if token.kind() == TokenKind::Dot { PIECES_OF_A_DOT } else { 1 };
        pieces > PIECES_MAX
    });
    if let Some(beyond) = beyond {
        return Err(Flaw::TooMany(beyond.span().start()));
    }
    let mut flaws: Vec<(usize, String)> = Vec::new();
    let mut note = |error: ParseError| {
        if flaws.len() <= FILE_FAULTS_MAX {
            let at = error.unexpected().or(error.context()).map_or(0, |span| span.start());
            let at = at.min(text.trim_end().len());
            flaws.push((at, said(error.description(), lines.around(text, at))));
        }
    };
    let mut spelled = Spelled(text);
    let mut blanks = ValidateWhitespace::new(&mut spelled, source);
    let mut guarded = RecursionGuard::new(&mut blanks, DEPTH_MAX);
    parse_document(&source.lex().into_vec(), &mut guarded, &mut note);
    if flaws.len() > FILE_FAULTS_MAX {
        return Err(Flaw::At(flaws));
    }
    // Keys that stand twice are found here, besides all of that.
    let (root, errors) = DeTable::parse_recoverable(text);
    let known: BTreeSet<usize> = flaws.iter().map(|(at, _)| lines.of(*at)).collect();
    for error in errors {
        let span = error.span().unwrap_or_default();
        if known.contains(&lines.of(span.start)) {
            continue;
        }
        let says = match text.get(span.clone()) {
            Some(key) if error.message().contains("duplicate key") => {
                format!("“{}”写了两次", echo(key))
            }
            _ => said(error.message(), lines.around(text, span.start)),
        };
        flaws.push((span.start, says));
    }
    if flaws.is_empty() { Ok(root.into_inner()) } else { Err(Flaw::At(flaws)) }
}

/// What is said of a flaw: what is not in English is our own; of the reader's words those are known
/// that a look at the line does not show.
fn said(description: &str, line: &str) -> String {
    match description {
        own if !own.is_ascii() => own.to_owned(),
        depth if depth.contains("recurs") => format!("嵌套过深：至多 {DEPTH_MAX} 层"),
        twice if twice.contains("extend") => "这个键与前面同名的键写法不一致".to_owned(),
        _ => slip(line),
    }
}

/// Signs of a Chinese keyboard that are none in TOML.
const FULL_WIDTH: &[char] =
    &['“', '”', '‘', '’', '。', '、', '【', '】', '「', '」', '『', '』', '\u{3000}', '\u{2212}'];

fn is_full_width(sign: char) -> bool {
    FULL_WIDTH.contains(&sign) || ('\u{ff01}'..='\u{ff5e}').contains(&sign)
}

/// What is said of a line that is no TOML.
fn slip(line: &str) -> String {
    let mut quote = None;
    for sign in line.chars() {
        match quote {
            Some(open) if sign == open => quote = None,
            None if sign == '#' => break,
            None if matches!(sign, '"' | '\'') => quote = Some(sign),
            None if is_full_width(sign) => {
                return format!("TOML 语法有误：此行有全角的 {sign}，请改用半角");
            }
            _ => {}
        }
    }
    SLIP.to_owned()
}

const SLIP: &str = "TOML 语法有误：请核对这一行的引号、括号和等号";
