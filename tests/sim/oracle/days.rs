//! Days go by: clocks start, ring at midnight, are met, taken back, stopped, moved by notices.

use super::almanac::{Certainty, day_of, start_of};
use super::clock::{Bell, Clock, Fate, Reckoning, around, counted};
use super::law;
use super::ticket::{Card, Ticket};

impl Ticket<'_> {
    /// The newest clock of that name that concerns the agency which has the ticket, or nobody in
    /// particular.
    pub(super) fn current(&self, name: &str) -> Option<usize> {
        let mut newest_first = (0..self.clocks.len()).rev();
        newest_first.find(|index| {
            let clock = &self.clocks[*index];
            clock.name == name && (clock.agency.is_none() || clock.agency == self.agency)
        })
    }

    pub(super) fn is_running(&self, name: &str) -> bool {
        self.current(name).is_some_and(|index| self.clocks[index].is_running())
    }

    pub(super) fn is_over(&self, name: &str) -> bool {
        self.current(name).is_some_and(|index| !self.clocks[index].is_running())
    }

    pub(super) fn start(&mut self, name: &'static str, at: i64) {
        self.start_from(name, at, (at, day_of(at)));
    }

    /// Starts a clock that counts from an instant, unless one is running or was.
    pub(super) fn start_from(&mut self, name: &'static str, at: i64, from: (i64, i64)) {
        let law = law::deadline(self.is_staff, name);
        let mut earlier = self.clocks.iter().filter(|clock| clock.name == name);
        let is_had = match (law.of_agency, law.is_once) {
            (true, _) => earlier.any(|clock| clock.agency == self.agency),
            (_, true) => earlier.next().is_some(),
            _ => earlier.any(Clock::is_running),
        };
        if !is_had {
            self.start_anew(name, at, from);
        }
    }

    fn start_anew(&mut self, name: &'static str, at: i64, (from, from_day): (i64, i64)) {
        let law = law::deadline(self.is_staff, name);
        let number = self.clocks.iter().filter(|clock| clock.name == name).count() + 1;
        let is_charged = law.of_agency || law.party == "agency";
        let party =
            if law.party == "hotline" && self.is_about_hotline() { "approver" } else { law.party };
        let length = (law.days, law.is_natural);
        let almanac = &self.world.almanac;
        let now = counted(almanac, day_of(at), (from, from_day), length, law.ladder);
        let clock = Clock {
            name,
            number,
            generation: 0,
            place: law::place(self.is_staff, name).expect("a deadline of the workflow"),
            kind: law.kind,
            party,
            agency: self.agency.clone().filter(|_| is_charged),
            days: law.days,
            is_natural: law.is_natural,
            ladder: law.ladder,
            state: "running",
            why: None,
            from,
            from_day,
            first_due_at: now.due_at(),
            first_last_day: now.last_day,
            now,
            granted: None,
            ended_at: None,
            ledger: Vec::new(),
        };
        let agency = clock.agency.as_deref().unwrap_or("-");
        let told = format!(
            "started {name} {number} {} {party} {agency} {} from {from} {}",
            clock.kind,
            clock.within(),
            clock.now.text()
        );
        self.clocks.push(clock);
        self.revision += 1;
        self.tell_as_before(at, &told);
        if law.needs_reviewer && self.flags.contains("anonymous") {
            self.stop(self.clocks.len() - 1, at, "anonymous");
        }
    }

    pub(super) fn meet(&mut self, name: &str, at: i64) {
        let Some(index) = self.current(name).filter(|index| self.clocks[*index].is_running())
        else {
            return;
        };
        let clock = &mut self.clocks[index];
        let is_late = at >= clock.now.due_at();
        clock.state = if is_late { "met_late" } else { "met" };
        clock.ended_at = Some(at);
        let told = format!("met {name} {} late {is_late}", clock.number);
        self.tell_as_before(at, &told);
    }

    /// It was not met after all: what passed meanwhile is passed over.
    pub(super) fn take_back(&mut self, name: &str, at: i64) {
        let Some(index) = self.current(name) else { return };
        if ["met", "met_late"].contains(&self.clocks[index].state) {
            self.owe_again(index, at, "reopened", "refused");
            self.reckon_anew(index, day_of(at), at);
        }
    }

    fn owe_again(&mut self, index: usize, at: i64, word: &str, reason: &str) {
        let clock = &mut self.clocks[index];
        let held = clock.ended_at.take().expect("it had ended");
        clock.state = "running";
        clock.why = None;
        let mut over = Vec::new();
        for bell in clock.now.bells.iter_mut().filter(|bell| bell.at <= at) {
            if bell.fate == Fate::Armed {
                bell.fate = Fate::PassedOver;
                over.push(bell.name());
            }
        }
        let due = clock.now.due_at();
        clock.ledger.push(format!("{reason} {at} {due} {due} held {:?}", Some(held)));
        let told =
            format!("{word} {} {} held {held} over [{}]", clock.name, clock.number, over.join(" "));
        self.tell_as_before(at, &told);
    }

    pub(super) fn stop(&mut self, index: usize, at: i64, why: &str) {
        let clock = &mut self.clocks[index];
        if !clock.is_running() {
            return;
        }
        clock.state = "cancelled";
        clock.why = Some(why.to_owned());
        clock.ended_at = Some(at);
        let told = format!("cancelled {} {} {why}", clock.name, clock.number);
        if clock.name == "completion" && why != "closed" {
            self.request = None;
        }
        self.tell_as_before(at, &told);
    }

    pub(super) fn stop_those(&mut self, at: i64, why: &str, ends: impl Fn(&Clock) -> bool) {
        for index in 0..self.clocks.len() {
            if ends(&self.clocks[index]) {
                self.stop(index, at, why);
            }
        }
    }

    /// An agency has the ticket, perhaps again: its own clocks go on. The appeal is the staff
    /// member's: one that ended meanwhile begins anew.
    pub(super) fn take_up(&mut self, agency: &str, at: i64) {
        for index in 0..self.clocks.len() {
            let clock = &self.clocks[index];
            let is_given_back = clock.why.as_deref() == Some("released");
            let is_known = law::place(self.is_staff, clock.name).is_some();
            if !is_given_back || !is_known || clock.agency.as_deref() != Some(agency) {
                continue;
            }
            if clock.name == "appeal_window" && clock.now.due_at() <= at {
                if self.current("appeal_window") == Some(index) {
                    self.start_anew("appeal_window", at, (at, day_of(at)));
                }
                continue;
            }
            self.go_on(index, at);
        }
    }

    /// The ticket was closed by mistake: what was stopped with it goes on.
    pub(super) fn go_on_where_it_was(&mut self, closed_at: i64, at: i64) {
        for index in 0..self.clocks.len() {
            let clock = &self.clocks[index];
            let was_closed =
                ["closed", "duplicate_found"].map(Some).contains(&clock.why.as_deref());
            if was_closed && clock.ended_at == Some(closed_at) {
                self.go_on(index, at);
            }
        }
    }

    fn go_on(&mut self, index: usize, at: i64) {
        self.owe_again(index, at, "resumed", "resumed");
        if !self.measure_by_new_class(index, at) {
            self.reckon_anew(index, day_of(at), at);
        }
    }

    /// The length of the class that the ticket has now, from the old start.
    pub(super) fn measure_by_new_class(&mut self, index: usize, at: i64) -> bool {
        let clock = &self.clocks[index];
        let law = law::deadline(self.is_staff, clock.name);
        if law.days == clock.days {
            return false;
        }
        let length = (law.days, law.is_natural);
        let from = (clock.from, clock.from_day);
        let mut now = counted(&self.world.almanac, day_of(at), from, length, law.ladder);
        now.bells.retain(|bell| {
            let there = clock.now.bells.iter().find(|one| one.working_days == bell.working_days);
            bell.at > at && there.is_none_or(|one| one.fate == Fate::Armed)
        });
        self.clocks[index].days = law.days;
        let within = self.clocks[index].within();
        self.change(index, at, ("reclassified", &within), now);
        true
    }

    /// The extension that was asked for is granted: a new end, a new ladder, and no card for the
    /// time in which nobody had decided.
    pub(super) fn extend(&mut self, (until, asked_at): (i64, i64), at: i64) {
        let Some(index) = self.current("completion") else { return };
        let clock = &self.clocks[index];
        if ["lapsed", "cancelled"].contains(&clock.state) {
            return;
        }
        let from = (clock.from, clock.from_day);
        let until = until.max(clock.now.last_day);
        let mut now = around(&self.world.almanac, day_of(at), from, until, clock.ladder, until);
        let due_at = now.due_at();
        now.bells.retain(|bell| bell.at > at || bell.at >= due_at);
        for bell in &mut now.bells {
            bell.at = bell.at.max(at);
        }
        let clock = &mut self.clocks[index];
        clock.generation += 1;
        clock.granted = Some(until);
        clock.now.bells.clear();
        if ["met", "met_late"].contains(&clock.state) {
            let is_late = clock.ended_at.expect("it was met") >= due_at;
            clock.state = if is_late { "met_late" } else { "met" };
        }
        self.change(index, at, ("extension", "-"), now);
        for card in 0..self.cards.len() {
            let one = &self.cards[card];
            if one.clock == index && one.fired_at > asked_at && one.state != "revoked" {
                self.revoke(card, at, "extension_pending");
            }
        }
    }

    pub(super) fn revoke(&mut self, card: usize, at: i64, why: &str) {
        let card = &mut self.cards[card];
        card.state = "revoked";
        card.why = Some(why.to_owned());
        let told = format!("revoked {} {why}", card.id);
        self.tell_as_before(at, &told);
        self.write_of_card(&told);
    }

    /// Tells whoever has a card what became of it; `told` is the line about it.
    pub(super) fn write_of_card(&mut self, told: &str) {
        let id = told.split(' ').nth(1).expect("a line about a card");
        let card = self.cards.iter().find(|card| card.id == id).expect("a card");
        let (state, agency) = (card.state, card.agency.clone());
        let to = match (state, card.party) {
            ("contested", _) | (_, "hotline" | "system") => "supervisor",
            (_, party) => party,
        };
        let about = format!("card {id} {state}");
        self.write_to(self.lines, ("notify", &[to]), agency.as_deref(), &about, None);
    }

    /// Computes a clock anew with what is known on a day. Says whether it would have been moved
    /// further forward, had it been allowed to.
    pub(super) fn reckon_anew(&mut self, index: usize, known_on: i64, at: i64) -> bool {
        let almanac = &self.world.almanac;
        let clock = &self.clocks[index];
        let published = almanac.publications().rfind(|day| *day <= known_on);
        let is_newer = published > clock.now.known;
        let (Some(published), true) = (published, is_newer) else { return false };
        if !clock.is_running() || clock.is_natural {
            return false;
        }
        let from = (clock.from, clock.from_day);
        let until = |day| around(almanac, published, from, day, clock.ladder, day);
        let exact = counted(almanac, published, from, (clock.days, clock.is_natural), clock.ladder);
        let floor = almanac.walk(published, published.max(day_of(at)), 1);
        let is_held = exact.last_day < clock.now.last_day && floor > exact.last_day;
        let is_breached = at >= clock.now.due_at() && clock.now.certainty != Certainty::Estimated;
        let set = clock.granted.or(is_breached.then_some(clock.now.last_day));
        let mut now = match set {
            Some(day) => until(day),
            None if is_held => until(floor.min(clock.now.last_day)),
            None => exact,
        };
        let due_at = now.due_at();
        now.bells.retain(|bell| {
            let there = clock.now.bells.iter().find(|one| one.working_days == bell.working_days);
            match there.map(|one| one.fate) {
                None => clock.granted.is_none() || bell.at > at || bell.at >= due_at,
                Some(Fate::Armed) => true,
                Some(Fate::Withheld) => !bell.is_guessed,
                Some(Fate::Fired | Fate::PassedOver) => false,
            }
        });
        for bell in &mut now.bells {
            bell.at = bell.at.max(at);
        }
        if !is_same(&clock.now, &now) {
            self.change(index, at, ("calendar", "-"), now);
        }
        is_held && set.is_none()
    }

    /// Another end, or other rungs; what rang has rung.
    fn change(&mut self, index: usize, at: i64, (why, within): (&str, &str), now: Reckoning) {
        let clock = &mut self.clocks[index];
        let (old, new) = (clock.now.due_at(), now.due_at());
        clock.ledger.push(format!("{why} {at} {old} {new} held None"));
        let told = format!(
            "changed {} {}.{} {why} from {old} within {within} {}",
            clock.name,
            clock.number,
            clock.generation,
            now.text()
        );
        let is_replaced = |bell: &Bell| {
            bell.fate == Fate::Armed
                || now.bells.iter().any(|new| new.working_days == bell.working_days)
        };
        let mut bells: Vec<Bell> =
            clock.now.bells.iter().filter(|bell| !is_replaced(bell)).copied().collect();
        bells.extend(&now.bells);
        bells.sort_by_key(|bell| bell.at);
        clock.now = Reckoning { bells, ..now };
        self.revision += 1;
        self.tell_as_before(at, &told);
    }

    /// What comes next if nobody acts: when, which clock, which of its bells.
    pub(super) fn next_bell(&self) -> Option<(i64, usize, Option<usize>)> {
        let running = self.clocks.iter().enumerate().filter(|(_, clock)| clock.is_running());
        let next = running.filter_map(|(index, clock)| {
            if clock.kind == "window" {
                return Some((clock.now.due_at(), clock.place, clock.number, index, None));
            }
            let bells = clock.now.bells.iter().enumerate();
            let armed = bells.filter(|(_, bell)| bell.fate == Fate::Armed);
            let (place, bell) = armed.min_by_key(|(place, bell)| (bell.at, *place))?;
            Some((bell.at, clock.place, clock.number, index, Some(place)))
        });
        next.min().map(|(at, _, _, index, bell)| (at.max(self.at), index, bell))
    }

    /// Midnight after midnight, everything that is due by then, until an instant.
    pub(super) fn ring(&mut self, until: i64) {
        let mut present = self.at.min(until);
        loop {
            while let Some((at, index, bell)) = self.next_bell().filter(|(at, ..)| *at <= present) {
                self.rang_at = Some(at);
                self.rang_until = Some(at);
                match bell {
                    Some(bell) => self.strike(at, index, bell),
                    None => self.lapse(at, index),
                }
            }
            let midnight = start_of(day_of(present) + 1);
            if midnight > until {
                return;
            }
            present = midnight;
        }
    }

    fn strike(&mut self, at: i64, index: usize, bell: usize) {
        let clock = &mut self.clocks[index];
        let bell = &mut clock.now.bells[bell];
        let name = bell.name();
        let mut rungs = clock.ladder.iter();
        let (_, card, notice, to) =
            rungs.find(|(days, ..)| *days == bell.working_days).expect("a rung of the ladder");
        let is_withheld = card.is_some() && bell.is_guessed;
        bell.fate = if is_withheld { Fate::Withheld } else { Fate::Fired };
        let card = card.filter(|_| !is_withheld);
        let notice = if is_withheld { Some("urge") } else { *notice };
        let what = format!(
            "{} {}.{} {name} {} {}",
            clock.name,
            clock.number,
            clock.generation,
            card.unwrap_or("-"),
            notice.unwrap_or("-")
        );
        if let Some(kind) = card {
            self.cards.push(Card {
                id: format!("{}.{}.{}.{name}", clock.name, clock.number, clock.generation),
                kind,
                clock: index,
                party: clock.party,
                agency: clock.agency.clone(),
                state: "issued",
                is_upheld: false,
                why: None,
                due_at: clock.now.due_at(),
                fired_at: at,
            });
        }
        let agency = clock.agency.clone().or_else(|| self.agency.clone());
        let word = if is_withheld { "withheld" } else { "rung" };
        self.tell_of_time(at, &format!("{word} {what}"));
        let about = format!("rung {what}");
        self.write_to(self.lines, ("notify", to), agency.as_deref(), &about, Some(index));
    }

    fn lapse(&mut self, at: i64, index: usize) {
        let clock = &mut self.clocks[index];
        clock.state = "lapsed";
        clock.ended_at = Some(at);
        let is_on_time = clock.now.due_at() == at;
        let raised = match clock.name {
            "deemed_service" => "deemed_served",
            "appeal_window" => "appeal_lapsed",
            _ => "-",
        };
        let told = format!("lapsed {} {} {raised}", clock.name, clock.number);
        self.tell_of_time(at, &told);
        "system".clone_into(&mut self.actor);
        if raised == "deemed_served" {
            // Served at the very end of the day that is over.
            let from = if is_on_time { at - 1 } else { at };
            self.start_from("appeal_window", at, (from, day_of(from)));
        }
        self.settle(at);
    }
}

/// Whether nothing has changed that people rely on.
fn is_same(before: &Reckoning, now: &Reckoning) -> bool {
    let armed = before.bells.iter().filter(|bell| bell.fate == Fate::Armed);
    let armed: Vec<_> = armed.map(|bell| (bell.working_days, bell.at, bell.is_guessed)).collect();
    let fresh: Vec<_> =
        now.bells.iter().map(|bell| (bell.working_days, bell.at, bell.is_guessed)).collect();
    before.last_day == now.last_day
        && before.certainty == now.certainty
        && before.missing_years == now.missing_years
        && before.yellow_at == now.yellow_at
        && armed == fresh
}
