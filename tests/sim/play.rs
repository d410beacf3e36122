//! A life played on the program and on the oracle side by side, compared after every command.
//! Must never know what is right: that is the oracle's.

use std::collections::BTreeMap;

use duban_core::apply::replay;
use duban_core::command::{Act, Command, Moment, Opening};
use duban_core::decide::{self, Decision};
use duban_core::digest::Digest;
use duban_core::event::{Event, Fact, Sealed};
use duban_core::instance::Instance;
use duban_core::message::Message;
use duban_core::name::Name;
use duban_core::rejection::Rejection;
use duban_core::role::Actor;
use duban_core::time::{Day, Instant};

use crate::coverage::Coverage;
use crate::life::{Deed, Life, written};
use crate::observed;
use crate::oracle::almanac::start_of;
use crate::oracle::ticket::{self as oracle, Ticket};
use crate::setting::Setting;
use crate::view::difference;
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
    pub(crate) instance: Instance,
    ticket: Ticket<'s>,
    pub(crate) events: Vec<Event>,
    pub(crate) messages: Vec<Message>,
    /// The instant of the last commit, or until which time has passed.
    pub(crate) now: i64,
    published: usize,
    publications: Vec<i64>,
    fired: BTreeMap<(Name, u16, u16, Name), u32>,
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
            ticket: "HCP20260304000127-5".into(),
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
        let ticket = Ticket::open(world, &life.class, flags, life.reviewed_at, life.received_at);
        let publications = setting.publications();
        let mut player = Self {
            setting,
            outages: life.outages.clone(),
            instance: decision.instance.clone(),
            ticket,
            events: Vec::new(),
            messages: Vec::new(),
            now: life.received_at,
            published: publications
                .iter()
                .take_while(|day| start_of(**day) <= life.received_at)
                .count(),
            publications,
            fired: BTreeMap::new(),
            refusals: Vec::new(),
            is_stored: true,
        };
        coverage.note("class", &life.class);
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

    /// Somebody acts; before, the lane and the publications have worked until it is committed.
    pub(crate) fn act(&mut self, deed: &Deed, coverage: &mut Coverage) -> Result<(), Failure> {
        self.pass(deed.recorded_at, coverage)?;
        watch::deed(&self.instance, deed, self.now, coverage);
        let after = format!("{} of {} at {}", deed.action, deed.subject, written(deed.at));
        let failed = |what| Failure { what, after: after.clone() };
        let act = self.sealed(deed);
        let moment = Moment {
            at: Instant::from_ms(deed.at),
            recorded_at: Instant::from_ms(deed.recorded_at),
        };
        let program = self.decide(&Command::Act(act), moment);
        let oracle = self.ticket.act(
            &oracle::Act {
                action: &deed.action,
                role: &deed.role,
                subject: &deed.subject,
                agency: deed.agency.as_deref(),
                form: &deed.form,
            },
            deed.at,
        );
        let word = program.as_ref().err().map(Rejection::code);
        if word != oracle.err() {
            let [program, oracle] = [word, oracle.err()].map(|word| word.unwrap_or("accepted"));
            return Err(failed(format!("\n  program: {program}\n  oracle:  {oracle}")));
        }
        self.refusals.push(word.map(str::to_owned));
        self.now = self.now.max(deed.recorded_at);
        match program {
            Err(refusal) => {
                coverage.note("refusal", refusal.code());
                watch::refusal(&self.instance, deed, &refusal, coverage);
            }
            Ok(decision) => {
                let workflow = self.instance.definition.name.as_str();
                coverage.note(crate::coverage::kinds_of(workflow)[0], &deed.action);
                watch::decision(&self.instance, &decision, coverage);
                watch::done(&self.instance, deed, &decision, coverage);
                self.take(decision, coverage).map_err(failed)?;
            }
        }
        self.compare(coverage).map_err(failed)
    }

    /// Time passes until an instant, and the laws of a whole history are checked.
    pub(crate) fn end(&mut self, until: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        self.pass(until, coverage)?;
        self.advance(until, coverage)?;
        let failed = |what: &str| Failure { what: what.to_owned(), after: "the end".to_owned() };
        if !self.is_stored {
            return Ok(());
        }
        let again = replay(&self.events).map_err(|error| failed(&error.to_string()))?;
        let bytes = |one: &Instance| serde_json::to_vec(one).expect("a ticket is JSON");
        if bytes(&again) != bytes(&self.instance) {
            return Err(failed("law: replaying the events gives other bytes"));
        }
        Ok(())
    }

    /// The lane works, and notices are taken notice of, up to an instant.
    fn pass(&mut self, until: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        loop {
            let lane = self.next_turn_of_the_lane().filter(|at| *at <= until);
            let notice = self.publications.get(self.published).map(|day| start_of(*day));
            match (lane, notice.filter(|at| *at <= until)) {
                (None, None) => break,
                (Some(at), notice) if notice.is_none_or(|notice| at < notice) => {
                    self.advance(at, coverage)?;
                }
                _ => self.publish(coverage)?,
            }
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn next_turn_of_the_lane(&self) -> Option<i64> {
        let at = self.instance.next_wake()?.ms().max(self.now);
        let outage = self.outages.iter().find(|(from, to)| (*from..*to).contains(&at));
        Some(outage.map_or(at, |(_, to)| *to))
    }

    fn advance(&mut self, at: i64, coverage: &mut Coverage) -> Result<(), Failure> {
        let command = self.decide(&Command::Advance, Moment::now(Instant::from_ms(at)));
        self.ticket.advance(at);
        self.by_itself(command, at, &format!("the lane at {}", written(at)), coverage)
    }

    fn publish(&mut self, coverage: &mut Coverage) -> Result<(), Failure> {
        let day = self.publications[self.published];
        self.published += 1;
        let at = start_of(day);
        let known_on = Day::from_number(i32::try_from(day).expect("a near day"));
        watch::publication(&self.instance, at, coverage);
        let moment = Moment::now(Instant::from_ms(at));
        let command = self.decide(&Command::Recompute { known_on }, moment);
        if self.ticket.publish(day, at) {
            coverage.special("a due day kept by the next working day");
        }
        self.by_itself(command, at, &format!("the notice of {}", written(at)), coverage)
    }

    fn by_itself(
        &mut self,
        command: Result<Decision, Rejection>,
        at: i64,
        after: &str,
        coverage: &mut Coverage,
    ) -> Result<(), Failure> {
        let failed = |what| Failure { what, after: after.to_owned() };
        let decision = command.map_err(|refusal| failed(format!("refused: {refusal}")))?;
        watch::decision(&self.instance, &decision, coverage);
        self.now = self.now.max(at);
        self.take(decision, coverage).map_err(failed)?;
        self.compare(coverage).map_err(failed)
    }

    fn decide(&self, command: &Command, moment: Moment) -> Result<Decision, Rejection> {
        let definition = self.setting.definition(&self.instance);
        decide::decide(self.setting.context(), definition, &self.instance, command, moment)
    }

    fn sealed(&self, deed: &Deed) -> Act {
        let definition = self.setting.definition(&self.instance);
        let form = definition.action(&deed.action);
        let form = form.and_then(|action| definition.form(action.form.as_str()));
        let private = form.map(|form| form.split(&deed.form).1).unwrap_or_default();
        let sealed = (!private.is_null()).then(|| {
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
            revision: None,
        }
    }

    /// Takes over a decision, and checks the laws that hold of every commit.
    fn take(&mut self, decision: Decision, coverage: &mut Coverage) -> Result<(), String> {
        for event in &decision.events {
            if self.events.last().is_some_and(|last| last.recorded_at > event.recorded_at) {
                return Err(format!("law: recorded_at goes back at event {}", event.seq));
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
                let key = (run.0, run.1, fired.generation, fired.rung.clone());
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
        self.instance = decision.instance;
        Ok(())
    }

    fn compare(&self, coverage: &mut Coverage) -> Result<(), String> {
        let due = self.instance.runs.last().map_or(self.now, |run| run.due_at.ms());
        let probes = [self.now, self.now + 86_400_000, due - 1, due];
        let (program, oracle) =
            (observed::view(&self.instance, &probes), self.ticket.view(&probes));
        watch::view(&program, self.instance.definition.name.as_str(), coverage);
        if program == oracle {
            return Ok(());
        }
        Err(with_instants(&difference(&program, &oracle)))
    }
}

/// Milliseconds since 1970 as people write them.
fn with_instants(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let (digits, rest) =
            word.split_at(word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len()));
        let is_instant = digits.len() >= 12;
        words.push(match digits.parse() {
            Ok(ms) if is_instant => format!("{}{rest}", written(ms)),
            _ => word.to_owned(),
        });
    }
    words.join(" ")
}

pub(crate) fn role(word: &str) -> duban_core::role::Role {
    word.parse().expect("a role")
}
