//! `duban demo`: a house with something to look at: some hundred invented tickets, brought about
//! through the control API in simulated weeks, in every step, light and card. Must never touch a
//! database that is not its own, nor know more than a caller of the API.

mod client;
mod staff;
mod town;

use std::fs;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant as Stopwatch};

use duban_core::role::Role;
use duban_core::system::reason;
use duban_core::time::Instant;
use serde::Serialize;
use tokio::sync::oneshot;

use super::place::patiently;
use super::service::{Service, stopped};
use super::token::issue;
use super::{Ended, Failure, block_on, print, usage};
use crate::access::Holder;
use crate::catalog::{Register, Source};
use crate::config::{ClockKind, Settings};
use crate::crypto;
use crate::store::Store;
use client::Client;
use town::Town;

const FILE: &str = "duban-demo.db";

/// Stands beside it until the town is whole, and from then on: only what a demonstration has made is
/// ever removed.
const UNFINISHED: &str = "duban-demo.db.unfinished";
const WHOLE: &str = "duban-demo.db.whole";

/// How often whoever waits is told how far it is: on a terminal, and in a file.
const TELL: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(3)];

#[derive(clap::Args)]
pub(super) struct Demo {
    /// 监听的地址和端口
    #[arg(long, value_name = "地址:端口", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// 生成工单的件数
    #[arg(long, value_name = "件数", default_value_t = 300)]
    #[arg(value_parser = usage::whole::<u32>(50..=5_000))]
    tickets: u32,
    /// 随机种子：同一种子生成同样的工单
    #[arg(long, value_name = "种子", default_value_t = 1)]
    seed: u64,
    /// 删去已有的演示数据，重新生成
    #[arg(long)]
    fresh: bool,
}

/// What the demonstration sets; everything else is a server's default.
#[derive(Serialize)]
struct Flags {
    listen: SocketAddr,
    database_url: String,
    clock: ClockKind,
    start_at: Instant,
}

/// One of those who can be looked over the shoulder.
struct Login {
    role: Role,
    agency: Option<&'static str>,
    token: String,
}

/// Whose tokens are printed: each role, the agency being that which has most tickets.
const LOGINS: &[(Role, Option<&str>)] = &[
    (Role::Supervisor, None),
    (Role::Hotline, None),
    (Role::Agency, Some(town::BUSIEST)),
    (Role::AgencyLead, Some(town::BUSIEST)),
    (Role::Approver, None),
    (Role::Auditor, None),
    (Role::Intake, None),
    (Role::SystemAdmin, None),
    (Role::SecurityAdmin, None),
    (Role::AuditAdmin, None),
];

fn address() -> String {
    format!("sqlite://{FILE}?mode=rwc")
}

impl Demo {
    pub(super) fn run(self) -> Ended {
        // Half a town is no town.
        let is_half = Path::new(UNFINISHED).exists();
        let is_own = is_half || Path::new(WHOLE).exists();
        if self.fresh && !is_own && Path::new(FILE).symlink_metadata().is_ok() {
            return Err(Failure::Input(format!(
                "当前目录的 {FILE} 不是演示生成的（旁边没有 {WHOLE}），未予删除；\
                 请换一个目录，或确认无用后自行删去"
            )));
        }
        if self.fresh || is_half {
            // What another process serves is not taken from under it.
            let lock = Store::lock(&address())?;
            // What is not there need not be removed; what can't be is told at the opening.
            if is_own {
                let _ = fs::remove_dir_all(format!("{FILE}.attachments"));
            }
            for file in ["", "-wal", "-shm"].map(|end| format!("{FILE}{end}")) {
                let _ = fs::remove_file(file);
            }
            for mark in [UNFINISHED, WHOLE] {
                let _ = fs::remove_file(mark);
            }
            drop(lock);
        }
        block_on(self.serve())
    }

    async fn serve(self) -> Ended {
        let flags = Flags {
            listen: self.listen,
            database_url: address(),
            clock: ClockKind::Simulated,
            start_at: town::start(),
        };
        let begun = Stopwatch::now();
        let settings = Settings::alone(flags)?;
        let service = patiently(Box::pin(Service::ready(settings, crypto::identity()))).await?;
        let address = service.address().unwrap_or(self.listen);
        let store = service.engine.store().clone();
        let clock = service.engine.clock().clone();
        let is_new = store.next_wake().await?.is_none();
        let logins = logins(&store).await?;
        let (stop, told) = oneshot::channel::<()>();
        let mut running = tokio::spawn(service.run(async {
            let _ = told.await;
        }));
        let shown = async {
            if is_new {
                let unwritten = |error| Failure::Machine(format!("无法写入：{}", reason(&error)));
                fs::write(UNFINISHED, "").map_err(unwritten)?;
                self.build(address, &logins).await?;
                fs::rename(UNFINISHED, WHOLE).map_err(unwritten)?;
            }
            print(&tour(address, &logins, clock.now(), is_new, begun.elapsed().as_secs()))?;
            stopped().await;
            Ok(())
        };
        let broken = |_| Err(Failure::Machine("服务中断".to_owned()));
        let ended = tokio::select! {
            shown = shown => shown,
            () = stopped() => Ok(()),
            // It has ended by itself: there is nothing left to wait for.
            served = &mut running => return served.unwrap_or_else(broken),
        };
        let _ = stop.send(());
        ended.and(running.await.unwrap_or_else(broken))
    }

    /// Lives through the weeks, and says how far it is.
    async fn build(&self, address: SocketAddr, logins: &[Login]) -> Ended {
        let register = Register::read(&Source::Embedded)?;
        let mut town = Town::new(self.seed, self.tickets, &register);
        let mut client = Client::new(address);
        for login in logins {
            client.knows(login.role, login.agency, &login.token);
        }
        let store = Store::open(&format!("sqlite://{FILE}?mode=rw")).await?;
        for (code, _) in register.agencies() {
            for role in [Role::Agency, Role::AgencyLead] {
                let name = format!("{role}-{code}");
                let token = add(&store, role, Some(code.as_str()), &name).await?;
                client.knows(role, Some(code.as_str()), &token);
            }
        }
        store.close().await;
        let total = self.tickets;
        let is_terminal = std::io::stderr().is_terminal();
        let [often, seldom] = TELL;
        let (pause, start, end) = if is_terminal { (often, "\r", " ") } else { (seldom, "", "\n") };
        let mut last = Stopwatch::now();
        while let Some(now) = town.step(&client).await? {
            if last.elapsed() >= pause {
                last = Stopwatch::now();
                let (opened, acted) = town.progress();
                let now = now.said();
                let line =
                    format!("正在生成数据：{now}，工单 {opened}/{total} 件，办理 {acted} 次");
                // Progress that nobody can read is no reason to stop.
                let _ = write!(std::io::stderr(), "{start}{line}{end}");
            }
        }
        if is_terminal {
            let _ = writeln!(std::io::stderr());
        }
        Ok(())
    }
}

async fn logins(store: &Store) -> Result<Vec<Login>, Failure> {
    let mut logins = Vec::new();
    for (role, agency) in LOGINS {
        let token = add(store, *role, *agency, &format!("demo-{role}")).await?;
        logins.push(Login { role: *role, agency: *agency, token });
    }
    Ok(logins)
}

async fn add(
    store: &Store,
    role: Role,
    agency: Option<&str>,
    name: &str,
) -> Result<String, Failure> {
    let register = Register::read(&Source::Embedded)?;
    let (subject, agency) = (name.to_owned(), agency.map(str::to_owned));
    let holder = Holder { role, subject, agency, district: None, days: 30 };
    let (token, _) = issue(store, &register, holder).await?;
    Ok(token)
}

/// What a newcomer needs: where it is, who one can be, and what to try first.
fn tour(address: SocketAddr, logins: &[Login], now: Instant, is_new: bool, seconds: u64) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let how = if is_new {
        format!("生成数据用时 {seconds} 秒")
    } else {
        "沿用已有的数据".to_owned()
    };
    let _ = writeln!(out, "\nduban 演示服务：http://{address}（接口文档 http://{address}/docs）");
    let _ =
        writeln!(out, "模拟时钟停在 {}；{how}。Ctrl-C 停止；加 --fresh 重新生成。\n", now.said());
    let _ = writeln!(out, "在浏览器中打开（一行一个角色；好差评系统只调用接口，没有页面）：");
    let name = |login: &Login| {
        let agency = login.agency.map(|code| format!("（{code}）")).unwrap_or_default();
        format!("{}{agency}", login.role.title())
    };
    for login in logins.iter().filter(|login| login.role != Role::Intake) {
        let _ = writeln!(out, "http://{address}/sign-in#{}   # {}", login.token, name(login));
    }
    let _ = writeln!(out, "\n调用接口用的令牌：");
    for login in logins {
        let _ = writeln!(out, "{}={}   # {}", login.role, login.token, name(login));
    }
    let _ = writeln!(
        out,
        "\n先试试（另开一个终端，先粘贴上面各行）：\n\
         # 哪些工单已经超期\n\
         curl -s -H \"Authorization: Bearer $supervisor\" 'http://{address}/v1/tickets?light=red&limit=5'\n\
         # 今晚 24:00 之前到期的时限\n\
         curl -s -H \"Authorization: Bearer $agency\" 'http://{address}/v1/deadlines?light=yellow'\n\
         # 拨快三个工作日，到期的自动预警、催办、发牌\n\
         curl -s -H \"Authorization: Bearer $system_admin\" -H 'Content-Type: application/json' \\\n\
         \x20    -d '{{\"by\":\"3wd\"}}' http://{address}/v1/clock/advance"
    );
    out
}
