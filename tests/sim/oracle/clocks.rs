//! The clocks of a ticket: how they start, fire, are met, taken back, moved and stopped.

use super::almanac::{Certainty, day_of};
use super::rules::{Kind, Length, Often, Rung, rule};
use super::schedule::{self, Schedule, Start};
use super::ticket::Ticket;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Met,
    MetLate,
    Lapsed,
    Cancelled(&'static str),
}

/// Where a rung stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RungState {
    Armed,
    Fired,
    Withheld,
    PassedOver,
}

/// A rung of a run.
#[derive(Clone, Debug)]
pub(super) struct RungOfRun {
    pub(super) rung: Rung,
    pub(super) at: i64,
    is_estimated: bool,
    pub(super) state: RungState,
}

/// A run of a deadline.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) deadline: &'static str,
    pub(super) number: u16,
    pub(super) generation: u16,
    /// Its place among the deadlines of the workflow in which it started.
    place: usize,
    pub(super) kind: Kind,
    length: Length,
    ladder: &'static [Rung],
    pub(super) agency: Option<String>,
    pub(super) state: State,
    pub(super) start: Start,
    pub(super) last_day: i64,
    pub(super) due_at: i64,
    pub(super) original_last_day: i64,
    pub(super) original_due_at: i64,
    pub(super) yellow_at: i64,
    pub(super) certainty: Certainty,
    pub(super) missing_years: Vec<i64>,
    /// The day as of whose knowledge it was computed.
    known: i64,
    granted: Option<i64>,
    pub(super) ended_at: Option<i64>,
    /// In the order of the ladder.
    pub(super) rungs: Vec<RungOfRun>,
}

impl Run {
    /// Running, or a window that had not ended at that instant.
    pub(super) fn is_open_at(&self, at: i64) -> bool {
        self.state == State::Running || (self.state == State::Lapsed && at < self.due_at)
    }

    fn take(&mut self, schedule: &Schedule, known: i64) {
        self.last_day = schedule.last_day;
        self.due_at = schedule.due_at();
        self.yellow_at = schedule.yellow_at;
        self.certainty = schedule.certainty;
        self.missing_years.clone_from(&schedule.missing_years);
        self.known = known;
    }
}

/// Where a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardState {
    Issued,
    Contested,
    Revoked(&'static str),
}

/// A card.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) kind: &'static str,
    deadline: &'static str,
    run: u16,
    pub(super) agency: Option<String>,
    pub(super) state: CardState,
    pub(super) due_at: i64,
    pub(super) fired_at: i64,
}

/// What falls due next: which run, and which of its rungs, or its end as a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextDue {
    pub(super) at: i64,
    run: usize,
    rung: Option<usize>,
}

impl Ticket<'_> {
    /// The newest run that concerns the agency which has the ticket, or nobody in particular.
    pub(super) fn current(&self, deadline: &str) -> Option<usize> {
        (0..self.runs.len()).rev().find(|index| {
            let run = &self.runs[*index];
            run.deadline == deadline && (run.agency.is_none() || run.agency == self.agency)
        })
    }

    /// Whether a deadline is still to be kept, or a window may still be used.
    pub(super) fn is_running(&self, deadline: &str) -> bool {
        self.current(deadline).is_some_and(|index| self.runs[index].is_open_at(self.now))
    }

    /// Whether a deadline started and is over.
    pub(super) fn is_over(&self, deadline: &str) -> bool {
        self.current(deadline).is_some() && !self.is_running(deadline)
    }

    pub(super) fn start(&mut self, deadline: &'static str) {
        self.start_from(deadline, Start::at(self.now));
    }

    pub(super) fn start_from(&mut self, deadline: &'static str, start: Start) {
        let rule = rule(self.workflow, deadline);
        let is_charged = matches!(rule.often, Often::AgainForTheAgency | Often::OnceAnAgency);
        let agency = self.agency.clone().filter(|_| is_charged);
        let mut earlier = self.runs.iter().filter(|run| run.deadline == deadline);
        let is_had = match rule.often {
            Often::Again | Often::AgainForTheAgency => {
                earlier.any(|run| run.state == State::Running)
            }
            Often::OnceATicket => earlier.next().is_some(),
            Often::OnceAnAgency => earlier.any(|run| run.agency == agency),
        };
        if is_had {
            return;
        }
        let number = self.runs.iter().filter(|run| run.deadline == deadline).count() + 1;
        let known = self.known();
        let almanac = &self.world.almanac;
        let schedule = schedule::by_rule(almanac, known, start, rule.length, rule.ladder);
        let is_idle = rule.needs_reviewer && self.is_anonymous();
        let place = self.workflow.deadlines().iter().position(|one| *one == deadline);
        self.runs.push(Run {
            deadline,
            number: u16::try_from(number).expect("few runs"),
            generation: 0,
            place: place.expect("a deadline of the workflow"),
            kind: rule.kind,
            length: rule.length,
            ladder: rule.ladder,
            agency,
            state: if is_idle { State::Cancelled("anonymous") } else { State::Running },
            start,
            last_day: schedule.last_day,
            due_at: schedule.due_at(),
            original_last_day: schedule.last_day,
            original_due_at: schedule.due_at(),
            yellow_at: schedule.yellow_at,
            certainty: schedule.certainty,
            missing_years: schedule.missing_years.clone(),
            known,
            granted: None,
            ended_at: is_idle.then_some(self.now),
            rungs: armed(&schedule, None),
        });
    }

    /// The agency gave the ticket back, has it again, and goes on with all its own clocks.
    pub(super) fn resume(&mut self) {
        for index in 0..self.runs.len() {
            let run = &self.runs[index];
            let is_given_back = run.state == State::Cancelled("released");
            let is_known = self.workflow.deadlines().contains(&run.deadline);
            if is_given_back && is_known && run.agency == self.agency {
                self.owe_again(index);
            }
        }
    }

    fn owe_again(&mut self, index: usize) {
        let now = self.now;
        let run = &mut self.runs[index];
        run.state = State::Running;
        run.ended_at = None;
        for rung in run.rungs.iter_mut().filter(|rung| rung.at <= now) {
            if rung.state == RungState::Armed {
                rung.state = RungState::PassedOver;
            }
        }
        let (known, today) = (run.known, day_of(now));
        if let Some(published) = self.world.almanac.newest_between(known, today) {
            self.recompute(index, published);
        }
    }

    pub(super) fn meet(&mut self, deadline: &str) {
        let Some(index) = self.current(deadline) else { return };
        let now = self.now;
        let run = &mut self.runs[index];
        if !run.is_open_at(now) {
            return;
        }
        run.state = if now < run.due_at { State::Met } else { State::MetLate };
        run.ended_at = Some(now);
        self.forget_request(index);
        self.revoke_since(index, now + 1, "arrived_before_due");
    }

    pub(super) fn take_back(&mut self, deadline: &str) {
        let Some(index) = self.current(deadline) else { return };
        if matches!(self.runs[index].state, State::Met | State::MetLate) {
            self.owe_again(index);
        }
    }

    pub(super) fn cancel(&mut self, deadline: &str, reason: &'static str) {
        if let Some(index) = self.current(deadline) {
            self.cancel_run(index, reason);
        }
    }

    fn cancel_run(&mut self, index: usize, reason: &'static str) {
        let run = &mut self.runs[index];
        if run.state == State::Running {
            run.state = State::Cancelled(reason);
            run.ended_at = Some(self.now);
            self.forget_request(index);
        }
    }

    /// Nobody needs more time for what is over.
    fn forget_request(&mut self, index: usize) {
        if self.runs[index].deadline == "completion" {
            self.extension = None;
        }
    }

    /// The agency is rid of the ticket, and of its clocks.
    pub(super) fn release(&mut self) {
        for index in 0..self.runs.len() {
            if self.runs[index].agency.is_some() && self.runs[index].agency == self.agency {
                self.cancel_run(index, "released");
            }
        }
        self.agency = None;
    }

    /// Only the follow-up review goes on after the end.
    pub(super) fn stop_all(&mut self) {
        for index in 0..self.runs.len() {
            if self.runs[index].deadline != "followup_window" {
                self.cancel_run(index, "closed");
            }
        }
    }

    /// Another class, other deadlines: those that it has not are no longer owed.
    pub(super) fn stop_unknown(&mut self) {
        for index in 0..self.runs.len() {
            if !self.workflow.deadlines().contains(&self.runs[index].deadline) {
                self.cancel_run(index, "reclassified");
            }
        }
    }

    fn revoke_since(&mut self, index: usize, since: i64, reason: &'static str) {
        let (deadline, number) = (self.runs[index].deadline, self.runs[index].number);
        for card in &mut self.cards {
            let is_of_run = card.deadline == deadline && card.run == number;
            let is_standing = !matches!(card.state, CardState::Revoked(_));
            if is_of_run && is_standing && card.fired_at >= since {
                card.state = CardState::Revoked(reason);
            }
        }
    }

    /// The extension asked for is granted.
    pub(super) fn extend(&mut self) {
        let (Some((until, asked_at)), Some(index)) =
            (self.extension.take(), self.current("completion"))
        else {
            return;
        };
        let (now, known) = (self.now, self.known());
        let run = &mut self.runs[index];
        if run.state != State::Running {
            return;
        }
        let almanac = &self.world.almanac;
        let schedule = schedule::until(almanac, known, run.start, until, run.ladder);
        run.take(&schedule, known);
        run.generation += 1;
        run.granted = Some(until);
        run.rungs = armed(&schedule, Some(now));
        self.revoke_since(index, asked_at + 1, "extension_pending");
    }

    /// Computes a run anew with what a publication made known. Says whether it would have been
    /// moved further forward, had it been allowed to.
    pub(super) fn recompute(&mut self, index: usize, published: i64) -> bool {
        let now = self.now;
        let run = &mut self.runs[index];
        let is_counted = matches!(run.length, Length::WorkingDays(_));
        if run.state != State::Running || !is_counted {
            return false;
        }
        let almanac = &self.world.almanac;
        let until = |day| schedule::until(almanac, published, run.start, day, run.ladder);
        let exact = schedule::by_rule(almanac, published, run.start, run.length, run.ladder);
        let floor = almanac.walk(published, published.max(day_of(now)), 1).min(run.last_day);
        // A breach stays one, unless its very end was only estimated.
        let is_breached = now >= run.due_at && run.certainty != Certainty::Estimated;
        let set = run.granted.or(is_breached.then_some(run.last_day));
        let is_held = set.is_none() && exact.last_day < floor;
        let schedule = match set {
            Some(day) => until(day),
            None if is_held => until(floor),
            None => exact,
        };
        run.take(&schedule, published);
        let mut rungs = Vec::new();
        for rung in run.ladder {
            let before = run.rungs.iter().find(|one| one.rung.1 == rung.1);
            let planned = schedule.rungs.iter().find(|one| one.rung.1 == rung.1);
            let stays = |one: &&RungOfRun| match one.state {
                RungState::Fired | RungState::PassedOver => true,
                RungState::Armed => false,
                RungState::Withheld => planned.is_none_or(|planned| planned.is_estimated),
            };
            // A warning that fell away when the day was granted does not come back, unless its
            // instant is yet to come.
            let fell_away = |planned: &schedule::Planned| {
                run.granted.is_some() && planned.at <= now && planned.at < schedule.due_at()
            };
            let planned = planned.filter(|planned| before.is_some() || !fell_away(planned));
            if let Some(before) = before.filter(stays) {
                rungs.push(before.clone());
            } else if let Some(planned) = planned {
                let (rung, is_estimated) = (planned.rung, planned.is_estimated);
                let (at, state) = (planned.at.max(now), RungState::Armed);
                rungs.push(RungOfRun { rung, at, is_estimated, state });
            }
        }
        run.rungs = rungs;
        is_held
    }

    /// What falls due next, if nobody acts.
    pub(super) fn next_due(&self) -> Option<NextDue> {
        let mut next: Option<(NextDue, usize, u16)> = None;
        for (index, run) in self.runs.iter().enumerate() {
            if run.state != State::Running {
                continue;
            }
            let due = if run.kind == Kind::Window {
                NextDue { at: run.due_at, run: index, rung: None }
            } else {
                let armed = run.rungs.iter().enumerate();
                let armed = armed.filter(|(_, rung)| rung.state == RungState::Armed);
                let Some((rung, first)) = armed.min_by_key(|(_, rung)| rung.at) else { continue };
                NextDue { at: first.at, run: index, rung: Some(rung) }
            };
            let is_sooner = next.is_none_or(|(known, place, number)| {
                (due.at, run.place, run.number) < (known.at, place, number)
            });
            if is_sooner {
                next = Some((due, run.place, run.number));
            }
        }
        next.map(|(due, _, _)| due)
    }

    /// Everything up to an instant happens, each at its own.
    pub(super) fn pass_time(&mut self, until: i64) {
        while let Some(due) = self.next_due().filter(|due| due.at <= until) {
            self.now = due.at.max(self.received_at);
            match due.rung {
                Some(rung) => self.fire(due.run, rung),
                None => self.lapse(due.run),
            }
        }
    }

    fn fire(&mut self, run: usize, rung: usize) {
        let now = self.now;
        let run = &mut self.runs[run];
        let rung = &mut run.rungs[rung];
        let (_, name, card) = rung.rung;
        if card.is_some() && rung.is_estimated {
            rung.state = RungState::Withheld;
            return;
        }
        rung.state = RungState::Fired;
        let Some(kind) = card else { return };
        self.cards.push(Card {
            id: format!("{}.{}.{}.{name}", run.deadline, run.number, run.generation),
            kind,
            deadline: run.deadline,
            run: run.number,
            agency: run.agency.clone(),
            state: CardState::Issued,
            due_at: run.due_at,
            fired_at: now,
        });
    }

    fn lapse(&mut self, run: usize) {
        let now = self.now;
        let run = &mut self.runs[run];
        run.state = State::Lapsed;
        run.ended_at = Some(now);
        if run.deadline == "deemed_service" {
            self.deemed_served();
        }
        self.settle(true);
    }
}

/// The rungs of a new ladder. On one that was granted, warnings that come too late fall away, and
/// what the end and the time after it should have brought comes at the grant.
fn armed(schedule: &Schedule, granted_at: Option<i64>) -> Vec<RungOfRun> {
    let now = granted_at.unwrap_or(i64::MIN);
    let mut rungs = Vec::new();
    for planned in &schedule.rungs {
        if planned.at <= now && planned.at < schedule.due_at() {
            continue;
        }
        let (rung, at, is_estimated) = (planned.rung, planned.at.max(now), planned.is_estimated);
        rungs.push(RungOfRun { rung, at, is_estimated, state: RungState::Armed });
    }
    rungs
}
