//! `duban token issue|list|revoke`: who may call, on the database of a server that may be running.
//! Must never show a token but at its issue.

use std::fmt::Write as _;
use std::path::PathBuf;

use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::time::Instant;
use serde_json::json;
use uuid::Uuid;

use super::{Ended, Failure, block_on, pretty_json, print, source, text};
use crate::catalog::Register;
use crate::store::{Store, Token};
use crate::{clock, crypto};

const DAY_MS: i64 = 86_400_000;

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
struct Database {
    /// 数据库
    #[arg(long, value_name = "网址", env = "DUBAN_DATABASE_URL")]
    #[arg(default_value = "sqlite://duban.db?mode=rwc")]
    database_url: String,
}

#[derive(clap::Args)]
pub(super) struct Issue {
    /// 角色：intake、hotline、supervisor、agency、agency_lead、approver、auditor、system_admin、
    /// security_admin、audit_admin
    #[arg(long, value_name = "角色", value_parser = str::parse::<Role>)]
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
    #[arg(long, value_name = "天数", default_value_t = 365)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=3650))]
    days: i64,
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    /// 改用此目录中的单位、区划名册
    #[arg(long, value_name = "目录", env = "DUBAN_REGISTER")]
    register: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

impl Issue {
    fn run(self) -> Ended {
        let register = Register::read(&source(self.register.clone()))?;
        let now = clock::wall();
        let (token, row) = issue(
            &register,
            &Holder {
                role: self.role,
                name: self.name,
                agency: self.agency,
                district: self.district,
            },
            now,
            now.plus_ms(self.days * DAY_MS),
        )?;
        block_on(async {
            let (store, _) = Store::migrate(&self.database.database_url).await?;
            store.add_token(&row).await?;
            store.close().await;
            Ok(())
        })?;
        if self.json {
            let shown = json!({"token": token, "id": row.id, "expires_at": row.expires_at});
            return print(&pretty_json(&shown)?);
        }
        print(&format!("{token}\n"))
    }
}

/// Whom a token is for.
pub(super) struct Holder {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) agency: Option<String>,
    pub(super) district: Option<String>,
}

/// A fresh token, and its row.
pub(super) fn issue(
    register: &Register,
    holder: &Holder,
    now: Instant,
    expires_at: Instant,
) -> Result<(String, Token), Failure> {
    let wrong = |say: String| Err(Failure::Input(say));
    let Holder { role, name, agency, district } = holder;
    let subject = Name::from(name.as_str());
    if *role == Role::System {
        return wrong("--role：system 是程序自己，不能签发".to_owned());
    }
    let looks_like_a_number = name.len() > 6 && name.bytes().all(|one| one.is_ascii_digit());
    if !subject.is_code() || looks_like_a_number {
        return wrong("--name：应为 1 至 40 个字母、数字或 _ - .，且不是电话或证件号码".to_owned());
    }
    if role.is_bound_to_agency() != agency.is_some() {
        let which = if agency.is_some() { "不" } else { "必" };
        return wrong(format!("--agency：角色 {role} {which}须填写单位代码"));
    }
    if let Some(code) = agency
        && register.agency(code).is_none()
    {
        return wrong(format!("--agency：单位名册中没有 {code}"));
    }
    let by_district = matches!(role, Role::Supervisor | Role::Approver | Role::Auditor);
    if district.is_some() && !by_district {
        return wrong(format!("--district：角色 {role} 不能限于区划"));
    }
    if let Some(code) = district
        && register.district(code).is_none()
    {
        return wrong(format!("--district：名册中没有 {code}"));
    }
    let token = crypto::token();
    let row = Token {
        id: crypto::identity(),
        hash: crypto::token_hash(&token),
        subject,
        role: *role,
        agency: agency.as_deref().map(Name::from),
        district: district.as_deref().map(Name::from),
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    Ok((token, row))
}

#[derive(clap::Args)]
pub(super) struct List {
    /// 以 JSON 输出
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: Database,
}

impl List {
    fn run(self) -> Ended {
        let tokens = block_on(async {
            let store = Store::open(&self.database.database_url).await?;
            let tokens = store.tokens().await?;
            store.close().await;
            Ok(tokens)
        })?;
        let now = clock::wall();
        if self.json {
            let shown: Vec<_> = tokens.iter().map(|one| shown(one, now)).collect();
            return print(&pretty_json(&shown)?);
        }
        let mut out = String::new();
        for one in &tokens {
            let bound = one.agency.as_ref().or(one.district.as_ref());
            let _ = writeln!(
                out,
                "{}  {}  {}  {}  {}",
                one.id,
                text::padded(one.role.title(), 18),
                text::padded(one.subject.as_str(), 20),
                text::padded(bound.map(Name::as_str).unwrap_or_default(), 8),
                state(one, now),
            );
        }
        print(&out)
    }
}

fn state(token: &Token, now: Instant) -> String {
    match token.revoked_at {
        Some(at) => format!("{at} 吊销"),
        None if token.expires_at <= now => format!("{} 失效", token.expires_at),
        None => format!("有效至 {}", token.expires_at),
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

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// 令牌的编号（见 duban token list）
    #[arg(value_name = "编号", value_parser = str::parse::<Uuid>)]
    id: Uuid,
    #[command(flatten)]
    database: Database,
}

impl Revoke {
    fn run(self) -> Ended {
        let revoked = block_on(async {
            let store = Store::open(&self.database.database_url).await?;
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
