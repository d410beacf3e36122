//! Whether a text is TOML that fits into memory, before it is made a tree. Must never hold more of a
//! text than its pieces' places, nor more faults than are told.

use std::borrow::Cow;

use toml::de::DeTable;
use toml::value::Datetime;
use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, ParseError, Raw, Source, Span};

use super::fault::FILE_FAULTS_MAX;

/// The most keys, values, signs and blanks of a document. As a tree each takes up to 170 bytes; a
/// scenario of ten thousand steps has about half of them.
pub(super) const PIECES_MAX: usize = 600_000;

/// How deep tables and lists may lie in each other.
const DEPTH_MAX: u32 = 80;

/// What is no document.
pub(super) enum Flaw {
    /// It has more pieces than that: where the first stands that is too many.
    TooMany(usize),
    /// It is no TOML: where.
    At(Vec<usize>),
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
            error.report_error(ParseError::new("no such day").with_unexpected(span));
        }
    }
}

/// The tree of a document.
pub(super) fn tree(text: &str) -> Result<DeTable<'_>, Flaw> {
    let source = Source::new(text);
    if let Some(beyond) = source.lex().nth(PIECES_MAX) {
        return Err(Flaw::TooMany(beyond.span().start()));
    }
    let mut places = Vec::new();
    let mut note = |error: ParseError| {
        if places.len() <= FILE_FAULTS_MAX {
            places.push(error.unexpected().or(error.context()).map_or(0, |span| span.start()));
        }
    };
    let mut spelled = Spelled(text);
    let mut blanks = ValidateWhitespace::new(&mut spelled, source);
    let mut guarded = RecursionGuard::new(&mut blanks, DEPTH_MAX);
    parse_document(&source.lex().into_vec(), &mut guarded, &mut note);
    if places.len() > FILE_FAULTS_MAX {
        return Err(Flaw::At(places));
    }
    // Keys that stand twice are found here, besides all of that.
    let (root, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(root.into_inner());
    }
    Err(Flaw::At(errors.iter().map(|error| error.span().map_or(0, |span| span.start)).collect()))
}
