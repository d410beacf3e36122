//! The `duban` program: see `duban --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    duban::cli::run(std::env::args_os())
}
