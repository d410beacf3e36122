//! A life that fails made as short as it goes, and the law that needs two lives: nothing depends
//! on whether the lane was on.

use duban_core::event::Event;
use duban_core::message::{About, Message};

use crate::coverage::Coverage;
use crate::life::Life;
use crate::play::{Failure, Player};
use crate::setting::{HOTLINE_AGENCIES, Setting, Settings};

/// Plays a life again with the lane off throughout, and with a lane that comes after every caller:
/// the same facts at the same instants, recorded at other times, and of the messages only those
/// about overtaken rungs are missing. (Whoever was overtaken by the lane is not without it.)
pub(crate) fn same_without_the_lane(
    setting: &Setting,
    life: &Life,
    with: &Player<'_>,
) -> Result<(), Failure> {
    let was_overtaken = |player: &Player<'_>| {
        player.refusals.iter().any(|word| word.as_deref() == Some("overtaken"))
    };
    if was_overtaken(with) {
        return Ok(());
    }
    let mut alone = life.clone();
    alone.outages = vec![(life.received_at, life.until + 2 * LATE_MS)];
    same(setting, &alone, with, "the same life without the lane")?;
    let mut late = life.clone();
    late.lane_late_ms = LATE_MS;
    same(setting, &late, with, "the same life with every caller before the lane")
}

/// How late the lane of the second life is: later than any request waits.
const LATE_MS: i64 = 60_000;

fn same(setting: &Setting, life: &Life, with: &Player<'_>, after: &str) -> Result<(), Failure> {
    let failed = |what: String| Failure { what, after: after.to_owned() };
    let without = Player::play(setting, life, false, &mut Coverage::default())?;
    let told = |event: &Event| {
        (event.seq, event.at, event.arrived_at, event.actor.clone(), event.fact.clone())
    };
    // What comes after the last deed is the lane's, which may not have come.
    for (one, other) in with.events.iter().zip(&without.events) {
        if told(one) != told(other) {
            return Err(failed(format!("law: before\n{one:?}\nnow\n{other:?}")));
        }
    }
    if with.events.len() != without.events.len() || with.refusals != without.refusals {
        return Err(failed("law: another number of events, or other refusals".to_owned()));
    }
    messages_collapse(&with.messages, &without.messages).map_err(failed)
}

fn messages_collapse(with: &[Message], without: &[Message]) -> Result<(), String> {
    if let Some(new) = without.iter().find(|message| !with.contains(message)) {
        return Err(format!("law: a message only without the lane: {new:?}"));
    }
    for missing in with.iter().filter(|message| !without.contains(message)) {
        let About::Rung { run, .. } = &missing.about else {
            return Err(format!("law: a message is lost without the lane: {missing:?}"));
        };
        let has_later = without.iter().any(|message| {
            let is_same_run =
                matches!(&message.about, About::Rung { run: other, .. } if other == run);
            message.seq > missing.seq && message.to == missing.to && is_same_run
        });
        if !has_later {
            return Err(format!("law: the last message about a run is lost: {missing:?}"));
        }
    }
    Ok(())
}

/// How a life fails, if it does.
fn failure(setting: &Setting, life: &Life) -> Option<Failure> {
    let played = Player::play(setting, life, true, &mut Coverage::default());
    match played {
        Err(failure) => Some(failure),
        Ok(player) => same_without_the_lane(setting, life, &player).err(),
    }
}

/// Leaves out what a life does not need to fail.
fn shortest(setting: &Setting, life: &Life) -> Life {
    let mut life = life.clone();
    let try_out = |life: &mut Life, change: &dyn Fn(&mut Life)| {
        let mut shorter = life.clone();
        change(&mut shorter);
        let fails = failure(setting, &shorter).is_some();
        if fails {
            *life = shorter;
        }
        fails
    };
    loop {
        let before = life.deeds.len();
        for length in [8, 4, 2, 1] {
            let mut index = life.deeds.len();
            while index >= length {
                let range = index - length..index;
                try_out(&mut life, &|life| {
                    life.deeds.drain(range.clone());
                });
                index = (index - 1).min(life.deeds.len());
            }
        }
        if life.deeds.len() == before {
            break;
        }
    }
    try_out(&mut life, &|life| life.outages.clear());
    try_out(&mut life, &|life| life.flags.clear());
    try_out(&mut life, &|life| life.reviewed_at = life.received_at);
    let last = life.deeds.iter().map(|deed| deed.recorded_at).max();
    try_out(&mut life, &|life| life.until = last.unwrap_or(life.received_at));
    life
}

/// What is to be said of a life that fails.
pub(crate) fn report(settings: &Settings, life: &Life, first: &Failure) -> String {
    let setting = settings.of(life);
    let short = shortest(setting, life);
    let failure = failure(setting, &short).unwrap_or_else(|| first.clone());
    let mut refusals = Vec::new();
    if let Ok(mut player) = Player::open(setting, &short, &mut Coverage::default()) {
        for deed in &short.deeds {
            if player.act(deed, &mut Coverage::default()).is_err() {
                break;
            }
        }
        refusals = player.refusals;
    }
    let mut scenario = short.scenario(&HOTLINE_AGENCIES, &refusals);
    if life.has_late_notices {
        let folder = settings.late_folder.display();
        scenario.insert_str(0, &format!("# play with --calendars {folder}\n"));
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("seed-{}.toml", life.seed));
    let written = std::fs::write(&file, &scenario);
    let place = written.map_or_else(|error| error.to_string(), |()| file.display().to_string());
    format!(
        "the program and the oracle differ: seed {}, {} of {} deeds needed\nafter {}: {}\n\n{scenario}\nscenario: {place}",
        life.seed,
        short.deeds.len(),
        life.deeds.len(),
        failure.after,
        failure.what,
    )
}
