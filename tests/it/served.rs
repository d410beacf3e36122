//! A server as a process of its own, and callers with tokens. Its database is a file of SQLite, or,
//! where `DUBAN_TEST_STORE=postgres`, one of the PostgreSQL that `tests/run` starts: the same tests
//! are run on both.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use duban::store::{Store, Token};
use duban::{clock, crypto};
use duban_core::role::Role;
use duban_core::time::Instant;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a database, in which servers may come and go.
pub(crate) struct Place {
    folder: TempDir,
    url: String,
    /// Settings that all its servers have besides.
    pub(crate) settings: Vec<(&'static str, String)>,
    pub(crate) store: Store,
}

impl Place {
    pub(crate) async fn new() -> Self {
        match std::env::var("DUBAN_TEST_STORE").as_deref() {
            Ok("postgres") => Self::on_postgres().await,
            _ => Self::on_sqlite().await,
        }
    }

    /// On a server of databases: many nodes may serve from it.
    pub(crate) async fn on_postgres() -> Self {
        Self::on(TempDir::new().expect("a folder"), postgres().await).await
    }

    /// On a file, in which anybody can write a word where a number stands.
    pub(crate) async fn on_sqlite() -> Self {
        let folder = TempDir::new().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("duban.db").display());
        Self::on(folder, url).await
    }

    pub(crate) async fn on(folder: TempDir, url: String) -> Self {
        let (store, _) = Store::migrate(&url).await.expect("tables");
        Self { folder, url, settings: Vec::new(), store }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Where servers keep attachments unless they are told otherwise.
    pub(crate) fn attachments(&self) -> PathBuf {
        self.path().join(if self.is_file() { "duban.db.attachments" } else { "duban.attachments" })
    }

    /// Whether its database is a file in its folder.
    pub(crate) fn is_file(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// Changes rows past the server.
    pub(crate) async fn harm(&self, statement: &str) {
        use sea_orm::ConnectionTrait;
        let raw = sea_orm::Database::connect(self.url()).await.expect("a connection");
        raw.execute_unprepared(statement).await.expect("harmed");
    }

    /// A fresh token.
    pub(crate) async fn token(&self, role: Role, subject: &str, agency: Option<&str>) -> String {
        self.token_until(role, subject, agency, clock::wall().plus_ms(3_600_000)).await
    }

    pub(crate) async fn token_until(
        &self,
        role: Role,
        subject: &str,
        agency: Option<&str>,
        expires_at: Instant,
    ) -> String {
        self.token_of(role, subject, agency, None, expires_at).await
    }

    pub(crate) async fn token_of(
        &self,
        role: Role,
        subject: &str,
        agency: Option<&str>,
        district: Option<&str>,
        expires_at: Instant,
    ) -> String {
        let token = crypto::token();
        let row = Token {
            id: crypto::identity(),
            hash: crypto::token_hash(&token),
            subject: subject.into(),
            role,
            agency: agency.map(Into::into),
            district: district.map(Into::into),
            created_at: clock::wall(),
            expires_at,
            revoked_at: None,
        };
        self.store.add_token(&row).await.expect("added");
        token
    }

    /// Starts a server and waits until it answers.
    pub(crate) fn serve(&self, flags: &[&str]) -> Server {
        self.try_serve(flags).unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    /// The same, or what it said when it did not start.
    pub(crate) fn try_serve(&self, flags: &[&str]) -> Result<Server, String> {
        self.start(Command::new(env!("CARGO_BIN_EXE_duban")), flags)
    }

    /// A server whose files cannot grow beyond some blocks of 512 bytes, as on a disk that is full.
    pub(crate) fn serve_on_a_full_disk(&self, blocks: u32, flags: &[&str]) -> Server {
        let mut limited = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        limited.args(["-c", &script, env!("CARGO_BIN_EXE_duban")]);
        self.start(limited, flags).unwrap_or_else(|said| panic!("it did not start: {said}"))
    }

    fn start(&self, mut program: Command, flags: &[&str]) -> Result<Server, String> {
        let mut child = program
            .arg("serve")
            .args(flags)
            .env("DUBAN_LISTEN", "127.0.0.1:0")
            .env("DUBAN_DATABASE_URL", self.url())
            .env("DUBAN_LOG", "info")
            .envs(shifted(flags))
            .envs(self.settings.clone())
            .env("NO_PROXY", "*")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut said = String::new();
        while let Some(Ok(line)) = lines.next() {
            let told: Value = serde_json::from_str(&line).unwrap_or_default();
            if let Some(address) = told["address"].as_str() {
                let address = format!("http://{address}");
                let log = self.folder.path().join("server.log");
                std::thread::spawn(move || drain(&said, lines, &log));
                let caller = Caller { address, client: client() };
                return Ok(Server { child, caller });
            }
            said.push_str(&line);
            said.push('\n');
        }
        let code = child.wait().expect("an end").code();
        Err(format!("{said}exit {code:?}"))
    }

    /// What servers have said since their start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

/// An empty database of the server that `tests/run` starts.
pub(crate) async fn postgres() -> String {
    use sea_orm::ConnectionTrait;
    let server = std::env::var("DUBAN_TEST_POSTGRES").expect("DUBAN_TEST_POSTGRES: see tests/run");
    let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.expect("a server");
    let name = format!("t_{}", crypto::identity().simple());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
    format!("{server}/{name}")
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its address").port()
}

/// A server whose clock is shifted is told that the database's is too, where that is not its own.
fn shifted(flags: &[&str]) -> Option<(&'static str, String)> {
    let place = flags.iter().position(|flag| *flag == "--clock-offset-ms")?;
    Some(("DUBAN_DATABASE_CLOCK_OFFSET_MS", (*flags.get(place + 1)?).to_owned()))
}

fn drain(said: &str, lines: std::io::Lines<BufReader<std::process::ChildStderr>>, log: &PathBuf) {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log);
    let Ok(mut file) = file else { return };
    let _ = file.write_all(said.as_bytes());
    for line in lines.map_while(Result::ok) {
        let _ = writeln!(file, "{line}");
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().expect("a client")
}

/// Calls a server that somebody else may stop.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) address: String,
    pub(crate) client: Client,
}

/// A server process; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    caller: Caller,
}

impl Deref for Server {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The problem's word.
    pub(crate) fn problem(&self) -> &str {
        let kind = self.body["type"].as_str().unwrap_or_default();
        kind.strip_prefix("urn:duban:problem:").unwrap_or(kind)
    }

    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.body);
        self.body
    }
}

impl Server {
    /// SIGKILL, in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn stop(self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("a signal");
        self.ended()
    }

    /// The exit code of one that ends by itself.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().expect("an end").code()
    }
}

impl Caller {
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Answer {
        self.call_with(method, path, token, body, &[]).await.expect("an answer")
    }

    pub(crate) async fn call_with(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut call = self.client.request(method, format!("{}{path}", self.address));
        if !token.is_empty() {
            call = call.bearer_auth(token);
        }
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        let mut answer = call.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        // A stream never ends: its beginning will do.
        let text = if is_stream {
            let chunk = answer.chunk().await?.unwrap_or_default();
            String::from_utf8_lossy(&chunk).into_owned()
        } else {
            answer.text().await?
        };
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, headers, body })
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, token, Some(body)).await
    }

    /// Bytes as a file.
    pub(crate) async fn upload(
        &self,
        path: &str,
        token: &str,
        content_type: &str,
        bytes: &[u8],
    ) -> Answer {
        let call = self.client.post(format!("{}{path}", self.address)).bearer_auth(token);
        let call = call.header("content-type", content_type).body(bytes.to_vec());
        let answer = call.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.json().await.unwrap_or_default() }
    }

    /// The simulated clock moves.
    pub(crate) async fn advance(&self, token: &str, to: Instant) {
        self.post("/v1/clock/advance", token, &json!({"to": to})).await.ok();
    }
}

/// A bad review as a source sends it.
pub(crate) fn review(review_id: &str, class: &str, reviewed_at: Instant) -> Value {
    let mut review = json!({
        "review_id": review_id,
        "source": "shenzhen",
        "class": class,
        "level": "dissatisfied",
        "reviewed_at": reviewed_at,
        "channel": "mobile",
        "project_no": "4403000126030400001",
        "matter": {"code": "440300001", "name": "居住登记"},
        "agency": "SZ013",
        "district": "440304",
        "tags": ["110"],
        "comment": "等了很久",
        "reviewer": {"name": "张小三", "phone": "19900000001"}
    });
    if class == "staff" {
        review["staff"] = json!({"staff_no": "S001", "name": "工作人员"});
    }
    review
}

/// Makes tests that need the servers which `tests/run` starts out of functions.
macro_rules! on_servers {
    ($($name:ident),+ $(,)?) => {
        mod servers {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL and Redis: tests/run starts them"]
            async fn $name() {
                super::$name().await;
            })+
        }
    };
}
pub(crate) use on_servers;
