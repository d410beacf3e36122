//! Floor 1: the files that officials can read and replace (calendars, workflows with their forms
//! and legal texts, the register), embedded or out of a folder. Must never panic or fall silent,
//! whatever a folder holds.

pub mod calendars;
pub mod register;
pub mod workflows;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use include_dir::Dir;

pub use self::calendars::calendar;
pub use self::register::Register;
pub use self::workflows::shelf;
use duban_core::definition::{LibraryError, ShelfError, Text};
use duban_core::document::{Fault, Faults};
use duban_core::echo::echo_path;
use duban_core::system::reason;

/// The largest file read: a year's file has about 3,000 bytes, a workflow with its texts some
/// tens of thousands. Anything larger is not what it claims to be.
pub const FILE_BYTES_MAX: u64 = 256 * 1024;

/// All that is read from one folder: ten times what ships, and no more than memory has room for
/// when it is taken apart.
const FOLDER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The most files read from one folder: a century of calendars and as many again.
pub const FILES_MAX: usize = 200;

/// Where the files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Those built into the program.
    Embedded,
    /// The files of this folder, in place of the embedded ones.
    Folder(PathBuf),
}

/// Why the files could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The folder cannot be read.
    #[error("无法读取目录 {path}：{reason}")]
    Folder {
        /// The folder as given.
        path: String,
        /// Why, in Chinese.
        reason: String,
    },
    /// The folder holds no such file.
    #[error("目录 {path} 中没有 .{extension} 文件")]
    Empty {
        /// The folder as given.
        path: String,
        /// How the files end.
        extension: &'static str,
    },
    /// The folder holds legal texts alone.
    #[error("目录 {path} 中没有工作流：除 basis.toml 外应有至少一个 .toml 文件")]
    NoDefinition {
        /// The folder as given.
        path: String,
    },
    /// The folder holds more files than a catalog can have.
    #[error("目录 {path} 中的 .{extension} 文件超过 {FILES_MAX} 个")]
    TooMany {
        /// The folder as given.
        path: String,
        /// How the files end.
        extension: &'static str,
    },
    /// The folder's files are too much together.
    #[error(
        "目录 {path} 中的 .{extension} 文件合计过大：不应超过 {} MiB",
        FOLDER_BYTES_MAX / 1024 / 1024
    )]
    TooMuch {
        /// The folder as given.
        path: String,
        /// How the files end.
        extension: &'static str,
    },
    /// Faults in files, each with file, line and key.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// Definitions that contradict one another.
    #[error(transparent)]
    Shelf(ShelfError),
}

impl From<LibraryError> for CatalogError {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::Faults(faults) => Self::Faults(faults),
            LibraryError::Shelf(error) => Self::Shelf(error),
        }
    }
}

/// The texts of all files of a source that end in `extension`, by name.
///
/// # Errors
/// When the folder as a whole cannot be used. What is wrong with single files stands among the
/// texts.
pub(crate) fn texts(
    source: &Source,
    embedded: &Dir<'_>,
    extension: &'static str,
) -> Result<Vec<Text>, CatalogError> {
    match source {
        Source::Embedded => {
            let mut files: Vec<_> =
                embedded.files().filter(|file| ends_in(file.path(), extension)).collect();
            files.sort_by_key(|file| file.path());
            let texts = files.into_iter();
            Ok(texts.map(|file| text(name_of(file.path()), file.contents().to_vec())).collect())
        }
        Source::Folder(folder) => texts_of_folder(folder, extension),
    }
}

fn texts_of_folder(folder: &Path, extension: &'static str) -> Result<Vec<Text>, CatalogError> {
    let path = echo_path(folder);
    let unreadable = |error: &std::io::Error| CatalogError::Folder {
        path: echo_path(folder),
        reason: reason(error),
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let file = entry.map_err(|error| unreadable(&error))?.path();
        if ends_in(&file, extension) {
            if paths.len() == FILES_MAX {
                return Err(CatalogError::TooMany { path, extension });
            }
            paths.push(file);
        }
    }
    if paths.is_empty() {
        return Err(CatalogError::Empty { path, extension });
    }
    paths.sort();
    let (mut texts, mut bytes) = (Vec::new(), 0);
    for file in &paths {
        let text = read(file);
        bytes += text.as_ref().map_or(0, |(_, text)| text.len());
        if bytes > FOLDER_BYTES_MAX {
            return Err(CatalogError::TooMuch { path, extension });
        }
        texts.push(text);
    }
    Ok(texts)
}

fn read(path: &Path) -> Text {
    let name = echo_path(path);
    let unreadable = |message: String| fault(&name, 1, message);
    // A pipe or a device would block or never end: only regular files count.
    let regular = fs::metadata(path).map(|known| known.is_file());
    if !regular.map_err(|error| unreadable(format!("无法读取：{}", reason(&error))))? {
        return Err(unreadable("不是普通文件".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(format!("无法读取：{}", reason(&error))))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(format!("文件过大：不应超过 {} KiB", FILE_BYTES_MAX / 1024)));
    }
    text(name, bytes)
}

fn text(name: String, bytes: Vec<u8>) -> Text {
    // Some editors write a mark of the byte order, which says nothing in UTF-8.
    let mut bytes = bytes;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().iter().take(good);
            let line = 1 + before.filter(|byte| **byte == b'\n').count();
            Err(fault(&name, line, "不是 UTF-8 编码的文本".to_owned()))
        }
    }
}

fn fault(file: &str, line: usize, message: String) -> Fault {
    Fault { file: file.to_owned(), line, key: String::new(), message }
}

fn ends_in(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|one| one == extension)
}

fn name_of(path: &Path) -> String {
    echo_path(Path::new(path.file_name().unwrap_or_default()))
}
