//! A Redis of one test: started, stopped, frozen and flushed by it, and gone with it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::served::free_port;

/// A Redis server.
pub(crate) struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let port = free_port();
        Self { child: serve(port), port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Again, where it was.
    pub(crate) fn start_again(&mut self) {
        self.child = serve(self.port);
    }

    /// It stands still, with its connections open.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Everything in it is gone.
    pub(crate) fn flush(&self) {
        let port = self.port.to_string();
        let flushed = Command::new("redis-cli").args(["-p", &port, "FLUSHALL"]).output();
        assert!(flushed.expect("redis-cli").status.success());
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        Command::new("kill").args([signal, &pid]).status().expect("a signal");
    }
}

fn serve(port: u16) -> Child {
    let port = port.to_string();
    let flags = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    let mut server = Command::new("redis-server");
    let server = server.args(flags).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let server = server.expect("redis-server: see tests/run");
    let answers = |_| {
        std::thread::sleep(Duration::from_millis(20));
        std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok()
    };
    // Where it never does, the test tells.
    let _ = (0..100).any(answers);
    server
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.thaw();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
