//! The midnight herd: the contact deadlines of many tickets end at one instant. Must never count
//! what is not in the database afterwards.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant as Stopwatch;

use duban_core::command::{Act, Command as Asked, Moment, Opening, SETTLE_MS};
use duban_core::decide::{Context, decide, open};
use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::Serialize;
use serde_json::json;

use super::{Folder, per_second, percentile, rss_mb, tell};
use crate::catalog::{self, Register, Source};
use crate::cli::{Ended, Failure, block_on, print};
use crate::clock::{Clock, wall};
use crate::crypto;
use crate::engine::{Engine, Knowledge};
use crate::store::{Carried, Change, Commit, ReviewRow, Store};
use crate::wake::Wake;

/// Tickets in one commit while the herd is gathered.
const GATHER: usize = 1_000;

/// Tickets that are replayed afterwards.
const REPLAYED: usize = 1_000;

#[derive(clap::Args)]
pub(in crate::cli) struct Herd {
    /// 多少件工单
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=2_000_000))]
    tickets: u64,
    /// 一次提交办理多少件
    #[arg(long, value_name = "件数", default_value_t = 500)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=2_000))]
    batch: u64,
    /// 在此目录中建立临时数据库（应在真实磁盘上）；不写则用系统临时目录
    #[arg(long, value_name = "目录")]
    folder: Option<PathBuf>,
}

#[derive(Serialize)]
struct Measured {
    store: &'static str,
    tickets: u64,
    tickets_per_s: u64,
    events: u64,
    outbox: u64,
    verified: bool,
    p50_lag_ms: u64,
    p99_lag_ms: u64,
    limit_rows_per_s: u64,
    ratio_to_limit: f64,
    rss_mb: u64,
}

impl Herd {
    pub(super) fn run(self) -> Ended {
        let folder = Folder::new(self.folder.as_deref())?;
        let measured = block_on(self.measure(&folder))?;
        print(&format!("{}\n", json!(measured)))
    }

    async fn measure(&self, folder: &Folder) -> Result<Measured, Failure> {
        let (store, _) = Store::migrate(&folder.url("herd.db")).await?;
        tell(&format!("准备 {} 件工单……", self.tickets));
        let due = gather(&store, self.tickets).await?;
        store.fold().await?;
        let (file, before) = (folder.file("herd.db"), folder.file("before.db"));
        copy(&file, &before)?;
        let (events, outbox) = (count(&store).await?, store.count_messages().await?);
        let engine = engine(&store, due).await?;
        tell("等待同一时刻到期，然后办理……");
        while engine.clock().now() < due.plus_ms(SETTLE_MS) {
            engine.clock().sleep_until(due.plus_ms(SETTLE_MS)).await;
        }
        let begun = Stopwatch::now();
        let mut lags: Vec<(u64, usize)> = Vec::new();
        loop {
            let advanced = engine.advance_due(self.batch).await?;
            if advanced.due == 0 {
                break;
            }
            lags.push((begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX), advanced.moved));
        }
        let seconds = begun.elapsed().as_secs_f64();
        let rss_mb = rss_mb();
        let events = count(&store).await? - events;
        let outbox = store.count_messages().await? - outbox;
        tell("核对，并测本机上限……");
        let verified = self.verify(&store, due, events, outbox).await?;
        store.fold().await?;
        let limit_s = limit(folder, &before).await?;
        let lags: Vec<u64> =
            lags.into_iter().flat_map(|(lag, moved)| std::iter::repeat_n(lag, moved)).collect();
        let rate = per_second(self.tickets, seconds);
        let limit = per_second(self.tickets, limit_s);
        Ok(Measured {
            store: "sqlite",
            tickets: self.tickets,
            tickets_per_s: rate,
            events,
            outbox,
            verified,
            p50_lag_ms: percentile(&lags, 0.5),
            p99_lag_ms: percentile(&lags, 0.99),
            limit_rows_per_s: limit,
            ratio_to_limit: (limit_s / seconds * 100.0).round() / 100.0,
            rss_mb,
        })
    }

    /// Everything is there: one event and one card a ticket, a message each to agency and hotline;
    /// and a sample replays to its snapshots.
    async fn verify(
        &self,
        store: &Store,
        due: Instant,
        events: u64,
        outbox: u64,
    ) -> Result<bool, Failure> {
        let mut good = events == self.tickets && outbox == 2 * self.tickets;
        good &= store.count_cards().await? == self.tickets;
        let mut rng = fastrand::Rng::with_seed(1);
        let far = Instant::from_ms(i64::MAX / 4);
        let all = store.due(far, self.tickets).await?;
        good &= all.len() as u64 == self.tickets;
        for _ in 0..REPLAYED {
            let (id, loaded) = &all[rng.usize(..all.len())];
            let Ok(loaded) = loaded else { return Ok(false) };
            good &= store.replayed(*id).await? == loaded.instance;
            good &= loaded.instance.cards.len() == 1;
            good &= loaded.instance.next_wake().is_some_and(|wake| wake > due);
        }
        Ok(good)
    }
}

async fn count(store: &Store) -> Result<u64, Failure> {
    let last =
        store.commits_after(0, u64::MAX / 4).await?.last().map_or(0, |commit| commit.last_position);
    Ok(u64::try_from(last).unwrap_or_default())
}

fn copy(from: &PathBuf, to: &PathBuf) -> Result<(), Failure> {
    let copied = fs::copy(from, to);
    copied.map(drop).map_err(|error| Failure::Machine(catalog::reason(&error)))
}

/// The same rows by set-based statements in one transaction: the best of three.
async fn limit(folder: &Folder, before: &PathBuf) -> Result<f64, Failure> {
    let after = folder.file("herd.db").display().to_string();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let file = folder.file("limit.db");
        for end in ["", "-wal", "-shm"] {
            // The first time there is none.
            let _ = fs::remove_file(format!("{}{end}", file.display()));
        }
        copy(before, &file)?;
        let store = Store::open(&folder.url("limit.db")).await?;
        best = best.min(store.write_again(&after).await?.as_secs_f64());
        store.close().await;
    }
    Ok(best)
}

/// The engine, with the system's clock shifted to just before everything may be recorded.
async fn engine(store: &Store, due: Instant) -> Result<Engine, Failure> {
    let clock = Clock::system(due.plus_ms(SETTLE_MS - 1_000).ms() - wall().ms());
    let (shelf, calendar) = known()?;
    let knowledge = Knowledge::gather(shelf, calendar, [].into(), store).await;
    let knowledge = knowledge.map_err(|error| Failure::Machine(error.to_string()))?;
    let carrier = Arc::new(|_| {
        let arrived: std::pin::Pin<Box<dyn Future<Output = Carried> + Send>> =
            Box::pin(async { Carried::Arrived });
        arrived
    });
    Ok(Engine::start(store.clone(), knowledge, clock, Wake::default(), carrier))
}

fn known() -> Result<(duban_core::definition::Shelf, duban_core::calendar::Calendar), Failure> {
    Ok((catalog::shelf(&Source::Embedded)?, catalog::calendar(&Source::Embedded)?))
}

/// Tickets in `delivered` whose `contact` ends at one instant; that instant.
pub(super) async fn gather(store: &Store, tickets: u64) -> Result<Instant, Failure> {
    let (shelf, calendar) = known()?;
    let nobody = [].into();
    let context = Context { shelf: &shelf, calendar: &calendar, hotline_agencies: &nobody };
    let register = Register::read(&Source::Embedded)?;
    let agencies: Vec<&Name> = register.agencies().map(|(code, _)| code).collect();
    let districts: Vec<&Name> = register.districts().map(|(code, _)| code).collect();
    // Unwrap safety: instants of this file.
    let received: Instant = "2026-03-02T10:00:00+08:00".parse().expect("an instant");
    // After the early warning, before the end: all of it is one commit, made then.
    let recorded_at: Instant = "2026-03-05T12:00:00+08:00".parse().expect("an instant");
    let day = calendar.zone().day_of(received);
    let mut due = received;
    let mut left = usize::try_from(tickets).unwrap_or_default();
    while left > 0 {
        let many = left.min(GATHER);
        left -= many;
        let mut changes = Vec::with_capacity(many);
        for nr in 0..many {
            let nr = left + nr;
            let agency = agencies[nr % agencies.len()];
            let district = districts[nr % districts.len()];
            let change = delivered(context, (received, recorded_at), agency, district)?;
            due = change.instance.next_wake().unwrap_or(due);
            changes.push(change);
        }
        changes.sort_by_key(Change::ticket);
        let days = vec![day; many];
        let (id, definitions) = (crypto::identity(), Vec::new());
        let commit = Commit { id, at: recorded_at, changes: &changes, days: &days, definitions };
        store.commit(&commit).await?;
    }
    Ok(due)
}

/// A ticket that was dispatched and has been warned once: the end of `contact` comes next.
fn delivered(
    context: Context<'_>,
    (received, recorded_at): (Instant, Instant),
    agency: &Name,
    district: &Name,
) -> Result<Change, Failure> {
    let told = |error: &dyn std::fmt::Display| Failure::Machine(error.to_string());
    let ticket = TicketId(crypto::identity());
    let actor = |subject: &str, role| Actor { subject: subject.into(), role, agency: None };
    let opening = Opening {
        ticket,
        parent: None,
        class: "matter".into(),
        reviewed_at: received,
        district: Some(district.clone()),
        rated: None,
        flags: Vec::new(),
        sealed: None,
        actor: actor("shenzhen", Role::Intake),
    };
    let opened = open(context, &opening, Moment { at: received, recorded_at })
        .map_err(|error| told(&error))?;
    let review = ReviewRow {
        source: "shenzhen".into(),
        review_id: ticket.to_string(),
        commitment: Digest::ZERO,
        codes: "{}".to_owned(),
        reference: ticket.to_string().into(),
        matter: "440300001".into(),
    };
    let mut change = Change::opening(opened, review);
    let act = Act {
        action: "dispatch".into(),
        actor: actor("h001", Role::Hotline),
        form: json!({"agency": agency}),
        sealed: None,
        revision: None,
    };
    let mut go = |asked: &Asked, at: Instant| {
        let before: Instance = change.instance.clone();
        let decided = decide(context, &before, asked, Moment { at, recorded_at });
        let decided = decided.map_err(|refusal| told(&refusal.rejection))?;
        change.absorb(decided.into_owned());
        Ok::<_, Failure>(change.instance.next_wake())
    };
    let mut next = go(&Asked::Act(act), received)?;
    // The return window lapses, and the early warning is given.
    for _ in 0..2 {
        if let Some(at) = next {
            next = go(&Asked::Advance, at)?;
        }
    }
    Ok(change)
}
