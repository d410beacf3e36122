//! What commands read: a file, a pipe, the standard input. Must never hold more of it than its limit,
//! whatever it is, nor wait for it without a word.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use duban_core::echo::echo_path;
use duban_core::system;

use super::Failure;
use super::text::printable;

/// After so long whoever waits is told for what.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How the standard input is called.
const STANDARD: &str = "-";

/// What a person calls a file, or the standard input.
pub(super) fn named(path: &Path) -> String {
    if path == Path::new(STANDARD) { "标准输入".to_owned() } else { echo_path(path) }
}

/// The bytes of a file.
///
/// # Errors
/// It cannot be read, or has more than so many MiB.
pub(super) fn bytes(path: &Path, most_mib: u64) -> Result<Vec<u8>, Failure> {
    let (name, most) = (named(path), most_mib * 1024 * 1024);
    // Room that is not used takes no memory; to make it as it fills would take twice of it.
    let mut bytes = Vec::with_capacity(usize::try_from(most + 1).unwrap_or_default());
    let read = patiently(&reading(&name), || open(path)?.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(&name, &error))?;
    if bytes.len() as u64 > most {
        return Err(too_large(&name, most_mib));
    }
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As before, or it is no text.
pub(super) fn text(path: &Path, most_mib: u64) -> Result<String, Failure> {
    let text = String::from_utf8(bytes(path, most_mib)?);
    text.map_err(|_| Failure::Input(format!("{}: 不是 UTF-8 编码的文本", named(path))))
}

/// A file, or the standard input.
///
/// # Errors
/// It cannot be opened.
pub(super) fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    if path == Path::new(STANDARD) {
        return Ok(Box::new(std::io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

pub(super) fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::Input(format!("{name}: 无法读取：{}", system::reason(error)))
}

pub(super) fn too_large(name: &str, most_mib: u64) -> Failure {
    Failure::Input(format!("{name}: 内容过大：不应超过 {most_mib} MiB"))
}

/// What is said of somebody who waits for a file's content.
pub(super) fn reading(name: &str) -> String {
    format!("正在等待并读取{name}")
}

/// Does something that may wait for others, and tells so where it takes long.
pub(super) fn patiently<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (done, waits) = mpsc::channel::<()>();
    let says = format!("{}……（按 Ctrl-C 停止）", printable(what));
    let teller = thread::spawn(move || {
        if waits.recv_timeout(SILENCE_MAX) == Err(RecvTimeoutError::Timeout) {
            // Where nobody can be told, nobody waits.
            let _ = writeln!(std::io::stderr(), "{says}");
        }
    });
    let worked = work();
    drop(done);
    // It has nothing to fail at.
    let _ = teller.join();
    worked
}
