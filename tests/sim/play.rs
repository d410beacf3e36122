//! A life played on the program and on the oracle side by side, compared after every command.
//! Must never know what is right: that is the oracle's.

use std::collections::BTreeMap;

use duban_core::apply::replay;
use duban_core::command::{Act, Command, Moment, Opening, SETTLE_MS};
use duban_core::decide::{self, Decision};
use duban_core::definition::RungAt;
use duban_core::digest::Digest;
use duban_core::event::{Event, Fact, Sealed};
use duban_core::instance::Instance;
use duban_core::message::Message;
use duban_core::name::Name;
use duban_core::rejection::Refusal;
use duban_core::role::Actor;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};

use crate::coverage::Coverage;
use crate::life::{Deed, Life, written};
use crate::observed;
use crate::oracle::almanac::start_of;
use crate::oracle::ticket::{self as oracle, Answer, Ticket};
use crate::setting::Setting;
use crate::view::{Commit, difference};
use crate::watch;

/// Why a life failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// What differs, or which law was broken.
    pub(crate) what: String,
    /// After which command.
    pub(crate) after: String,
}

/// A ticket in both worlds.
pub(crate) struct Player<'s> {
    setting: &'s Setting,
    outages: Vec<(i64, i64)>,
    lane_late_ms: i64,
    pub(crate) instance: Instance,
    ticket: Ticket<'s>,
    pub(crate) events: Vec<Event>,
    pub(crate) messages: Vec<Message>,
    /// The instant of the last commit, or until which time has passed.
    pub(crate) now: i64,
    published: usize,
    /// When the next publication can be taken notice of, if that is after its midnight.
    notice_at: Option<i64>,
    publications: Vec<i64>,
    fired: BTreeMap<(Name, u16, u16, RungAt), u32>,
    /// The word of each deed's refusal.
    pub(crate) refusals: Vec<Option<String>>,
    /// Whether the laws of storing are checked as well; once for a life is enough.
    is_stored: bool,
}

impl<'s> Player<'s> {
    /// The review arrives.
    pub(crate) fn open(
        setting: &'s Setting,
        life: &Life,
        coverage: &mut Coverage,
    ) -> Result<Self, Failure> {
        let received_at = Instant::from_ms(life.received_at);
        let opening = Opening {
            ticket: TicketId::from_number(1),
            parent: None,
            rated: None,
            class: life.class.as_str().into(),
            reviewed_at: Instant::from_ms(life.reviewed_at),
            district: None,
            flags: life.flags.iter().map(|flag| flag.as_str().into()).collect(),
            sealed: None,
            actor: Actor { subject: "reviews".into(), role: role("intake"), agency: None },
        };
        let decision = decide::open(setting.context(), &opening, Moment::now(received_at));
        let failed = |what: String| Failure { what, after: "the opening".to_owned() };
        let decision = decision.map_err(|refusal| failed(format!("refused: {refusal}")))?;
        let (world, flags) = (&setting.world, &life.flags);
        let (ticket, told) =
            Ticket::open(world, &life.class, flags, life.reviewed_at, life.received_at);
        let publications = setting.publications();
        let mut player = Self {
            setting,
            outages: life.outages.clone(),
            lane_late_ms: life.lane_late_ms,
            instance: decision.instance.clone().into_owned(),
            ticket,
            events: Vec::new(),
            messages: Vec::new(),
            now: life.received_at,
            published: publications
                .iter()
                .take_while(|day| start_of(**day) <= life.received_at)
                .count(),
            notice_at: None,
            publications,
            fired: BTreeMap::new(),
            refusals: Vec::new(),
            is_stored: true,
        };
        coverage.note("class", &life.class);
        watch::decision(&player.instance.clone(), &decision, coverage);
        agree(&decision, &told).map_err(failed)?;
        player.take(decision, coverage).map_err(failed)?;
        player.compare(coverage).map_err(failed)?;
        Ok(player)
    }

    /// Plays a whole life.
    pub(crate) fn play(
        setting: &'s Setting,
        life: &Life,
        is_stored: bool,
        coverage: &mut Coverage,
    ) -> Result<Self, Failure> {
        let mut player = Self::open(setting, life, coverage)?;
        player.is_stored = is_stored;
        for deed in &life.deeds {
            player.act(deed, coverage)?;
        }
        player.end(life.until, coverage)?;
        Ok(player)
    }

    /// Somebody acts; before, the lane and the publications have worked until it is committed. Who
    /// depends on something that has not settled waits until it has.
    pub(crate) fn act(&mut self, deed: &Deed, coverage: &mut Coverage) -> Result<(), Failure> {
        let after = format!("{} of {} at {}", deed.action, deed.subject, written(deed.at));
        let failed = |what| Failure { what, after: after.clone() };
        let act = oracle::Act {
            action: &deed.action,
            role: &deed.role,
            subject: &deed.subject,
            agency: deed.agency.as_deref(),
            form: &deed.form,
            revision: deed.revision,
        };
        let mut ready_at = deed.recorded_at;
        loop {
            self.pass(ready_at, coverage)?;
            watch::deed(&self.instance, deed, self.now, coverage);
            let command = Command::Act(self.sealed(deed));
            let (stamp, recorded_at) = (Instant::from_ms(deed.at), Instant::from_ms(ready_at));
            let before = self.instance.clone();
            let program = decide::decide(
                self.setting.context(),
                &before,
                &command,
                Moment { at: stamp, recorded_at },
            );
            let mut ticket = self.ticket.clone();
            let oracle = ticket.act(&act, deed.at);
            let fired = [
                program.as_ref().map_or_else(|one| one.fired_until, |one| one.fired_until),
                oracle
                    .as_ref()
                    .map_or_else(|(_, fired)| *fired, |one| one.fired_until)
                    .map(Instant::from_ms),
            ];
            if fired[0] != fired[1] {
                return Err(failed(format!("it depends on {fired:?}")));
            }
            let settled = fired[0].map(|fired| fired.ms() + SETTLE_MS);
            if let Some(settled) = settled.filter(|settled| *settled > ready_at) {
                coverage.special("an answer that waits until all has settled");
                ready_at = settled;
                continue;
            }
            self.now = self.now.max(ready_at);
            self.answered(deed, &before, (program, oracle), coverage).map_err(failed)?;
            if self.refusals.last().is_some_and(Option::is_none) {
                self.ticket = ticket;
            }
            return self.compare(coverage).map_err(failed);
        }
    }

    /// Compares the two answers to a deed, and takes over what was decided.
    fn answered(
        &mut self,
        deed: &Deed,
        before: &Instance,
        (program, oracle): (Result<Decision<'_>, Refusal>, Answer),
        coverage: &mut Coverage,
    ) -> Result<(), String> {
        let words = (
            program.as_ref().err().map(|one| one.rejection.code()),
            oracle.as_ref().err().map(|(word, _)| *word),
        );
        if words.0 != words.1 {
            let (program, oracle) = (words.0.unwrap_or("accepted"), words.1.unwrap_or("accepted"));
            return Err(format!("\n  program: {program}\n  oracle:  {oracle}"));
        }
        self.refusals.push(words.0.map(str::to_owned));
        match (program, oracle) {
            (Ok(decision), Ok(told)) => {
                let workflow = before.definition.name.as_str();
                coverage.note(crate::coverage::kinds_of(workflow)[0], &deed.action);
                watch::decision(before, &decision, coverage);
                watch::done(before, deed, &decision, coverage);
                agree(&decision, &told)?;
                self.take(decision, coverage)?;
            }
            (Err(refusal), _) => {
                coverage.note("refusal", refusal.rejection.code());
                watch::refusal(before, deed, &refusal.rejection, coverage);
            }
            (Ok(_), Err(_)) => {}
        }
        Ok(())
    }

    /// Time passes until an instant, and the laws of a whole history are checked.
    pub(crate) fn end(&mut self, until: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        self.pass(until, coverage)?;
        // What is due by then is recorded when it has settled, and whenever the lane is back.
        self.advance(until, until + SETTLE_MS, coverage)?;
        let failed = |what: &str| Failure { what: what.to_owned(), after: "the end".to_owned() };
        if !self.is_stored {
            return Ok(());
        }
        let again = replay(&self.events).map_err(|error| failed(&error.to_string()))?;
        if again.to_bytes() != self.instance.to_bytes() {
            return Err(failed("law: replaying the events gives other bytes"));
        }
        if Instance::from_bytes(&again.to_bytes()).as_ref() != Ok(&again) {
            return Err(failed("law: a stored ticket reads as another"));
        }
        Ok(())
    }

    /// The lane works, and notices are taken notice of, up to an instant.
    fn pass(&mut self, until: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        loop {
            let lane = self.next_turn_of_the_lane().filter(|at| *at <= until);
            let notice = self.publications.get(self.published).map(|day| start_of(*day));
            let notice = self.notice_at.or(notice).filter(|at| *at <= until);
            match (lane, notice) {
                (Some(at), notice) if notice.is_none_or(|notice| at < notice) => {
                    self.advance(at - SETTLE_MS, at, coverage)?;
                }
                (_, Some(at)) => self.publish(at, coverage)?,
                _ => break,
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    /// The lane works off what has settled, or comes back after an outage.
    fn next_turn_of_the_lane(&self) -> Option<i64> {
        let due = self.instance.next_wake()?.ms();
        let at = (due + SETTLE_MS + self.lane_late_ms).max(self.now);
        let outage = self.outages.iter().find(|(from, to)| (*from..*to).contains(&at));
        Some(outage.map_or(at, |(_, to)| *to))
    }

    fn advance(
        &mut self,
        until: i64,
        recorded_at: i64,
        coverage: &mut Coverage,
    ) -> Result<(), Failure> {
        let after = format!("the lane at {}", written(recorded_at));
        let failed = |what| Failure { what, after: after.clone() };
        let moment =
            Moment { at: Instant::from_ms(until), recorded_at: Instant::from_ms(recorded_at) };
        let before = self.instance.clone();
        let decision = decide::decide(self.setting.context(), &before, &Command::Advance, moment);
        let decision = decision.map_err(|refusal| failed(format!("refused: {refusal}")))?;
        let told = self.ticket.advance(until);
        agree(&decision, &told).map_err(failed)?;
        watch::decision(&before, &decision, coverage);
        self.now = self.now.max(recorded_at);
        self.take(decision, coverage).map_err(failed)?;
        self.compare(coverage).map_err(failed)
    }

    /// A notice is taken notice of; the one before it comes once more, and must do nothing.
    fn publish(&mut self, recorded_at: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        let day = self.publications[self.published];
        let after = format!("the notice of {}", written(start_of(day)));
        let failed = |what| Failure { what, after: after.clone() };
        watch::publication(&self.instance, start_of(day), coverage);
        let moment = Moment {
            at: Instant::from_ms(start_of(day)),
            recorded_at: Instant::from_ms(recorded_at),
        };
        let old = self.published.checked_sub(1).map(|index| self.publications[index]);
        for day in [Some(day), old].into_iter().flatten() {
            let known_on = Day::from_number(i32::try_from(day).expect("a near day"));
            let before = self.instance.clone();
            let decision = decide::decide(
                self.setting.context(),
                &before,
                &Command::Recompute { known_on },
                moment,
            );
            let decision = decision.map_err(|refusal| failed(format!("refused: {refusal}")))?;
            let settled = decision.fired_until.map(|fired| fired.ms() + SETTLE_MS);
            if let Some(settled) = settled.filter(|settled| *settled > recorded_at) {
                self.notice_at = Some(settled);
                return Ok(());
            }
            let (told, is_held) = self.ticket.publish(day, moment.at.ms());
            if is_held {
                coverage.special("a due day kept by the next working day");
            }
            agree(&decision, &told).map_err(failed)?;
            watch::decision(&before, &decision, coverage);
            self.now = self.now.max(recorded_at);
            self.take(decision, coverage).map_err(failed)?;
            self.compare(coverage).map_err(failed)?;
        }
        self.published += 1;
        self.notice_at = None;
        Ok(())
    }

    fn sealed(&self, deed: &Deed) -> Act {
        let definition = self.setting.definition(&self.instance);
        let private = definition.split_form(&deed.action, &deed.form).1;
        let sealed = private.map(|private| {
            let bytes = private.to_string().into_bytes();
            Sealed { reference: "test-1".into(), commitment: Digest::commitment(&[7; 32], &bytes) }
        });
        Act {
            action: deed.action.as_str().into(),
            actor: Actor {
                subject: deed.subject.as_str().into(),
                role: role(&deed.role),
                agency: deed.agency.as_deref().map(Name::from),
            },
            form: deed.form.clone(),
            sealed,
            revision: deed.revision,
        }
    }

    /// Takes over a decision, and checks the laws that hold of every commit.
    fn take(&mut self, decision: Decision<'_>, coverage: &mut Coverage) -> Result<(), String> {
        for event in &decision.events {
            let is_back = |last: &Event| last.recorded_at > event.recorded_at || last.at > event.at;
            if self.events.last().is_some_and(is_back) || event.recorded_at < event.at {
                return Err(format!("law: time goes back at event {}", event.seq));
            }
            if self.is_stored {
                let again = Event::from_bytes(&event.to_bytes());
                if again.as_ref().ok() != Some(event) {
                    return Err(format!(
                        "law: event {} is another after storing: {again:?}",
                        event.seq
                    ));
                }
            }
            if let Fact::RungFired(fired) | Fact::RungWithheld(fired) = &event.fact {
                let run = (fired.run.deadline.clone(), fired.run.run);
                let key = (run.0, run.1, fired.generation, fired.rung);
                let is_fired = matches!(event.fact, Fact::RungFired(_));
                let times = self.fired.entry(key).or_default();
                if *times > 0 && is_fired {
                    return Err(format!("law: event {} fires a rung again", event.seq));
                }
                *times += u32::from(is_fired);
            }
            let is_of_time = matches!(
                event.fact,
                Fact::RungFired(_)
                    | Fact::RungWithheld(_)
                    | Fact::DeadlineLapsed(_)
                    | Fact::Moved(_)
            );
            if is_of_time && event.actor != *"system" {
                return Err(format!("law: event {} is nobody's act", event.seq));
            }
            coverage.note("event", event.fact.kind().0);
            self.events.push(event.clone());
        }
        if self.events.len() as u64 != decision.instance.seq {
            return Err("law: the numbers of events have a gap".to_owned());
        }
        self.messages.extend(decision.messages);
        self.instance = decision.instance.into_owned();
        Ok(())
    }

    fn shown(&self, probes: &[i64]) -> crate::view::View<'_> {
        let definition = self.setting.definition(&self.instance);
        observed::view(&self.instance, definition, self.setting.calendar(), probes)
    }

    fn compare(&self, coverage: &mut Coverage) -> Result<(), String> {
        let due = self.instance.runs.last().map_or(self.now, |run| run.due_at.ms());
        let probes = [self.now, self.now + 86_400_000, due - 1, due];
        let (program, oracle) = (self.shown(&probes), self.ticket.view(&probes));
        watch::view(&program, self.instance.definition.name.as_str(), coverage);
        if program == oracle {
            return Ok(());
        }
        Err(with_instants(&difference(&program, &oracle)))
    }
}

/// Whether the program decided what the oracle tells.
fn agree(decision: &Decision<'_>, told: &Commit) -> Result<(), String> {
    let decided = observed::commit(decision);
    let pairs = [(&decided.events, &told.events), (&decided.messages, &told.messages)];
    for (program, oracle) in pairs {
        let none = "nothing".to_owned();
        for index in 0..program.len().max(oracle.len()) {
            let (one, other) =
                (program.get(index).unwrap_or(&none), oracle.get(index).unwrap_or(&none));
            if one != other {
                return Err(with_instants(&format!("\n  program: {one}\n  oracle:  {other}")));
            }
        }
    }
    if decided.fired_until != told.fired_until {
        return Err(format!("fired until {:?} and {:?}", decided.fired_until, told.fired_until));
    }
    Ok(())
}

/// Milliseconds since 1970 as people write them.
fn with_instants(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let (digits, rest) =
            word.split_at(word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len()));
        let is_instant = digits.len() >= 12;
        let (before, at) = word.split_at(word.find('@').map_or(0, |at| at + 1));
        words.push(match (digits.parse(), at.trim_end_matches([']', '~']).parse()) {
            (Ok(ms), _) if is_instant => format!("{}{rest}", written(ms)),
            (_, Ok(ms)) if at.len() >= 12 => format!("{before}{}", written(ms)),
            _ => word.to_owned(),
        });
    }
    words.join(" ")
}

pub(crate) fn role(word: &str) -> duban_core::role::Role {
    word.parse().expect("a role")
}
