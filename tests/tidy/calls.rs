//! Calls, macros and attributes that have no place, or only one.

use crate::scanner::{Token, mentions, reads};
use crate::source::{Finding, Source};

/// The note that an `unwrap` needs, and how many lines before it may stand.
const UNWRAP_NOTE: &str = "Unwrap safety:";
const UNWRAP_NOTE_LINES: usize = 3;

/// Only `clock` reads the time.
pub(crate) fn reads_of_the_time(source: &Source) -> Vec<Finding> {
    if source.path.starts_with("src/clock") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for mention in mentions(&source.tokens) {
        let clock = mention.segments.windows(2).find(|pair| {
            pair[1] == "now" && ["Utc", "Local", "SystemTime"].contains(&pair[0].as_str())
        });
        if let Some(clock) = clock {
            let rule = format!("`{}` outside src/clock", clock.join("::"));
            findings.push(source.finding(mention.line, rule));
        }
    }
    findings
}

/// An `unwrap` that ships says why it is safe.
pub(crate) fn unwraps(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let explained = |line: usize| {
        let before = line.saturating_sub(1 + UNWRAP_NOTE_LINES)..line;
        lines[before].iter().any(|text| text.contains(UNWRAP_NOTE))
    };
    let found = found_at(source, |tokens, at| reads(tokens, at, &[".", "unwrap", "(", ")"]));
    let bare = found.into_iter().filter(|line| !source.is_test(*line) && !explained(*line));
    bare.map(|line| source.finding(line, format!("an unwrap without an `{UNWRAP_NOTE}` note")))
        .collect()
}

/// Where tests that need a server are declared.
const NEEDS_SERVERS: [&str; 2] = ["tests/it/database.rs", "tests/it/served.rs"];

/// Nothing unfinished, no test switched off, no lint silenced without being expected.
pub(crate) fn unfinished(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["todo", "unimplemented", "dbg"] {
        for line in found_at(source, |tokens, at| reads(tokens, at, &[name, "!"])) {
            findings.push(source.finding(line, format!("the macro `{name}`")));
        }
    }
    for (name, instead) in [("ignore", "run it or remove it"), ("allow", "expect, with a reason")] {
        let found = found_at(source, |tokens, at| {
            reads(tokens, at, &["#", "[", name]) || reads(tokens, at, &["#", "!", "[", name])
        });
        // Tests that need a server are made in one place; `tests/run` starts it and runs them.
        let made_here = name == "ignore" && NEEDS_SERVERS.iter().any(|file| source.under(file));
        for line in found.into_iter().filter(|_| !made_here) {
            findings.push(source.finding(line, format!("the attribute `{name}`: {instead}")));
        }
    }
    findings
}

/// Only the command line prints; everything else traces.
pub(crate) fn prints(source: &Source) -> Vec<Finding> {
    let may = ["src/cli", "src/cli.rs", "src/main.rs", "build.rs"];
    if may.iter().any(|place| source.under(place)) {
        return Vec::new();
    }
    let found = found_at(source, |tokens, at| {
        ["println", "eprintln", "print", "eprint"]
            .iter()
            .any(|name| reads(tokens, at, &[name, "!"]))
    });
    let shipped = found.into_iter().filter(|line| !source.is_test(*line));
    shipped.map(|line| source.finding(line, "prints outside src/cli")).collect()
}

fn found_at(source: &Source, is_it: impl Fn(&[Token], usize) -> bool) -> Vec<usize> {
    let tokens = &source.tokens;
    (0..tokens.len()).filter(|at| is_it(tokens, *at)).map(|at| tokens[at].line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str, expected: &[usize]) {
        let lines: Vec<usize> =
            rule(&Source::new(path, text)).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{path}: {text}");
    }

    #[test]
    fn a_read_of_the_time_is_found() {
        let text = "fn f() {\n chrono::Utc::now();\n // Utc::now()\n}\nuse Local::now;";
        check(reads_of_the_time, "src/engine/mod.rs", text, &[2, 5]);
        check(reads_of_the_time, "tests/it/main.rs", "fn f() { SystemTime::now(); }", &[1]);
        check(reads_of_the_time, "src/clock.rs", text, &[]);
        check(reads_of_the_time, "src/engine/mod.rs", "fn f(clock: &Clock) { clock.now(); }", &[]);
    }

    #[test]
    fn a_bare_unwrap_is_found() {
        check(unwraps, "src/a.rs", "fn f() {\n x\n  .unwrap();\n}", &[3]);
        check(unwraps, "src/a.rs", "// Unwrap safety: checked above.\n\n\nx.unwrap();", &[]);
        check(unwraps, "src/a.rs", "// Unwrap safety: too far.\n\n\n\nx.unwrap();", &[5]);
        check(unwraps, "src/a.rs", "x.unwrap_or(1); \".unwrap()\"; // .unwrap()", &[]);
        check(unwraps, "src/a.rs", "#[cfg(test)]\nmod tests {\n fn f() { x.unwrap() }\n}", &[]);
        check(unwraps, "tests/it/a.rs", "x.unwrap();", &[]);
    }

    #[test]
    fn the_unfinished_and_the_silenced_is_found() {
        for name in ["todo", "unimplemented", "dbg"] {
            check(unfinished, "tests/a.rs", &format!("fn f() {{\n {name}!(x)\n}}"), &[2]);
            check(unfinished, "src/a.rs", &format!("if {name} != x {{}} // {name}!"), &[]);
        }
        check(unfinished, "src/a.rs", concat!("#[al", "low(dead_code)]\nfn f() {}"), &[1]);
        check(unfinished, "src/a.rs", concat!("//!\n#![al", "low(dead_code)]"), &[2]);
        check(unfinished, "tests/a.rs", concat!("#[test]\n#[ig", "nore = \"slow\"]"), &[2]);
        check(unfinished, NEEDS_SERVERS[0], concat!("#[test]\n#[ig", "nore = \"needs\"]"), &[]);
        check(unfinished, "src/a.rs", "#[expect(dead_code, reason = \"x\")]", &[]);
    }

    #[test]
    fn a_print_is_found() {
        check(prints, "src/engine/mod.rs", "fn f() {\n println!(\"a\");\n}", &[2]);
        check(prints, "src/engine/mod.rs", "fn f() { eprint!(\"a\"); }", &[1]);
        check(prints, "src/engine/mod.rs", "fn f() { writeln!(out, \"println!\"); }", &[]);
        check(prints, "src/cli/list.rs", "fn f() { println!(\"a\"); }", &[]);
        check(prints, "benches/herd.rs", "fn f() { println!(\"a\"); }", &[]);
    }
}
