//! The same lives three times: in the pure core, in a house on SQLite, and in one on PostgreSQL. Many
//! random lives at once, each with its own tickets, people and mistakes: what comes of every deed, the
//! events, and what is left in the tables must not differ.
//!
//! `DUBAN_LIVES` says how many, `DUBAN_SEED` with which seed to begin.

#[path = "../sim/choose.rs"]
mod choose;
#[path = "../sim/coverage.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod coverage;
#[path = "../it/database.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod database;
#[path = "../sim/fill.rs"]
mod fill;
#[path = "../it/house.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod house;
#[path = "../sim/life.rs"]
mod life;
#[path = "../sim/live.rs"]
mod live;
mod lived;
#[path = "../sim/observed.rs"]
mod observed;
#[path = "../sim/oracle/mod.rs"]
mod oracle;
#[path = "../sim/play.rs"]
mod play;
#[path = "../sim/random.rs"]
mod random;
#[path = "../it/served.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod served;
#[path = "../sim/setting.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod setting;
#[path = "../sim/shrink.rs"]
#[expect(dead_code, reason = "its own tests use the rest of it")]
mod shrink;
#[path = "../sim/view.rs"]
mod view;
#[path = "../sim/watch.rs"]
mod watch;

use coverage::Coverage;
use database::{Kind, TestDatabase, on_both};
use duban_core::simulate::Scenario;
use lived::Lived;
use setting::{HOTLINE_AGENCIES, Settings};

/// Lives of each run, if nobody says how many.
const LIVES: u64 = 30;

/// The seed of the first life, if nobody says which.
const SEED: u64 = 20_260_304;

fn number(variable: &str, otherwise: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(otherwise, |text| text.parse().expect("a whole number"))
}

/// Lives in which the lane never stands still: how it catches up is shown elsewhere.
fn lives(settings: &Settings, are_late: bool) -> Vec<Scenario> {
    let (lives, first) = (number("DUBAN_LIVES", LIVES), number("DUBAN_SEED", SEED));
    println!("{lives} lives from seed {first} (DUBAN_LIVES, DUBAN_SEED)");
    let seeds = (first..).map(|seed| live::live(settings, seed, &mut Coverage::default()).0);
    let seeds = seeds.filter(|life| life.has_late_notices == are_late);
    let scenarios = seeds.take(usize::try_from(lives).expect("a few")).map(|mut life| {
        life.outages.clear();
        for deed in &mut life.deeds {
            deed.recorded_at = deed.at;
        }
        life.deeds.retain(|deed| deed.at >= life.received_at);
        life.deeds.sort_by_key(|deed| deed.at);
        let text = life.scenario(&HOTLINE_AGENCIES, &[]);
        Scenario::read(&life.seed.to_string(), &text).expect("a scenario")
    });
    scenarios.collect()
}

async fn on(db: &TestDatabase, settings: &Settings, are_late: bool) -> Lived {
    let folder = are_late.then_some(settings.late_folder.as_path());
    let lived = lived::live(db, folder, &lives(settings, are_late)).await;
    let is_few = number("DUBAN_LIVES", LIVES) < LIVES;
    let much = lived.deeds > 100 && lived.refused > 10 && lived.rows.len() > 500;
    assert!(is_few || much, "{} {} {}", lived.deeds, lived.refused, lived.rows.len());
    lived
}

on_both!(a_house_lives_as_the_core_says, and_so_it_does_where_notices_come_late);

async fn a_house_lives_as_the_core_says(db: TestDatabase) {
    on(&db, &Settings::new(), false).await;
}

async fn and_so_it_does_where_notices_come_late(db: TestDatabase) {
    on(&db, &Settings::new(), true).await;
}

served::on_servers!(both_databases_hold_the_same);

async fn both_databases_hold_the_same() {
    let settings = Settings::new();
    for are_late in [false, true] {
        let one = on(&TestDatabase::new(Kind::Sqlite).await, &settings, are_late).await;
        let other = on(&TestDatabase::new(Kind::Postgres).await, &settings, are_late).await;
        assert_eq!(one.rows.len(), other.rows.len());
        for (one, other) in one.rows.iter().zip(&other.rows) {
            assert_eq!(one, other);
        }
    }
}
