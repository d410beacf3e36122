//! What is wrong with documents that people write: file, line, key, and what is allowed. Must never
//! keep more of one file than anybody reads.

use std::fmt;

use crate::echo::steers;

/// One fault of a document that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The dotted path of the key, empty for the whole document.
    pub key: String,
    /// What is wrong and what is allowed, in Chinese.
    pub message: String,
}

impl Fault {
    /// Whether it stands for others that are not told.
    #[must_use]
    pub fn stands_for_more(&self) -> bool {
        self.message == MORE
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}:{}: {}", self.file, self.line, self.message)
        } else {
            write!(f, "{}:{}: {}: {}", self.file, self.line, self.key, self.message)
        }
    }
}

/// All faults of one reading, a line each when printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Faults of one file that are told: whoever has more has given another file, or will look at these
/// first.
pub(super) const FILE_FAULTS_MAX: usize = 1_000;

/// What stands for the others.
const MORE: &str = "此文件还有其他错误，未列出";

/// Keeps a fault, unless there are more than are told. One more is kept, to know that.
pub(crate) fn note(faults: &mut Vec<Fault>, fault: impl FnOnce() -> Fault) {
    if faults.len() <= FILE_FAULTS_MAX {
        faults.push(fault());
    }
}

/// Faults of many files that are kept: their names may be long.
const FAULTS_MAX: usize = 5_000;

/// Adds the faults of one file to those of others, as long as there is room for them.
pub fn gather(all: &mut Vec<Fault>, more: impl IntoIterator<Item = Fault>) {
    for fault in more {
        if all.len() < FAULTS_MAX {
            all.push(fault);
        } else if all.len() == FAULTS_MAX {
            all.push(Fault { key: String::new(), message: MORE.to_owned(), ..fault });
        }
    }
}

/// The faults of a file in order, each once, and whether there were more than are told.
pub(crate) fn told(mut faults: Vec<Fault>) -> Vec<Fault> {
    let is_cut = faults.len() > FILE_FAULTS_MAX;
    faults.truncate(FILE_FAULTS_MAX);
    faults.sort();
    faults.dedup();
    if let Some(last) = faults.last().filter(|_| is_cut).cloned() {
        faults.push(Fault { key: String::new(), message: MORE.to_owned(), ..last });
    }
    faults
}

/// What is said of a text that is not one line.
pub(crate) const LINE: &str = "不得含有换行、控制字符或看不见的字符";

/// Whether a text is one line, and shows all that it says.
pub(crate) fn is_line(text: &str) -> bool {
    !text.chars().any(steers)
}
