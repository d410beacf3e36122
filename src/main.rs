//! The `duban` program: see `duban --help`.

fn main() {}
