//! Floor 5: the commands, one a file; here what they share. Must never print half a result for a
//! bad input, nor panic because nobody reads the output.

mod audit;
mod bench;
mod calendar;
mod clocked;
mod deadline;
mod demo;
mod incident;
mod input;
mod listed;
mod manual;
mod migrate;
mod place;
mod replay;
mod serve;
mod service;
mod simulate;
mod supervised;
mod text;
mod token;
mod usage;
mod workflow;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::catalog::{self, Source};
use crate::config::ConfigError;
use crate::store::StoreError;
use duban_core::calendar::Calendar;
use duban_core::definition::Shelf;
use duban_core::document::Faults;
use duban_core::echo::visible;
use duban_core::system;
use duban_core::time::Day;

#[derive(Parser)]
#[command(name = "duban", version, about = "督办：政务服务差评按工作日时限督办")]
struct Duban {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 演示：生成几百件模拟工单并启动服务，供初次了解
    Demo(demo::Demo),
    /// 启动服务：提供接口和网页，自动办理到期事项
    Serve(serve::Serve),
    /// 令牌：签发、列出、吊销
    #[command(subcommand)]
    Token(token::Command),
    /// 测速：集中到期、受理、查询、网页、多节点和核验
    #[command(subcommand)]
    Bench(bench::Command),
    /// 把数据库的表升级到本程序的版本
    Migrate(migrate::Migrate),
    /// 核验数据库中的历史
    #[command(subcommand)]
    Audit(audit::Command),
    /// 异常：列出异常，导出一次办理供重演
    #[command(subcommand)]
    Incident(incident::Command),
    /// 重演导出的一次办理，逐字节比对
    Replay(replay::Replay),
    /// 计算期限：从收到之时起，若干工作日、自然日或小时后何时到期
    Deadline(deadline::Deadline),
    /// 工作日历：查看各年放假安排，检查日历文件
    #[command(subcommand)]
    Calendar(calendar::Command),
    /// 模拟一件工单的全过程：何时起算、何时预警、何时超期、谁办了什么
    Simulate(simulate::Simulate),
    /// 工作流：列出、检查、画图、证明
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// 输出命令行补全脚本：bash、zsh、fish 等
    Completions(manual::Completions),
    /// 输出手册页（man）
    Manual(manual::Manual),
}

/// Why a command did not succeed, in Chinese for the person at the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was given is wrong: exit code 2.
    Input(String),
    /// The machine did not do its part (a full disk, say): exit code 1.
    Machine(String),
}

impl Failure {
    /// What went wrong first, and what did besides.
    fn and(self, other: &Self) -> Self {
        let (Self::Input(said) | Self::Machine(said)) = other;
        match self {
            Self::Input(first) => Self::Input(format!("{first}；{said}")),
            Self::Machine(first) => Self::Machine(format!("{first}；{said}")),
        }
    }

    const fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Machine(_) => 1,
        }
    }
}

impl From<catalog::CatalogError> for Failure {
    fn from(error: catalog::CatalogError) -> Self {
        match error {
            catalog::CatalogError::Faults(faults) => faults.into(),
            error => Self::Input(error.to_string()),
        }
    }
}

impl From<Faults> for Failure {
    fn from(Faults(faults): Faults) -> Self {
        listed::faults(&faults, &[])
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Address(_) => Self::Input(error.to_string()),
            error => Self::Machine(error.to_string()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Input(error.to_string())
    }
}

/// What a command comes to.
pub(crate) type Ended = Result<(), Failure>;

/// Runs the program with these arguments, the first being its own name.
///
/// Exit codes: 0 good, 1 the machine failed, 2 bad input.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match usage::parse::<Duban>(args) {
        Ok(Duban { command }) => match command {
            Command::Demo(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Token(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Migrate(args) => args.run(),
            Command::Audit(command) => command.run(),
            Command::Incident(command) => command.run(),
            Command::Replay(args) => args.run(),
            Command::Deadline(args) => args.run(),
            Command::Calendar(command) => command.run(),
            Command::Simulate(args) => args.run(),
            Command::Workflow(command) => command.run(),
            Command::Completions(args) => args.run(),
            Command::Manual(args) => args.run(),
        },
        Err(usage::Stop::Shown(text)) => print(&text),
        Err(usage::Stop::Wrong(text)) => Err(Failure::Input(text)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.code();
            let (Failure::Input(text) | Failure::Machine(text)) = failure;
            // When even the error stream is closed, the exit code is all that is left to say it.
            let _ = writeln!(std::io::stderr().lock(), "{}", listed::of(&text));
            ExitCode::from(code)
        }
    }
}

/// Writes a whole text to the standard output, without what steers a terminal: titles, names and
/// messages in it may be anybody's. A reader that went away early is not a failure.
pub(crate) fn print(text: &str) -> Ended {
    print_as_is(&text::printable(text))
}

/// The same of a text that is all our own.
pub(crate) fn print_as_is(text: &str) -> Ended {
    write_out(&mut text.as_bytes())
}

/// Tells whoever watches something besides the result; where nobody can be told, nothing is amiss.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text::printable(text));
}

/// Writes to the standard output what is read piece by piece.
pub(crate) fn write_out(from: &mut impl std::io::Read) -> Ended {
    if duban_stdio::output_was_closed() {
        return Err(Failure::Machine("无法写出结果：标准输出已关闭".to_owned()));
    }
    let mut out = std::io::stdout().lock();
    match std::io::copy(from, &mut out).and_then(|_| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::Machine(format!("无法写出结果：{}", system::reason(&error))))
        }
        _ => Ok(()),
    }
}

/// A value as indented JSON with a line end; what steers a terminal is written by its number.
pub(crate) fn pretty_json(value: &impl serde::Serialize) -> Result<String, Failure> {
    use std::fmt::Write as _;
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|_| Failure::Machine("结果无法写成 JSON".to_owned()))?;
    let mut plain = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character == '\n' || visible(character) == character {
            plain.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(plain, "\\u{:04x}", u32::from(character));
        }
    }
    plain.push('\n');
    Ok(plain)
}

/// Runs a command that waits for the database or the network.
pub(crate) fn block_on<T>(
    work: impl std::future::Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::Machine(format!("无法启动：{}", system::reason(&error))))?;
    let done = runtime.block_on(work);
    // What still runs holds nothing: whoever works is waited for before.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

/// Which calendar a command uses.
#[derive(clap::Args)]
pub(crate) struct CalendarFlags {
    /// 改用此目录中的日历文件（*.toml），不用内置的
    #[arg(long, value_name = "目录")]
    calendars: Option<PathBuf>,
}

impl CalendarFlags {
    pub(crate) fn calendar(self) -> Result<Calendar, Failure> {
        Ok(catalog::calendar(&source(self.calendars))?)
    }
}

/// Which definitions a command uses.
#[derive(clap::Args)]
pub(crate) struct WorkflowFlags {
    /// 改用此目录中的工作流（*.toml，表单在 forms/，依据在 basis.toml）；其中没有的表单和依据仍用内置的
    #[arg(long, value_name = "目录")]
    workflows: Option<PathBuf>,
}

impl WorkflowFlags {
    pub(crate) fn shelf(self) -> Result<Shelf, Failure> {
        Ok(catalog::shelf(&source(self.workflows))?)
    }
}

/// A folder if one was given, else the embedded files.
pub(crate) fn source(folder: Option<PathBuf>) -> Source {
    folder.map_or(Source::Embedded, Source::Folder)
}

/// What is not known of a year: nobody has said it yet, or the calendar does not have it.
pub(crate) fn not_known(years: &str, known_on: Option<Day>) -> String {
    match known_on {
        Some(day) => format!("截至 {day} 尚未公布 {years} 年的放假通知"),
        None => format!("日历中没有 {years} 年的放假通知"),
    }
}

/// What is known of the calendar, in words.
pub(crate) fn knowledge(known_on: Option<Day>, published: Option<Day>) -> String {
    let newest =
        published.map_or_else(|| "尚无通知".to_owned(), |day| format!("最新一份公布于 {day}"));
    match known_on {
        Some(day) => format!("截至 {day} 已公布的放假通知（{newest}）"),
        None => format!("日历中的全部放假通知（{newest}）"),
    }
}
