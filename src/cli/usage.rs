//! Help and complaints about arguments, in Chinese. Must never let an English sentence of the
//! argument parser through.

use std::error::Error as _;
use std::ffi::OsString;
use std::fmt::{Display, Write as _};
use std::net::AddrParseError;
use std::num::ParseIntError;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};
use duban_core::echo::echo;

const COMMANDS: &str = "命令";
const ARGUMENTS: &str = "参数";
const OPTIONS: &str = "选项";
const HEADINGS: [&str; 3] = [COMMANDS, ARGUMENTS, OPTIONS];

const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// Reads a whole number of a range.
pub(super) fn whole<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("应为 {} 至 {} 的整数", range.start(), range.end()))
    }
}

/// Why there are no arguments to run with.
pub(super) enum Stop {
    /// The help or the version was asked for: for the standard output.
    Shown(String),
    /// The arguments are wrong: for the error stream.
    Wrong(String),
}

/// Parses the arguments of the program.
pub(super) fn parse<P: CommandFactory + FromArgMatches>(
    args: impl IntoIterator<Item = OsString>,
) -> Result<P, Stop> {
    let mut command = in_chinese(P::command());
    let args = asking_for_help(args.into_iter().collect());
    let path = path_of(&command, &args);
    let parsed = command.try_get_matches_from_mut(args);
    parsed.and_then(|matches| P::from_arg_matches(&matches)).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Shown(rendered(&error)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Stop::Wrong(rendered(&error)),
        _ => Stop::Wrong(format!("{}\n详见 {path} --help", complaint(&error))),
    })
}

/// `duban help deadline` is `duban deadline --help`.
fn asking_for_help(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|first| first == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

/// The command that was meant, as far as its words are known: `duban token issue`.
fn path_of(command: &Command, args: &[OsString]) -> String {
    let mut path = command.get_name().to_owned();
    let mut command = command;
    for word in args.iter().skip(1) {
        let Some(inner) = word.to_str().and_then(|word| command.find_subcommand(word)) else {
            break;
        };
        path.push(' ');
        path.push_str(inner.get_name());
        command = inner;
    }
    path
}

/// Help with the colon of Chinese behind its headings.
fn rendered(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let heading = |line: &str| line.strip_suffix(':').map(|name| format!("{name}："));
    let lines = text.split('\n').map(|line| match heading(line) {
        Some(heading) if HEADINGS.contains(&heading.trim_end_matches('：')) => heading,
        _ => line.to_owned(),
    });
    closed_up(&lines.collect::<Vec<_>>().join("\n"))
}

/// The command and all below it with Chinese headings, usage lines and help flags.
pub(super) fn in_chinese(command: Command) -> Command {
    let name = command.get_name().to_owned();
    translated(command, &name)
}

fn translated(command: Command, path: &str) -> Command {
    let usage = usage_of(&command, path);
    let top = !path.contains(' ');
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help("显示帮助");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let mut command = command
        .help_template(TEMPLATE)
        .override_usage(usage)
        .subcommand_help_heading(COMMANDS)
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .arg(help);
    if top {
        command = command.arg(version.help("显示版本"));
        command = command.after_help("各命令的用法：duban help <命令>");
    }
    let command = command.mut_args(|arg| {
        let heading = if arg.is_positional() { ARGUMENTS } else { OPTIONS };
        let arg = with_variable(arg.help_heading(heading));
        if arg.get_action().takes_values() {
            with_default(arg).hide_possible_values(true).hide_default_value(true)
        } else {
            arg
        }
    });
    command.mut_subcommands(|inner| {
        let path = format!("{path} {}", inner.get_name());
        translated(inner, &path)
    })
}

/// A flag whose help names the variable of the environment that stands for it.
fn with_variable(arg: Arg) -> Arg {
    let Some(name) = arg.get_env().map(|name| name.to_string_lossy().into_owned()) else {
        return arg;
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let says = if help.contains(&name) { help } else { format!("{help} [环境变量 {name}]") };
    arg.hide_env(true).help(says)
}

/// A flag whose help names what holds where it is not given.
fn with_default(arg: Arg) -> Arg {
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy().into_owned()).collect();
    if defaults.is_empty() || arg.get_num_args().is_some_and(|count| count.min_values() == 0) {
        return arg;
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{help} [默认：{}]", defaults.join(",")))
}

/// A text without the blanks that line ends have left between Chinese characters.
fn closed_up(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_chinese = |place: usize| {
        let around =
            characters.get(place).is_some_and(|one| ('\u{3001}'..='\u{ff5e}').contains(one));
        around && characters.get(place) != Some(&'\u{3000}')
    };
    let is_gap = |place: usize| {
        characters[place] == ' ' && place > 0 && is_chinese(place - 1) && is_chinese(place + 1)
    };
    (0..characters.len()).filter(|place| !is_gap(*place)).map(|place| characters[place]).collect()
}

fn usage_of(command: &Command, path: &str) -> String {
    let mut usage = path.to_owned();
    for arg in command.get_opts().filter(|arg| arg.is_required_set()) {
        let name = arg.get_value_names().and_then(|names| names.first());
        let (flag, name) =
            (arg.get_long().unwrap_or_default(), name.map_or("", |name| name.as_str()));
        let _ = write!(usage, " --{flag} <{name}>");
    }
    if command.get_opts().any(|arg| !arg.is_required_set()) {
        usage.push_str(" [选项]");
    }
    for arg in command.get_positionals() {
        let name = arg.get_value_names().and_then(|names| names.first());
        let name = name.map_or(arg.get_id().as_str(), |name| name.as_str());
        let (open, close) = if arg.is_required_set() { ('<', '>') } else { ('[', ']') };
        let _ = write!(usage, " {open}{name}{close}");
    }
    if command.has_subcommands() {
        usage.push_str(" <命令>");
    }
    usage
}

fn complaint(error: &clap::Error) -> String {
    let said = |kind| error.get(kind).map(shown).unwrap_or_default();
    let arg = said(ContextKind::InvalidArg);
    let value = echo(&said(ContextKind::InvalidValue));
    let text = match error.kind() {
        ErrorKind::ValueValidation => {
            format!("{arg}：{}", error.source().map(why).unwrap_or_default())
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} 缺少值"),
        ErrorKind::InvalidValue => {
            format!("{arg} 的值“{value}”无效；可用：{}", said(ContextKind::ValidValue))
        }
        ErrorKind::UnknownArgument if is_negative(&arg) => {
            "值以减号开头时，应写作“--参数=值”，例如 --within=-3wd".to_owned()
        }
        ErrorKind::UnknownArgument if !arg.starts_with('-') => {
            format!("多出一个参数“{}”", echo(&arg))
        }
        ErrorKind::UnknownArgument => format!("没有名为“{}”的参数", echo(&arg)),
        ErrorKind::InvalidSubcommand => match said(ContextKind::InvalidSubcommand).as_str() {
            "" => "命令不能是空的".to_owned(),
            other => format!("没有名为“{}”的命令", echo(other)),
        },
        ErrorKind::MissingSubcommand => {
            format!("缺少命令；可用：{}", said(ContextKind::ValidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{}", alternatives(&arg)),
        ErrorKind::ArgumentConflict => match said(ContextKind::PriorArg) {
            other if other == arg => format!("{arg} 只能写一次"),
            other => format!("{arg} 不能与 {other} 同用"),
        },
        ErrorKind::TooManyValues => format!("{arg} 后面不能带值：“{value}”"),
        ErrorKind::NoEquals => format!("{arg} 与其值之间应有等号"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{arg} 的值个数不对"),
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 编码的文本".to_owned(),
        _ => format!("参数有误：{arg}"),
    };
    let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    let similar = similar.into_iter().map(said).find(|similar| !similar.is_empty());
    let similar = similar.map(|similar| similar.replace('、', " 或 "));
    similar.map_or_else(|| text.clone(), |similar| format!("{text}；是否想写 {similar}？"))
}

/// `-1wd`: meant as a value.
fn is_negative(arg: &str) -> bool {
    arg.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// `<编号|--ticket <工单>>`, one of which is needed, in words.
fn alternatives(args: &str) -> String {
    let inner = args.strip_prefix('<').and_then(|inner| inner.strip_suffix('>'));
    match inner.filter(|inner| inner.contains('|')) {
        Some(inner) => inner.replace('|', " 或 "),
        None => args.to_owned(),
    }
}

/// Why a value is none: our own words, or, for those of the language's own types, what it should be.
fn why(error: &(dyn std::error::Error + 'static)) -> String {
    let said = error.to_string();
    if !said.is_ascii() {
        return said;
    }
    let should_be = if error.is::<ParseIntError>() {
        "应为整数，且不能过大"
    } else if error.is::<AddrParseError>() {
        "应为地址与端口，例如 127.0.0.1:8080"
    } else {
        "值不能用"
    };
    should_be.to_owned()
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join("、"),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
