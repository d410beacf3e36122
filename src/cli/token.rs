//! `duban token issue|list|revoke`: who may call, on the database of a server that may be running.
//! Must never show a token but at its issue.

use duban_core::definition::FieldFault;
use duban_core::echo::unknown;
use duban_core::role::Role;
use duban_core::time::Instant;
use serde_json::json;
use uuid::Uuid;

use super::place::{Place, RegisterFlag, at_database, existing};
use super::{Ended, Failure, pretty_json, print, remark, source, text, usage};
use crate::access::{DAYS, DAYS_MAX, Holder};
use crate::catalog::Register;
use crate::clock;
use crate::store::{AddTokenError, Store, Token};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// 签发一个令牌；令牌只显示这一次
    Issue(Issue),
    /// 列出令牌（不含令牌本身）
    List(List),
    /// 吊销一个令牌，立即生效
    Revoke(Revoke),
}

impl Command {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::Issue(issue) => issue.run(),
            Self::List(list) => list.run(),
            Self::Revoke(revoke) => revoke.run(),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Issue {
    /// 角色
    #[arg(long, value_name = "角色", value_parser = role, help = format!("角色：{}", roles()))]
    role: Role,
    /// 使用者：人员或系统的代号，同一代号的几个令牌是同一使用者；不要用姓名或电话
    #[arg(long, value_name = "代号")]
    name: String,
    /// 单位代码；agency 和 agency_lead 必填
    #[arg(long, value_name = "代码")]
    agency: Option<String>,
    /// 只管此区划；用于 supervisor、approver、auditor
    #[arg(long, value_name = "代码")]
    district: Option<String>,
    /// 几天后失效
    #[arg(long, value_name = "天数", default_value_t = DAYS)]
    #[arg(value_parser = usage::whole::<i64>(1..=DAYS_MAX))]
    days: i64,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place<RegisterFlag>,
}

/// A role that somebody can have.
fn role(text: &str) -> Result<Role, String> {
    let found = held().find(|role| role.word() == text);
    found.ok_or_else(|| unknown("角色", text, &roles()))
}

fn held() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied().filter(|role| *role != Role::System)
}

fn roles() -> String {
    let known = held().map(|role| format!("{role}（{}）", role.title()));
    known.collect::<Vec<_>>().join("、")
}

impl Issue {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let register = Register::read(&source(settings.register.clone()))?;
        let holder = Holder {
            role: self.role,
            subject: self.name,
            agency: self.agency,
            district: self.district,
            days: self.days,
        };
        // What is wrong with the flags is told before the database is touched.
        let (token, row) = made(&register, holder)?;
        let said = if self.json {
            let shown = json!({"token": token, "id": row.id, "expires_at": row.expires_at});
            pretty_json(&shown)?
        } else {
            format!("{token}\n")
        };
        at_database(async {
            let (store, _) = Store::migrate(&settings.database_url).await?;
            let added = add(&store, &row).await;
            let shown = added.and_then(|()| print(&said));
            // What nobody has seen nobody shall have.
            if shown.is_err() {
                store.revoke_token(row.id, clock::wall()).await?;
            }
            store.close().await;
            shown
        })
    }
}

/// A token for somebody, added to a database; or which flag is wrong.
pub(super) async fn issue(
    store: &Store,
    register: &Register,
    holder: Holder,
) -> Result<(String, Token), Failure> {
    let (token, row) = made(register, holder)?;
    add(store, &row).await?;
    Ok((token, row))
}

fn made(register: &Register, holder: Holder) -> Result<(String, Token), Failure> {
    holder.token(register, clock::wall()).map_err(wrong)
}

async fn add(store: &Store, row: &Token) -> Result<(), Failure> {
    store.add_token(row).await.map_err(|error| match error {
        AddTokenError::Store(error) => error.into(),
        error @ AddTokenError::Excluded { .. } => Failure::Input(format!("--role：{error}")),
    })
}

/// Faults of fields as faults of flags.
fn wrong(faults: Vec<FieldFault>) -> Failure {
    let told = faults.into_iter().map(|FieldFault { field, message, .. }| {
        let flag = if field == "/subject" { "name" } else { field.trim_start_matches('/') };
        format!("--{flag}：{message}")
    });
    Failure::Input(told.collect::<Vec<_>>().join("\n"))
}

#[derive(clap::Args)]
pub(super) struct List {
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl List {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let (tokens, unreadable) = at_database(async {
            let store = existing(&settings).await?;
            let tokens = store.tokens(None, u64::from(u32::MAX)).await?;
            let unreadable = store.token_count().await?.saturating_sub(tokens.len() as u64);
            store.close().await;
            Ok((tokens, unreadable))
        })?;
        if unreadable > 0 {
            remark(&format!("注意：另有 {unreadable} 条令牌记录已损坏，无法列出，也不能使用"));
        }
        let now = clock::wall();
        if self.json {
            let shown: Vec<_> = tokens.iter().map(|one| shown(one, now)).collect();
            return print(&pretty_json(&shown)?);
        }
        if tokens.is_empty() && unreadable == 0 {
            return print("尚未签发令牌；请用 duban token issue 签发\n");
        }
        // A register that cannot be read is no reason not to list them: codes say it too.
        let register = Register::read(&source(settings.register.clone())).unwrap_or_default();
        let mut out = row(["编号", "角色", "使用者", "范围", "状态"]);
        for one in &tokens {
            let agency = one
                .agency
                .as_ref()
                .map(|code| register.agency(code.as_str()).unwrap_or(code.as_str()));
            let district = one.district.as_ref();
            let district =
                district.map(|code| register.district(code.as_str()).unwrap_or(code.as_str()));
            out.push_str(&row([
                &one.id.to_string(),
                one.role.title(),
                one.subject.as_str(),
                agency.or(district).unwrap_or_default(),
                &state(one, now),
            ]));
        }
        print(&out)
    }
}

fn row(cells: [&str; 5]) -> String {
    const COLUMNS: [usize; 5] = [36, 18, 20, 34, 0];
    let padded = cells.iter().zip(COLUMNS).map(|(cell, columns)| text::padded(cell, columns));
    let line = padded.collect::<Vec<_>>().join("  ");
    format!("{}\n", line.trim_end())
}

fn state(token: &Token, now: Instant) -> String {
    match token.revoked_at {
        Some(at) => format!("已吊销（{}）", at.said()),
        None if token.expires_at <= now => format!("已失效（{}）", token.expires_at.said()),
        None => format!("有效（至 {}）", token.expires_at.said()),
    }
}

fn shown(token: &Token, now: Instant) -> serde_json::Value {
    json!({
        "id": token.id,
        "role": token.role,
        "name": token.subject,
        "agency": token.agency,
        "district": token.district,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "valid": token.revoked_at.is_none() && token.expires_at > now,
    })
}

fn id(text: &str) -> Result<Uuid, String> {
    let say = "应为 duban token list 所列的编号，不是令牌本身";
    text.parse().map_err(|_| say.to_owned())
}

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// 令牌的编号（见 duban token list）
    #[arg(value_name = "编号", value_parser = id)]
    id: Uuid,
    #[command(flatten)]
    place: Place,
}

impl Revoke {
    fn run(self) -> Ended {
        let settings = self.place.settings()?;
        let revoked = at_database(async {
            let store = existing(&settings).await?;
            let revoked = store.revoke_token(self.id, clock::wall()).await?;
            store.close().await;
            Ok(revoked)
        })?;
        if !revoked {
            return Err(Failure::Input(format!("没有编号为 {} 的有效令牌", self.id)));
        }
        print("已吊销\n")
    }
}
