//! Bad input: exit code 2, nothing on the standard output, and a message that names file, line and
//! key and says what is allowed. (Calendars and batch lines: see the tests of the calendar.)

mod broken;
mod definitions;
mod editors;
mod flags;
mod forms;
mod loaders;
mod odd;
mod scenarios;
mod streams;
mod words;

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder of its own for a test, removed at the end.
struct Folder(TempDir);

impl Folder {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let prefix = format!("{name}_");
        let folder =
            tempfile::Builder::new().prefix(&prefix).tempdir_in(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.expect("a folder");
        for (file, bytes) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().expect("UTF-8")
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }
}

struct Said {
    code: Option<i32>,
    out: String,
    complaint: String,
}

fn duban(args: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_duban"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), complaint: text(output.stderr) }
}

/// Exit code 2, nothing on the standard output; gives the complaint.
fn refused(args: &[&str]) -> String {
    let said = duban(args);
    assert_eq!(said.code, Some(2), "{args:?}: {}", said.complaint);
    assert_eq!(said.out, "", "{args:?}");
    assert!(!said.complaint.trim().is_empty(), "{args:?} says nothing");
    said.complaint
}

/// The shipped text of a workflow.
fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("workflows").join(name);
    std::fs::read_to_string(path).expect("a shipped file")
}

/// The line, from 1, on which the last of `anchors` stands, each looked for after the one before.
fn line_of(text: &str, anchors: &[&str]) -> usize {
    let mut at = 0;
    for anchor in anchors {
        let found = text[at..].find(anchor);
        at += found.unwrap_or_else(|| panic!("no “{anchor}”"));
    }
    1 + text[..at].matches('\n').count()
}

/// Replaces a snippet that must be there, once, after `header`.
fn replaced(text: &str, header: &str, from: &str, to: &str) -> String {
    let start = text.find(header).unwrap_or_else(|| panic!("no “{header}”"));
    let at = start + text[start..].find(from).unwrap_or_else(|| panic!("no “{from}”"));
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}
