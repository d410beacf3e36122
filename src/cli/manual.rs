//! `duban completions SHELL` and `duban manual`: what shells and `man` know of the commands, out of the
//! same words as the help. Must never name a flag that there is not.

use std::fs;
use std::path::PathBuf;

use clap::{Command, CommandFactory};

use super::{Duban, Ended, Failure, print_as_is, usage};
use duban_core::echo::echo_path;
use duban_core::system;

#[derive(clap::Args)]
pub(super) struct Completions {
    /// 哪一种：bash、elvish、fish、powershell、zsh
    #[arg(value_name = "命令解释器", value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut whole(), "duban", &mut script);
        print_as_is(&String::from_utf8_lossy(&script))
    }
}

#[derive(clap::Args)]
pub(super) struct Manual {
    /// 每个命令一页，写入此目录（如 /usr/local/share/man/man1）；不写则输出 duban(1)
    #[arg(long, value_name = "目录")]
    folder: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(self) -> Ended {
        let Some(folder) = self.folder else { return print_as_is(&page(whole())?) };
        for command in all(whole(), "") {
            let file = folder.join(format!("{}.1", command.get_name()));
            let written = fs::write(&file, page(command)?);
            written.map_err(|error| {
                let is_folder = error.kind() == std::io::ErrorKind::NotFound;
                let why =
                    if is_folder { "目录不存在".to_owned() } else { system::reason(&error) };
                Failure::Machine(format!("无法写入 {}：{why}", echo_path(&file)))
            })?;
        }
        Ok(())
    }
}

fn whole() -> Command {
    usage::in_chinese(Duban::command())
}

/// A command and all below it, each named as it is typed: `duban-token-issue`.
fn all(command: Command, before: &str) -> Vec<Command> {
    let name = format!("{before}{}", command.get_name());
    let inner: Vec<Command> = command.get_subcommands().cloned().collect();
    let inner = inner.into_iter().flat_map(|one| all(one, &format!("{name}-")));
    let inner: Vec<Command> = inner.collect();
    std::iter::once(command.name(name)).chain(inner).collect()
}

/// The headings of a manual page, and what they are called in Chinese.
const HEADINGS: [(&str, &str); 7] = [
    ("NAME", "名称"),
    ("SYNOPSIS", "用法"),
    ("DESCRIPTION", "说明"),
    ("OPTIONS", "选项"),
    ("SUBCOMMANDS", "命令"),
    ("EXTRA", "另见"),
    ("VERSION", "版本"),
];

fn page(command: Command) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut bytes);
    rendered.map_err(|error| Failure::Machine(system::reason(&error)))?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    for (english, chinese) in HEADINGS {
        text = text.replace(&format!(".SH {english}\n"), &format!(".SH {chinese}\n"));
    }
    Ok(text)
}
