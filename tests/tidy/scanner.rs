//! Rust source as the checks see it: words and marks with their lines.
//!
//! Comments, strings and characters must never be taken for code, nor code for them.

use std::ops::RangeInclusive;

/// A word (identifier, keyword, number) or a mark; a literal text is one `""`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// From 1; of a text over several lines the first.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_char)
    }
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of its `fn`.
    pub(crate) line: usize,
    /// How many lines from there to its closing brace, both included.
    pub(crate) lines: usize,
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The text cut into tokens.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, tokens: Vec::new() };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == '\n' {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn done(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while !self.done() && self.peek(0) != '\n' {
                    self.skip(1);
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (':', ':') | ('-' | '=', '>') | ('!' | '=', '=') => self.mark(2),
            (c, _) if is_word_char(c) => self.word(),
            (c, _) if c.is_whitespace() => self.skip(1),
            _ => self.mark(1),
        }
    }

    fn push(&mut self, text: String, line: usize) {
        self.tokens.push(Token { text, line });
    }

    fn mark(&mut self, length: usize) {
        let text = self.chars[self.at..self.at + length].iter().collect();
        self.push(text, self.line);
        self.skip(length);
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while !self.done() {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.push("\"\"".to_owned(), self.line);
        self.skip(1);
        while !self.done() && self.peek(0) != '"' {
            self.skip(if self.peek(0) == '\\' { 2 } else { 1 });
        }
        self.skip(1);
    }

    fn raw_string(&mut self, hashes: usize) {
        self.push("\"\"".to_owned(), self.line);
        self.skip(hashes + 1);
        let closes = |lexer: &Self| {
            lexer.peek(0) == '"' && (1..=hashes).all(|ahead| lexer.peek(ahead) == '#')
        };
        while !self.done() && !closes(self) {
            self.skip(1);
        }
        self.skip(hashes + 1);
    }

    /// A character, or the tick of a lifetime, which is left out with its name.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.skip(3);
            while !self.done() && self.peek(0) != '\'' {
                self.skip(1);
            }
            self.skip(1);
        } else if self.peek(2) == '\'' && self.peek(1) != '\'' {
            self.skip(3);
        } else {
            self.skip(1);
            while is_word_char(self.peek(0)) {
                self.skip(1);
            }
        }
    }

    fn word(&mut self) {
        let line = self.line;
        let start = self.at;
        while is_word_char(self.peek(0)) {
            self.skip(1);
        }
        let word: String = self.chars[start..self.at].iter().collect();
        let hashes = self.chars[self.at..].iter().take_while(|c| **c == '#').count();
        let opens_text = self.peek(hashes) == '"';
        match word.as_str() {
            "r" | "br" | "cr" if opens_text => self.raw_string(hashes),
            "b" | "c" if hashes == 0 && opens_text => self.string(),
            "b" if self.peek(0) == '\'' => self.quote(),
            "r" if hashes == 1 && is_word_char(self.peek(1)) => {
                // A raw identifier keeps its `r#`, so that it is never taken for a keyword.
                self.skip(1);
                let from = self.at;
                while is_word_char(self.peek(0)) {
                    self.skip(1);
                }
                let name: String = self.chars[from..self.at].iter().collect();
                self.push(format!("r#{name}"), line);
            }
            _ => self.push(word, line),
        }
    }
}

/// The text of a token, empty past the end.
pub(crate) fn text_at(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.text.as_str())
}

/// Whether the tokens from `at` on read like `words`.
pub(crate) fn reads(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(ahead, word)| text_at(tokens, at + ahead) == *word)
}

/// Where the item that starts at `from` has its body's brace, if it has one, and where it ends.
fn item(tokens: &[Token], from: usize) -> (Option<usize>, usize) {
    let last = tokens.len().saturating_sub(1);
    let mut depth = 0_usize;
    let mut at = from;
    while at <= last {
        match tokens[at].text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return (None, at),
            // The argument of a constant parameter, `Row<{ N }>`, is no body.
            "{" if at > 0 && tokens[at - 1].text == "<" => at = closing(tokens, at),
            "{" if depth == 0 => return (Some(at), closing(tokens, at)),
            _ => {}
        }
        at += 1;
    }
    (None, last)
}

fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

/// The functions with a body, inner ones too.
pub(crate) fn functions(tokens: &[Token]) -> Vec<Function> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let named = tokens.get(at + 1).is_some_and(Token::is_word);
        if tokens[at].text == "fn"
            && named
            && let (Some(_), end) = item(tokens, at)
        {
            let line = tokens[at].line;
            let name = tokens[at + 1].text.clone();
            found.push(Function { name, line, lines: tokens[end].line - line + 1 });
        }
    }
    found
}

/// The lines of items under `#[cfg(test)]`; of a whole file under `#![cfg(test)]`.
pub(crate) fn test_lines(tokens: &[Token]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if reads(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            let (_, end) = item(tokens, at);
            found.push(tokens[at].line..=tokens[end].line);
        } else if reads(tokens, at, &["#", "!", "[", "cfg", "(", "test", ")", "]"]) {
            found.push(1..=usize::MAX);
        }
    }
    found
}

/// A path such as `crate::core::time`, groups written out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// How many `mod name { … }` stand around it.
    pub(crate) inline_modules: usize,
}

/// Every path of two segments or more, in imports and elsewhere.
pub(crate) fn mentions(tokens: &[Token]) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => braces.push(at >= 2 && tokens[at - 2].text == "mod"),
            "}" => drop(braces.pop()),
            _ if starts_path(tokens, at) => {
                let mut written_out = Vec::new();
                at = tree(tokens, at, &[], false, &mut written_out);
                let inline_modules = braces.iter().filter(|is_module| **is_module).count();
                let long = written_out.into_iter().filter(|(segments, _)| segments.len() > 1);
                found.extend(long.map(|(segments, line)| Mention {
                    segments,
                    line,
                    inline_modules,
                }));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn starts_path(tokens: &[Token], at: usize) -> bool {
    let continues = at > 0
        && tokens[at - 1].text == "::"
        && at > 1
        && (tokens[at - 2].is_word() && tokens[at - 2].text != "use" || tokens[at - 2].text == ">");
    tokens[at].is_word() && tokens[at].text != "use" && !continues
}

/// Reads one path or group from `at`, and says where the next token stands.
fn tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    grouped: bool,
    found: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut segments = prefix.to_vec();
    let line = tokens[at].line;
    loop {
        if text_at(tokens, at) == "{" {
            at += 1;
            while at < tokens.len() && tokens[at].text != "}" {
                at = match tokens[at].text.as_str() {
                    "," => at + 1,
                    _ => tree(tokens, at, &segments, true, found),
                };
            }
            return at + 1;
        }
        segments.push(text_at(tokens, at).to_owned());
        at += 1;
        let goes_on = text_at(tokens, at) == "::"
            && tokens.get(at + 1).is_some_and(|next| next.is_word() || "*{".contains(&next.text));
        if !goes_on {
            break;
        }
        at += 1;
    }
    found.push((segments, line));
    // Only in a group: elsewhere `as` may stand before a path of its own.
    if grouped && text_at(tokens, at) == "as" { at + 2 } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_and_comments_are_not_code() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(
            words(r#"a("b \" c", 'd', '\'', '"', b'"', b"e")"#)[..4],
            ["a", "(", "\"\"", ","]
        );
        assert_eq!(words(r###"r#"a " b"# br##"c"# d"## e r#fn"###), ["\"\"", "\"\"", "e", "r#fn"]);
        assert_eq!(words("fn f<'a>(x: &'a str) {'b'}").join(" "), "fn f < > ( x : & str ) { }");
        assert_eq!(words(r"'\u{1F600}' 差 '评' x"), ["差", "x"]);
        assert_eq!(tokens("\"a\nb\"\nc")[1].line, 3);
        assert_eq!(words("\"never closed"), ["\"\""]);
    }

    #[test]
    fn functions_are_measured_from_name_to_brace() {
        let text = "impl T {\n fn a(x: [u8; 2]) -> B<{ 1 }>\n where X: Y,\n {\n let s = \"}\";\n \
                    fn b() {}\n }\n fn c();\n}\ntype F = fn(u8) -> u8;\n";
        let found = functions(&tokens(text));
        let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("a", 2, 6), ("b", 6, 1)]);
    }

    #[test]
    fn paths_are_written_out() {
        let text = "use crate::{core::{time, name as n}, store::*};\nmod inner {\n fn f() -> u8 { \
                    super::super::clock::read::<crate::wake::Bell>() as crate::config::Size }\n}";
        let found: Vec<String> = mentions(&tokens(text))
            .iter()
            .map(|path| format!("{}@{}", path.segments.join("::"), path.inline_modules))
            .collect();
        let expected = [
            "crate::core::time@0",
            "crate::core::name@0",
            "crate::store::*@0",
            "super::super::clock::read@1",
            "crate::wake::Bell@1",
            "crate::config::Size@1",
        ];
        assert_eq!(found, expected);
        assert_eq!(mentions(&tokens("use ::std::fs;"))[0].segments, ["std", "fs"]);
    }

    #[test]
    fn test_items_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n#[cfg(test)]\nmod more;\nfn b() {}\n";
        assert_eq!(test_lines(&tokens(text)), [2..=4, 5..=6]);
    }
}
