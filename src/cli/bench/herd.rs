//! The midnight herd: the contact deadlines of many tickets end at one instant. Must never count
//! what is not in the database afterwards.

use std::sync::Arc;
use std::time::Instant as Stopwatch;

use duban_core::command::{Act, Command as Asked, Moment, Opening, SETTLE_MS};
use duban_core::decide::{Context, decide, open};
use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::Serialize;
use serde_json::json;

use super::reader::Reader;
use super::scratch::{Scratch, Where};
use super::{per_second, percentile, rss_mb, tell};
use crate::catalog::{self, Register, Source};
use crate::cli::{Ended, Failure, usage};
use crate::clock::{Clock, wall};
use crate::crypto;
use crate::engine::{ADVANCES_AT_ONCE, Engine, Knowledge};
use crate::store::{Carried, Change, Claim, Commit, ReviewRow, Store};
use crate::wake::Wake;

/// Tickets in one commit while the herd is gathered.
const GATHER: usize = 1_000;

/// Tickets that are replayed afterwards.
const REPLAYED: usize = 1_000;

#[derive(clap::Args)]
pub(in crate::cli) struct Herd {
    /// 工单的件数
    #[arg(long, value_name = "件数", default_value_t = 100_000)]
    #[arg(value_parser = usage::whole::<u64>(1_000..=2_000_000))]
    tickets: u64,
    /// 一次提交办理的件数
    #[arg(long, value_name = "件数", default_value_t = 1_000)]
    #[arg(value_parser = usage::whole::<u64>(1..=2_000))]
    batch: u64,
    /// 同时办理的批数
    #[arg(long, value_name = "批数", default_value_t = ADVANCES_AT_ONCE)]
    #[arg(value_parser = usage::whole::<usize>(1..=16))]
    at_once: usize,
    /// 办理期间每秒查看单件工单的次数；0 为不查看
    #[arg(long, value_name = "次数", default_value_t = 50)]
    #[arg(value_parser = usage::whole::<u64>(0..=500))]
    reads: u64,
    #[command(flatten)]
    within: Where,
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
    /// Of a ticket, over HTTP, while the herd runs.
    reads: usize,
    read_p99_ms: u64,
}

impl Herd {
    pub(super) fn run(self) -> Ended {
        self.within.measured(async |scratch| self.measure(scratch).await)
    }

    async fn measure(&self, scratch: &Scratch) -> Result<Measured, Failure> {
        let (store, _) = Store::migrate(&scratch.url).await?;
        tell(&format!("准备 {} 件工单……", self.tickets));
        let due = gather(&store, self.tickets).await?;
        store.set_aside(&scratch.url).await?;
        let (events, outbox) = (count(&store).await?, store.count_messages().await?);
        let engine = engine(&store, Clock::system(shift(due))).await?;
        let reader = Reader::start(scratch, &store, due, self.reads).await?;
        tell("等待同一时刻到期，然后办理……");
        while engine.clock().now() < due.plus_ms(SETTLE_MS) {
            engine.clock().sleep_until(due.plus_ms(SETTLE_MS)).await;
        }
        let begun = Stopwatch::now();
        let mut lags = self.work_off(&engine, begun).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let reads = reader.end(begun).await?;
        lags.sort_unstable();
        let rss_mb = rss_mb();
        let events = count(&store).await? - events;
        let outbox = store.count_messages().await? - outbox;
        tell("核对，并测本机上限……");
        if !self.verify(&store, due, events, outbox).await? {
            let says = "办理结果与应有的不符，所测数字无效";
            return Err(Failure::Machine(says.to_owned()));
        }
        let limit_s = store.write_again(&scratch.url).await?.as_secs_f64();
        store.close().await;
        Ok(Measured {
            store: scratch.kind(),
            tickets: self.tickets,
            tickets_per_s: per_second(self.tickets, seconds),
            events,
            outbox,
            verified: true,
            p50_lag_ms: percentile(&lags, 0.5),
            p99_lag_ms: percentile(&lags, 0.99),
            limit_rows_per_s: per_second(self.tickets, limit_s),
            ratio_to_limit: (limit_s / seconds * 100.0).round() / 100.0,
            rss_mb,
            reads: reads.len(),
            read_p99_ms: percentile(&reads, 0.99) / 1_000,
        })
    }

    /// As the lane does it; how long after the instant each ticket was moved on, in milliseconds.
    async fn work_off(&self, engine: &Engine, begun: Stopwatch) -> Result<Vec<u64>, Failure> {
        let turns = (0..self.at_once).map(|_| {
            let (engine, batch) = (engine.clone(), self.batch);
            tokio::spawn(async move {
                let mut lags = Vec::new();
                loop {
                    let advanced = engine.advance_due(batch).await?;
                    if advanced.due == 0 {
                        return Ok::<_, Failure>(lags);
                    }
                    let lag = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
                    lags.extend(std::iter::repeat_n(lag, advanced.moved));
                }
            })
        });
        let mut lags = Vec::new();
        for turn in turns.collect::<Vec<_>>() {
            let ended = turn.await.map_err(|_| Failure::Machine("办理中断".to_owned()))?;
            lags.extend(ended?);
        }
        Ok(lags)
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
        if !good {
            return Ok(false);
        }
        for _ in 0..REPLAYED {
            let (id, loaded) = &all[rng.usize(..all.len())];
            let Ok(loaded) = loaded else { return Ok(false) };
            good &= store.replayed(*id).await? == *loaded.instance;
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

/// How far the clock is shifted: to just before everything may be recorded.
pub(super) fn shift(due: Instant) -> i64 {
    due.plus_ms(SETTLE_MS - 1_000).ms() - wall().ms()
}

/// The engine by itself, without lanes.
pub(super) async fn engine(store: &Store, clock: Clock) -> Result<Engine, Failure> {
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
        let (id, definitions, seen) = (crypto::identity(), Vec::new(), Vec::new());
        let (at, changes, days) = (recorded_at, &changes, &days);
        let commit = Commit { id, at, changes, days, definitions, seen };
        store.commit(&commit, Claim::default()).await?;
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
        let before = Arc::clone(&change.instance);
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
