//! The project's guard over its own source: floors, sizes, banned calls, openings and names.
//!
//! Each check is a function from sources to findings, is run over the repository here, and is
//! shown a bad sample beside its own code, so that it is known to be able to fail.

mod calls;
mod floors;
mod names;
mod scanner;
mod sizes;
mod source;

use source::{Finding, Source};

fn check(rule: fn(&Source) -> Vec<Finding>) {
    source::report(&source::rust().iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn modules_import_from_lower_floors_only() {
    check(floors::imports);
    check(floors::core_imports);
}

#[test]
fn the_core_stays_without_io_clock_and_chance() {
    check(floors::pure_core);
}

#[test]
fn foreign_crates_stay_in_their_modules() {
    check(floors::foreign_crates);
}

#[test]
fn the_core_keeps_no_unordered_collection() {
    check(floors::ordered_core);
}

#[test]
fn files_stay_short() {
    check(sizes::files);
}

#[test]
fn functions_stay_short() {
    check(sizes::functions);
}

#[test]
fn modules_open_with_what_they_are() {
    check(sizes::openings);
}

#[test]
fn only_the_clock_reads_the_time() {
    check(calls::reads_of_the_time);
}

#[test]
fn every_unwrap_says_why_it_is_safe() {
    check(calls::unwraps);
}

#[test]
fn nothing_is_left_unfinished_or_silenced() {
    check(calls::unfinished);
}

#[test]
fn only_the_command_line_prints() {
    check(calls::prints);
}

#[test]
fn no_unfinished_words() {
    let findings = source::tracked().iter().flat_map(names::unfinished_words).collect::<Vec<_>>();
    source::report(&findings);
}

#[test]
fn no_machine_paths_and_no_registry_hosts() {
    let findings = source::tracked().iter().flat_map(names::places).collect::<Vec<_>>();
    source::report(&findings);
}
