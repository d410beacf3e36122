//! Who may know whom: the floors of `src`, the purity of the core, the homes of foreign crates.

use crate::scanner::{Mention, mentions};
use crate::source::{Finding, Source};

/// The floors of the service, lowest first; those of one floor do not know each other. Below all
/// of them lies the core, a crate of its own.
const FLOORS: &[&[&str]] = &[
    &["clock", "config", "catalog", "telemetry", "crypto", "masking"],
    &["store", "vault", "wake"],
    &["engine", "activities", "access", "audit", "replay"],
    &["jobs", "http", "console"],
    &["cli"],
];

/// What in the core stands on all the rest of it, and on nothing of its own kind.
const ABOVE_THE_CORE: &[&str] = &["simulate", "prove"];

/// What would bring input, output, time or chance into the core.
const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["std", "env"],
    &["std", "process"],
    &["tokio"],
    &["rand"],
];

/// Crates (and their families, `name_…`) with the only modules that may know them.
const HOMES: &[(&str, &[&str])] = &[
    ("sea_orm", &["src/store", "src/store.rs"]),
    ("sqlx", &["src/store", "src/store.rs"]),
    ("apalis", &["src/jobs", "src/jobs.rs"]),
    ("axum", &["src/http", "src/http.rs", "src/console", "src/console.rs"]),
    ("redis", &["src/wake", "src/wake.rs"]),
    ("maud", &["src/console"]),
    ("csv", &["src/console/sheet"]),
    ("rust_xlsxwriter", &["src/console/sheet"]),
    ("opentelemetry", &["src/telemetry"]),
    ("tracing_opentelemetry", &["src/telemetry"]),
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Nothing in the core knows what stands above the rest of it.
pub(crate) fn core_imports(source: &Source) -> Vec<Finding> {
    if !source.under("core/src") {
        return Vec::new();
    }
    let modules = source.modules();
    let own = modules.first().copied();
    let mut findings = Vec::new();
    for mention in mentions(&source.tokens) {
        let target = top_module(&mention, modules.len());
        let is_above = target.is_some_and(|target| ABOVE_THE_CORE.contains(&target));
        if is_above && own.is_some() && target != own {
            let (own, target) = (own.unwrap_or_default(), target.unwrap_or_default());
            findings
                .push(source.finding(mention.line, format!("`{own}` must not know `{target}`")));
        }
    }
    findings
}

/// Each module of `src` imports from lower floors only.
pub(crate) fn imports(source: &Source) -> Vec<Finding> {
    if !source.under("src") {
        return Vec::new();
    }
    let modules = source.modules();
    // The crate's roots stand above all floors.
    let own = modules.first().copied();
    let own_floor = match own {
        None => FLOORS.len(),
        Some(own) => match floor(own) {
            Some(floor) => floor,
            None => return vec![source.finding(1, format!("module `{own}` has no floor"))],
        },
    };
    let mut findings = Vec::new();
    for mention in mentions(&source.tokens) {
        let Some(target) = top_module(&mention, modules.len()) else {
            continue;
        };
        if Some(target) == own {
            continue;
        }
        let rule = match floor(target) {
            None => format!("`{target}` is no module with a floor: name the module"),
            Some(floor) if floor >= own_floor => {
                let own = own.unwrap_or_default();
                format!("`{own}` (floor {own_floor}) must not know `{target}` (floor {floor})")
            }
            Some(_) => continue,
        };
        findings.push(source.finding(mention.line, rule));
    }
    findings
}

/// The segment right below the crate's root that a path names, seen from a file `depth` deep.
fn top_module(mention: &Mention, depth: usize) -> Option<&str> {
    let segments: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
    if segments[0] == "crate" || segments[0] == "duban" {
        return Some(segments[1]);
    }
    let start = usize::from(segments[0] == "self");
    let climbs = segments.iter().skip(start).take_while(|segment| **segment == "super").count();
    let at_root = climbs > 0 && climbs == depth + mention.inline_modules;
    at_root.then(|| segments.get(start + climbs).copied()).flatten()
}

/// The core has no input, output, clock or chance.
pub(crate) fn pure_core(source: &Source) -> Vec<Finding> {
    if !source.under("core/src") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for mention in mentions(&source.tokens) {
        let mut named: Vec<&str> = mention.segments.iter().map(String::as_str).collect();
        if named.last() == Some(&"*") || named.last() == Some(&"self") {
            named.pop();
        }
        // A parent such as `std::time` counts too: what is used of it could not be seen.
        let banned = |path: &&&[&str]| named.starts_with(path) || path.starts_with(&named);
        if let Some(path) = IMPURE.iter().find(banned) {
            let rule = format!("the core must not know `{}`", path.join("::"));
            findings.push(source.finding(mention.line, rule));
        }
    }
    findings
}

/// The database, the queue, the web and Redis each have one home.
pub(crate) fn foreign_crates(source: &Source) -> Vec<Finding> {
    if !source.under("src") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for mention in mentions(&source.tokens) {
        let foreign = &mention.segments[0];
        let belongs = |name: &str| {
            let family = foreign.strip_prefix(name);
            family.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        for (name, homes) in HOMES {
            if belongs(name) && !homes.iter().any(|home| source.under(home)) {
                let rule = format!("`{foreign}` may be known only in {}", homes.join(", "));
                findings.push(source.finding(mention.line, rule));
            }
        }
    }
    findings
}

/// The core keeps nothing in an order that changes from run to run.
pub(crate) fn ordered_core(source: &Source) -> Vec<Finding> {
    if !source.under("core/src") {
        return Vec::new();
    }
    let unordered = source.tokens.iter().filter(|token| {
        ["HashMap", "HashSet"].contains(&token.text.as_str()) && !source.is_test(token.line)
    });
    unordered
        .map(|token| source.finding(token.line, format!("`{}` has no order", token.text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
        rule(&Source::new(path, text)).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn imports_from_above_and_beside_are_found() {
        let check = |path, text, expected: &[usize]| {
            assert_eq!(lines(imports, path, text), expected, "{path}: {text}");
        };
        check("src/catalog/years.rs", "use crate::clock::Clock;", &[1]);
        check("src/catalog/years.rs", "use super::super::clock::Clock;", &[1]);
        check("src/catalog/mod.rs", "use super::clock::Clock;", &[1]);
        check(
            "src/catalog/mod.rs",
            "mod a { use super::super::clock::Clock; use super::x::Y; }",
            &[1],
        );
        check("src/catalog/years.rs", "use super::texts;\nuse duban_core::name;", &[]);
        check("src/http/tickets.rs", "fn f() {\n crate::jobs::run();\n}", &[2]);
        check("src/store/mod.rs", "use crate::{\n clock::x,\n wake::y,\n};", &[3]);
        check("src/clock.rs", "use crate::*;", &[1]);
        check("src/clock.rs", "use duban_core::time::at; // crate::http", &[]);
        check("src/cli/serve.rs", "use crate::{http, jobs, engine::Engine};", &[]);
        check("src/main.rs", "fn main() { duban::cli::run(); }", &[]);
        check("src/misc.rs", "", &[1]);
    }

    #[test]
    fn the_core_does_not_know_what_stands_on_it() {
        let check = |path, text, expected: &[usize]| {
            assert_eq!(lines(core_imports, path, text), expected, "{path}: {text}");
        };
        check("core/src/decide/act.rs", "use crate::simulate::Life;", &[1]);
        check("core/src/prove/mod.rs", "use crate::simulate::Life;", &[1]);
        check("core/src/prove/moves.rs", "use super::forms::x;\nuse crate::decide::y;", &[]);
        check("core/src/lib.rs", "pub mod simulate;", &[]);
    }

    #[test]
    fn an_impure_core_is_found() {
        let check = |text, expected: &[usize]| {
            assert_eq!(lines(pure_core, "core/src/decide.rs", text), expected, "{text}");
        };
        check("use std::fs;", &[1]);
        check("use std::{fmt,\n net::IpAddr};", &[2]);
        check("use std::time::{Duration,\n Instant};", &[2]);
        check("use std::time;", &[1]);
        check("use std::time::*;", &[1]);
        check("fn f() {\n let x = rand::random();\n}", &[2]);
        check("use std::time::Duration;\nuse std::fmt; // std::env", &[]);
        assert!(lines(pure_core, "src/clock.rs", "use std::time::SystemTime;").is_empty());
    }

    #[test]
    fn a_foreign_crate_out_of_its_home_is_found() {
        let check = |path, text, expected: &[usize]| {
            assert_eq!(lines(foreign_crates, path, text), expected, "{path}: {text}");
        };
        check("src/engine/mod.rs", "use sea_orm::EntityTrait;", &[1]);
        check("src/engine/mod.rs", "use sea_orm_migration::prelude::*;", &[1]);
        check("src/http/mod.rs", "use axum::Router;\nuse redis::Client;", &[2]);
        check("src/store/mod.rs", "use sea_orm::EntityTrait;\nuse apalis_core::x;", &[2]);
        check("src/wake/mod.rs", "use redis::Client;", &[]);
        check("migrations/src/lib.rs", "use sea_orm_migration::prelude::*;", &[]);
    }

    #[test]
    fn an_unordered_collection_in_the_core_is_found() {
        let text = "use std::collections::HashMap;\n#[cfg(test)]\nmod tests { use x::HashSet; }";
        assert_eq!(lines(ordered_core, "core/src/instance.rs", text), [1]);
        assert!(lines(ordered_core, "src/engine/mod.rs", text).is_empty());
    }
}
