//! The oracle's book: a line for all that happens, the letters that go out, and what can be seen
//! of a ticket.

use super::almanac::Certainty;
use super::clock::{Clock, Fate};
use super::law;
use super::ticket::{Card, Letter, Ticket};
use crate::view::{CardView, Commit, RunView, RungView, View};

impl Ticket<'_> {
    /// Writes a line.
    pub(super) fn tell(&mut self, actor: &str, at: i64, arrived: Option<i64>, what: &str) {
        self.lines += 1;
        self.at = at;
        let arrived = arrived.map_or_else(String::new, |stamp| format!(" arrived {stamp}"));
        self.told.push(format!("{} {at}{arrived} {actor}: {what}", self.lines));
    }

    /// The same for what nobody does.
    pub(super) fn tell_of_time(&mut self, at: i64, what: &str) {
        self.tell("system", at, None, what);
    }

    /// Sends a letter about a line.
    pub(super) fn write_to(
        &mut self,
        seq: usize,
        (kind, to): (&'static str, &[&str]),
        agency: Option<&str>,
        about: &str,
        clock: Option<usize>,
    ) {
        let mut written: Vec<String> = Vec::new();
        for to in to {
            let to = self.in_place_of(to).to_owned();
            if written.contains(&to) {
                continue;
            }
            written.push(to.clone());
            let (agency, about) = (agency.map(str::to_owned), about.to_owned());
            self.letters.push(Letter { seq, kind, to, agency, about, clock });
        }
    }

    /// What was told since the last commit. Of several rungs of one clock an audience hears of the
    /// last only.
    pub(super) fn commit(&mut self) -> Commit {
        let letters = std::mem::take(&mut self.letters);
        let mut sent = Vec::new();
        for (index, letter) in letters.iter().enumerate() {
            let is_overtaken = letter.clock.is_some()
                && letters[index + 1..]
                    .iter()
                    .any(|later| later.clock == letter.clock && later.to == letter.to);
            if is_overtaken {
                continue;
            }
            let nth = letters[..index].iter().filter(|one| one.seq == letter.seq).count();
            let agency = letter.agency.as_deref().unwrap_or("-");
            let Letter { seq, kind, to, about, .. } = letter;
            sent.push(format!("{seq}.{nth} {kind} {to} {agency} {about}"));
        }
        Commit {
            events: std::mem::take(&mut self.told),
            messages: sent,
            fired_until: self.rang_until.take(),
        }
    }

    /// The worst light of the obligations of the agency, or of all others.
    fn light(&self, at: i64, of_agency: bool) -> Option<&'static str> {
        let owed = self.clocks.iter().filter(|clock| {
            clock.is_running()
                && clock.kind == "obligation"
                && (clock.party == "agency") == of_agency
        });
        let colour = |clock: &Clock| match () {
            () if at >= clock.now.due_at() => (2, "red"),
            () if at >= clock.now.yellow_at => (1, "yellow"),
            () => (0, "green"),
        };
        owed.map(colour).max().map(|(_, light)| light)
    }

    /// What can be seen of it.
    pub(crate) fn view(&self, probes: &[i64]) -> View<'_> {
        let mut tallies: Vec<String> = self
            .counts
            .iter()
            .map(|(what, by, at)| format!("{what} {} {at}", by.as_deref().unwrap_or("-")))
            .collect();
        tallies.sort();
        View {
            class: &self.class,
            workflow: self.workflow(),
            step: self.step,
            status: law::status(self.step),
            awaits: self.awaits(),
            agency: self.agency.as_deref(),
            flags: self.flags.iter().map(String::as_str).collect(),
            finding: self.finding,
            outcome: self.outcome,
            revision: self.revision,
            tallies,
            next_wake: self.next_bell().map(|(at, ..)| at),
            lights: probes.iter().map(|at| self.light(*at, true)).collect(),
            hotline_lights: probes.iter().map(|at| self.light(*at, false)).collect(),
            cards: self.cards.iter().map(view_of_card).collect(),
            runs: self.clocks.iter().map(|clock| self.view_of_clock(clock, probes)).collect(),
        }
    }

    /// The working days left on the days of these instants, counted one by one.
    fn left(&self, clock: &Clock, probes: &[i64]) -> Vec<Option<usize>> {
        let almanac = &self.world.almanac;
        let left = |at: &i64| {
            let today = super::almanac::day_of(*at);
            let known = today;
            let first = (clock.from_day + 1).max(today);
            let days = (first..=clock.now.last_day).filter(|day| almanac.is_working(known, *day));
            (!clock.is_natural).then(|| days.count())
        };
        probes.iter().map(left).collect()
    }

    fn view_of_clock<'c>(&self, clock: &'c Clock, probes: &[i64]) -> RunView<'c> {
        let rungs = clock.now.bells.iter().map(|bell| {
            let state = match bell.fate {
                Fate::Armed => "armed",
                Fate::Fired => "fired",
                Fate::Withheld => "withheld",
                Fate::PassedOver => "passed_over",
            };
            RungView { name: bell.name(), at: bell.at, state }
        });
        let mut rungs: Vec<RungView> = rungs.collect();
        rungs.sort_by(|a, b| a.name.cmp(&b.name));
        RunView {
            deadline: clock.name,
            run: clock.number,
            generation: clock.generation,
            order: clock.place,
            party: clock.party,
            agency: clock.agency.as_deref(),
            within: clock.within(),
            state: clock.state,
            cancelled: clock.why.as_deref(),
            starts_at: clock.from,
            due_at: clock.now.due_at(),
            original_due_at: clock.first_due_at,
            yellow_at: clock.now.yellow_at,
            certainty: match clock.now.certainty {
                Certainty::Firm => "firm",
                Certainty::Provisional => "provisional",
                Certainty::Estimated => "estimated",
            },
            missing_years: clock.now.missing_years.clone(),
            ended_at: clock.ended_at,
            left: self.left(clock, probes),
            ledger: clock.ledger.clone(),
            rungs,
        }
    }
}

fn view_of_card(card: &Card) -> CardView<'_> {
    CardView {
        id: &card.id,
        kind: card.kind,
        party: card.party,
        agency: card.agency.as_deref(),
        state: card.state,
        is_upheld: card.is_upheld,
        revoked: card.why.as_deref(),
        due_at: card.due_at,
        fired_at: card.fired_at,
    }
}
