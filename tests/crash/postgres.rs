//! A PostgreSQL of one test, durable as in production: killed, frozen and started again by it, and
//! gone with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::served::free_port;

/// A PostgreSQL server.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL");
        let mut programs = versions.map(|one| one.expect("a folder").path().join("bin"));
        let programs = programs.find(|one| one.join("initdb").is_file());
        let programs = programs.expect("initdb: see tests/run");
        let folder = TempDir::new().expect("a folder");
        let server = Self { folder, programs, port };
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(server.folder.path()).status();
            assert!(owned.expect("chown").success());
        }
        let data = server.data();
        let made = server.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust"]);
        assert!(made.status.success(), "{made:?}");
        server.start_again();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// SIGKILL for all of it: what comes up again must recover.
    pub(crate) fn kill(&self) {
        let all = self.processes();
        let mut kill = Command::new("kill");
        kill.arg("-KILL").args(&all).status().expect("a signal");
        for pid in all {
            while Path::new(&format!("/proc/{pid}/stat")).exists() && !is_dead(&pid) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    pub(crate) fn start_again(&self) {
        let (data, log) = (self.data(), self.folder.path().join("log").display().to_string());
        let flags = format!("-k {} -h 127.0.0.1 -p {}", self.folder.path().display(), self.port);
        let started = self.run("pg_ctl", &["-w", "-D", &data, "-l", &log, "-o", &flags, "start"]);
        assert!(started.status.success(), "{started:?}");
    }

    /// All of it stands still, with its connections open.
    pub(crate) fn freeze(&self) {
        Command::new("kill").arg("-STOP").args(self.processes()).status().expect("a signal");
    }

    pub(crate) fn thaw(&self) {
        Command::new("kill").arg("-CONT").args(self.processes()).status().expect("a signal");
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// The server and all that it has started.
    fn processes(&self) -> Vec<String> {
        let file = self.folder.path().join("data/postmaster.pid");
        let Ok(text) = std::fs::read_to_string(file) else { return Vec::new() };
        let parent = text.lines().next().expect("a number").to_owned();
        let children = Command::new("pgrep").args(["-P", &parent]).output().expect("pgrep");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        let mut all = vec![parent];
        all.extend(children.lines().map(str::to_owned));
        all
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut as_other = Command::new("setpriv");
            as_other.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
            as_other.arg(program);
            as_other
        } else {
            Command::new(program)
        };
        let out = self.folder.path().join("out");
        let out = std::fs::File::create(out).expect("a file");
        let command = command.args(arguments).current_dir(self.folder.path());
        // What it starts must not keep a pipe of ours open.
        let status = command.stdout(out).stderr(std::process::Stdio::null()).status();
        Output { status: status.expect("it runs"), stdout: Vec::new(), stderr: Vec::new() }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout == b"0\n"
}

/// Whether a process has ended and only waits to be forgotten.
fn is_dead(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with('Z'))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}
