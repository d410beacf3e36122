//! Laws of single decisions that no course of a ticket shows: which definition rules, what is
//! refused and who is to blame, how far a ticket may grow, and what an old notice does.

mod words;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use duban_core::calendar::Calendar;
use duban_core::command::{Act, Command, Disclose, Moment, Opening};
use duban_core::decide::{Context, Decision, decide, open};
use duban_core::definition::{Library, Shelf, ShelfError, read_definition};
use duban_core::digest::Digest;
use duban_core::event::{Fact, Sealed};
use duban_core::instance::Instance;
use duban_core::limits::{
    EVENTS_MAX, EVENTS_OF_ACTIONS_MAX, EVENTS_OF_NOTES_MAX, FIRINGS_MAX, FORM_BYTES_MAX, MARKS_MAX,
    RUNS_MAX,
};
use duban_core::name::Name;
use duban_core::purpose::Purpose;
use duban_core::rejection::{Blame, Refusal, Rejection};
use duban_core::role::{Actor, Role};
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use serde_json::{Value, json};

static CALENDAR: LazyLock<Calendar> = LazyLock::new(duban_shipped::calendar);
static SHELF: LazyLock<Shelf> = LazyLock::new(duban_shipped::shelf);
static NOBODY: BTreeSet<Name> = BTreeSet::new();

fn context(shelf: &Shelf) -> Context<'_> {
    Context { shelf, calendar: &CALENDAR, hotline_agencies: &NOBODY }
}

fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// The shipped `matter` with pieces of its text replaced, each of which must be there.
fn changed(pieces: &[(&str, &str)], shelf: &mut Shelf) -> Result<(), ShelfError> {
    changed_of("matter", pieces, shelf)
}

fn changed_of(
    workflow: &str,
    pieces: &[(&str, &str)],
    shelf: &mut Shelf,
) -> Result<(), ShelfError> {
    let library: Library = duban_shipped::library();
    let shipped = library.definitions.iter().find(|one| one.pin.name == workflow).expect("it");
    let mut text = shipped.text.clone();
    for (piece, instead) in pieces {
        assert!(text.contains(piece), "{piece}");
        text = text.replacen(piece, instead, 1);
    }
    let forms = shipped.forms.iter().map(|form| (form.name.clone(), Arc::clone(form))).collect();
    let definition = read_definition("changed.toml", &text, &forms, &library.texts);
    shelf.add(definition.expect("a sound definition"))
}

fn opening(class: &str, reviewed_at: Instant) -> Opening {
    Opening {
        ticket: TicketId::from_number(7),
        parent: None,
        class: class.into(),
        reviewed_at,
        district: None,
        rated: None,
        flags: Vec::new(),
        sealed: None,
        actor: Actor { subject: "intake".into(), role: Role::Intake, agency: None },
    }
}

fn opened(shelf: &Shelf, at: Instant) -> Instance {
    let decision = open(context(shelf), &opening("matter", at), Moment::now(at));
    decision.expect("opened").instance.into_owned()
}

fn act(action: &str, role: Role, form: Value) -> Act {
    let agency = role.is_bound_to_agency().then(|| Name::from("SZ013"));
    Act {
        action: action.into(),
        actor: Actor { subject: "officer".into(), role, agency },
        form,
        sealed: None,
        revision: None,
    }
}

fn done(instance: &Instance, act: Act, at: Instant) -> Result<Decision<'_>, Refusal> {
    decide(context(&SHELF), instance, &Command::Act(act), Moment::now(at))
}

const RECEIVED: &str = "2026-03-09T09:00:00+08:00";

#[test]
fn the_pin_decides_which_definition_rules() {
    let at = instant(RECEIVED);
    let mut ticket = opened(&SHELF, at);
    ticket.definition.hash = Digest::ZERO;
    let refusal = decide(context(&SHELF), &ticket, &Command::Advance, Moment::now(at));
    let rejection = refusal.expect_err("another text").rejection;
    assert!(matches!(rejection, Rejection::UnknownDefinition { version: 5, .. }), "{rejection}");
    assert_eq!(rejection.blame(), Blame::Definition);
}

#[test]
fn a_definition_for_a_newer_engine_is_not_run() {
    let at = instant(RECEIVED);
    let ticket = opened(&SHELF, at);
    let mut shelf = Shelf::new(duban_shipped::library().texts);
    let newer = [("engine_level = 1", "engine_level = 2")];
    changed(&newer, &mut shelf).expect("on the shelf");
    let refused = open(context(&shelf), &opening("matter", at), Moment::now(at));
    let rejection = refused.expect_err("too new");
    assert!(matches!(rejection, Rejection::EngineLevel { level: 2, .. }), "{rejection}");
    // A ticket that another node opened with it is left to that node.
    let mut foreign = ticket;
    foreign.definition = shelf.by_name("matter").expect("it").pin.clone();
    let refusal = decide(context(&shelf), &foreign, &Command::Advance, Moment::now(at));
    assert!(matches!(refusal.expect_err("too new").rejection, Rejection::EngineLevel { .. }));
}

#[test]
fn a_new_ticket_takes_the_newest_version_in_force_at_its_receipt() {
    let mut shelf = duban_shipped::shelf();
    let next = [("version = 5", "version = 6"), ("2000-01-01", "2026-03-10")];
    changed(&next, &mut shelf).expect("on the shelf");
    let version = |at: &str| opened(&shelf, instant(at)).definition.version;
    assert_eq!(version("2026-03-09T23:59:59.999+08:00"), 5);
    assert_eq!(version("2026-03-10T00:00:00+08:00"), 6);
    let back = [("version = 5", "version = 7"), ("2000-01-01", "2026-03-09")];
    let refused = changed(&back, &mut shelf).expect_err("before version 6");
    assert!(matches!(refused, ShelfError::Effective { version: 7, other: 6, .. }), "{refused}");
}

#[test]
fn an_old_notice_takes_nothing_back() {
    // Dispatched before the Spring Festival of 2020, which a notice of 27 January prolonged.
    let at = instant("2020-01-20T09:00:00+08:00");
    let ticket = opened(&SHELF, at);
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    let ticket = done(&ticket, dispatch, at).expect("dispatched").instance.into_owned();
    let recompute = |ticket: &Instance, known_on: &str, at: &str| {
        let command = Command::Recompute { known_on: day(known_on) };
        let moment = Moment::now(instant(at));
        decide(context(&SHELF), ticket, &command, moment).expect("decided").instance.into_owned()
    };
    let moved = recompute(&ticket, "2020-01-27", "2020-01-27T00:00:00+08:00");
    let due = |ticket: &Instance| {
        let run = ticket.current_run("completion").expect("a run");
        ticket.runs[run].due_at
    };
    assert!(due(&moved) > due(&ticket), "the notice gave time");
    for old in ["2019-11-21", "2018-12-06", "2020-01-27"] {
        let again = recompute(&moved, old, "2020-01-27T00:00:00+08:00");
        assert_eq!(again, moved, "the notice of {old} does nothing");
    }
}

#[test]
fn a_calendar_says_which_spans_a_publication_touches() {
    let touches = |published: &str, from: &str, to: &str| {
        CALENDAR.touches(day(published), day(from), day(to))
    };
    assert!(touches("2020-01-27", "2020-01-20", "2020-02-10"));
    assert!(!touches("2020-01-27", "2020-02-10", "2020-03-10"));
    // It makes sure what was assumed, even where no day changes.
    assert!(touches("2025-11-04", "2026-03-02", "2026-03-06"));
    assert!(!touches("2025-11-05", "2026-03-02", "2026-03-06"), "nothing came out that day");
}

#[test]
fn a_refusal_names_only_what_is_committed() {
    let at = instant(RECEIVED);
    let ticket = opened(&SHELF, at);
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    let ticket = done(&ticket, dispatch, at).expect("dispatched").instance.into_owned();
    let mut stale = act("sign", Role::Agency, json!({}));
    stale.revision = Some(1);
    // Much is due by then, none of it committed.
    let later = instant("2026-04-20T09:00:00+08:00");
    let refusal = done(&ticket, stale, later).expect_err("stale");
    let committed = ticket.revision;
    assert_eq!(refusal.rejection, Rejection::StaleRevision { expected: 1, committed });
    assert!(refusal.fired_until.is_some(), "whoever answers must know what it waits for");
}

#[test]
fn a_caller_that_did_not_seal_is_to_blame() {
    let at = instant(RECEIVED);
    let ticket = opened(&SHELF, at);
    let note = act("add_note", Role::Hotline, json!({ "note": "请尽快" }));
    let rejection = done(&ticket, note, at).expect_err("unsealed").rejection;
    assert_eq!((rejection.clone(), rejection.blame()), (Rejection::Unsealed, Blame::Caller));
}

/// A reason of nothing but blanks, wide ones included, is none.
#[test]
fn a_text_of_blanks_is_no_text() {
    let at = instant(RECEIVED);
    let ticket = opened(&SHELF, at);
    for blank in ["", " ", "\u{3000}\u{3000}", "\n\t"] {
        let refusal = done(&ticket, act("add_note", Role::Hotline, json!({ "note": blank })), at);
        let rejection = refusal.expect_err("blank").rejection;
        assert_eq!(rejection.to_string(), "表单有误：“备注”不能为空", "{blank:?}");
    }
}

/// What a form said is nowhere in a refusal, not even the name of a field that nobody knows.
#[test]
fn refusals_do_not_repeat_what_a_form_said() {
    let canary = "金丝雀13800138000";
    let at = instant(RECEIVED);
    let ticket = opened(&SHELF, at);
    let forms = [
        json!({ "agency": canary }),
        json!({ "agency": "SZ013", (canary): 1 }),
        json!({ "agency": [canary] }),
        json!({ "agency": "SZ013", "note": [canary] }),
        json!([canary]),
        json!(canary),
    ];
    for form in forms {
        let refusal = done(&ticket, act("dispatch", Role::Hotline, form), at).expect_err("a form");
        let said = format!("{refusal} {refusal:?}");
        assert!(matches!(refusal.rejection, Rejection::Form(_)), "{said}");
        assert!(!said.contains(canary), "{said}");
    }
}

#[test]
fn growth_has_limits() {
    let at = instant(RECEIVED);
    let limit = |ticket: &Instance, act: Act| {
        let rejection = done(ticket, act, at).expect_err("a limit").rejection;
        assert_eq!(rejection.blame(), Blame::Caller);
        match rejection {
            Rejection::Limit { what, most } => (what, most),
            other => panic!("{other}"),
        }
    };
    let mut ticket = opened(&SHELF, at);
    let urge = || act("urge", Role::Hotline, json!({}));
    ticket.seq = EVENTS_OF_ACTIONS_MAX;
    let most = usize::try_from(EVENTS_OF_ACTIONS_MAX).expect("a number");
    assert_eq!(limit(&ticket, urge()), ("历史记录", most));
    // Time goes on where people may not, up to its own limit.
    let later = Moment::now(instant("2026-03-11T00:00:00+08:00"));
    let by_time = |ticket: &Instance| {
        let decided = decide(context(&SHELF), ticket, &Command::Advance, later);
        decided.map(|decision| decision.events.len())
    };
    assert!(by_time(&ticket).expect("room for time") > 0);
    ticket.seq = EVENTS_MAX;
    let refusal = by_time(&ticket).expect_err("no room");
    assert!(matches!(refusal.rejection, Rejection::Limit { .. }), "{refusal}");
    assert_eq!(refusal.blame(), Blame::History, "nobody asked");
    // Nor is it the fault of whoever comes along then.
    let at_once = decide(context(&SHELF), &ticket, &Command::Act(urge()), later);
    assert_eq!(at_once.expect_err("no room").blame(), Blame::History);
    let mut ticket = opened(&SHELF, at);
    let long = "长".repeat(FORM_BYTES_MAX);
    let refusal = done(&ticket, act("add_note", Role::Hotline, json!({ "note": long })), at);
    assert!(matches!(refusal.expect_err("too long").rejection, Rejection::Form(_)));
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    ticket = done(&ticket, dispatch, at).expect("dispatched").instance.into_owned();
    let mark = duban_core::instance::TallyMark { agency: None, at };
    ticket.tallies.insert("contact_attempt".into(), vec![mark; MARKS_MAX]);
    let form = json!({ "outcome": "no_answer", "channel": "phone", "attempted_at": RECEIVED });
    assert_eq!(limit(&ticket, act("record_contact", Role::Agency, form)), ("计数", MARKS_MAX));
}

/// A ticket with the run of its dispatch many times over.
fn crowded(runs: usize) -> Instance {
    let mut ticket = opened(&SHELF, instant(RECEIVED));
    let index = ticket.current_run("dispatch").expect("a run");
    let run = ticket.runs[index].clone();
    let numbers = 2..=u16::try_from(runs).expect("a number of runs");
    ticket.runs.extend(numbers.map(|number| {
        let mut another = run.clone();
        another.run = number;
        another
    }));
    ticket
}

#[test]
fn runs_and_notes_have_limits() {
    let at = instant(RECEIVED);
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    let refusal = done(&crowded(RUNS_MAX), dispatch, at).expect_err("too many runs");
    assert_eq!(refusal.rejection, Rejection::Limit { what: "时限", most: RUNS_MAX });
    let mut ticket = opened(&SHELF, at);
    ticket.seq = EVENTS_OF_NOTES_MAX;
    let mut note = act("add_note", Role::Hotline, json!({ "note": "请尽快" }));
    note.sealed = Some(Sealed { reference: "sealed".into(), commitment: Digest::ZERO });
    let refusal = done(&ticket, note, at).expect_err("too many notes");
    assert!(matches!(refusal.rejection, Rejection::Limit { what: "备注和材料", .. }), "{refusal}");
}

/// What is due beyond one decision is done by the next, and no act goes before it.
#[test]
fn time_goes_on_where_one_decision_is_full() {
    let ticket = crowded(FIRINGS_MAX / 2);
    let later = Moment::now(instant("2026-04-20T09:00:00+08:00"));
    let urge = Command::Act(act("urge", Role::Hotline, json!({})));
    let refusal = decide(context(&SHELF), &ticket, &urge, later).expect_err("too much is due");
    assert_eq!(refusal.blame(), Blame::History);
    let first = decide(context(&SHELF), &ticket, &Command::Advance, later).expect("a part");
    assert_eq!(first.events.len(), FIRINGS_MAX);
    let rest =
        decide(context(&SHELF), &first.instance, &Command::Advance, later).expect("the rest");
    assert!((1..FIRINGS_MAX).contains(&rest.events.len()), "{}", rest.events.len());
    let instants = first.events.iter().chain(&rest.events).map(|event| event.at);
    assert!(instants.is_sorted(), "one order of time");
    let done = decide(context(&SHELF), &rest.instance, &Command::Advance, later).expect("nothing");
    assert!(done.events.is_empty());
}

/// A claim is kept as an instant: whatever more the text held is gone.
#[test]
fn a_claim_carries_an_instant_and_nothing_else() {
    let at = instant(RECEIVED);
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    let ticket = done(&opened(&SHELF, at), dispatch, at).expect("dispatched").instance.into_owned();
    let claimed = "2026-03-09T01:59:59.999138001380004403Z";
    let form = json!({ "outcome": "no_answer", "channel": "phone", "attempted_at": claimed });
    let later = instant("2026-03-09T10:00:00+08:00");
    let contact = act("record_contact", Role::Agency, form);
    let decision = done(&ticket, contact, later).expect("recorded");
    let stored: String = decision
        .events
        .iter()
        .map(|event| String::from_utf8(event.to_bytes()).expect("text"))
        .collect();
    assert!(stored.contains("\"2026-03-09T09:59:59.999+08:00\""), "{stored}");
    assert!(!stored.contains("13800138000"), "{stored}");
}

#[test]
fn an_opening_holds_codes_alone() {
    let at = instant(RECEIVED);
    let refused = |change: &dyn Fn(&mut Opening)| {
        let mut opening = opening("matter", at);
        change(&mut opening);
        let refusal = open(context(&SHELF), &opening, Moment::now(at)).expect_err("no code");
        let said = format!("{refusal} {refusal:?}");
        assert!(!said.contains("张三"), "{said}");
        refusal
    };
    let fields = [
        refused(&|opening| opening.district = Some("张三 13800138000".into())),
        refused(&|opening| opening.flags = vec!["张三".into()]),
        refused(&|opening| opening.flags = vec!["proven".into()]),
    ];
    for rejection in fields {
        assert!(matches!(rejection, Rejection::Form(_)), "{rejection}");
        assert_eq!(rejection.blame(), Blame::Caller);
    }
    let _ = refused(&|opening| opening.class = "张三".into());
}

/// Who stands in for the hotline is charged with its cards, and is no judge of them.
#[test]
fn nobody_judges_cards_of_his_own_party() {
    let at = instant(RECEIVED);
    let mut opening = opening("matter", at);
    opening.flags = vec!["hotline_self".into()];
    let ticket = open(context(&SHELF), &opening, Moment::now(at)).expect("opened");
    let later = instant("2026-03-31T09:00:00+08:00");
    let due = decide(context(&SHELF), &ticket.instance, &Command::Advance, Moment::now(later));
    let ticket = due.expect("due").instance.into_owned();
    let card = ticket.cards.iter().find(|card| card.agency.is_none()).expect("a card");
    let form = json!({ "card": card.id, "reason": "不可抗力" });
    let mut revoke = act("revoke_card", Role::Approver, form);
    let commitment = Digest::ZERO;
    revoke.sealed = Some(Sealed { reference: "sealed".into(), commitment });
    let refusal = done(&ticket, revoke, later).expect_err("his own");
    assert!(refusal.to_string().contains("不得审核发给本部门的黄牌"), "{refusal}");
}

/// The other class may have other rungs at the same length: those of the old one are gone.
#[test]
fn a_reclassified_ticket_has_the_rungs_of_its_new_class() {
    let mut shelf = Shelf::new(duban_shipped::library().texts);
    changed(&[], &mut shelf).expect("on the shelf");
    let rung = [(
        "{ at = \"+1wd\", notice = \"urge\", tell = [\"supervisor\"] },\n]\n\n# ---",
        "{ at = \"+2wd\", notice = \"urge\", tell = [\"supervisor\"] },\n]\n\n# ---",
    )];
    changed_of("staff", &rung, &mut shelf).expect("on the shelf");
    let at = instant(RECEIVED);
    let ticket = opened(&shelf, at);
    let mut other = act("reclassify", Role::Hotline, json!({ "class": "staff", "reason": "误分" }));
    other.sealed = Some(Sealed { reference: "sealed".into(), commitment: Digest::ZERO });
    let decision = decide(context(&shelf), &ticket, &Command::Act(other), Moment::now(at));
    let ticket = decision.expect("reclassified").instance.into_owned();
    let run = &ticket.runs[ticket.current_run("dispatch").expect("a run")];
    let waiting: Vec<String> = run.rungs.iter().map(|rung| rung.rung.to_string()).collect();
    assert_eq!(waiting, ["-1wd", "end", "+2wd"]);
}

/// A command may end up in a log.
#[test]
fn commands_do_not_show_their_forms() {
    let note = act("add_note", Role::Hotline, json!({ "note": "张三" }));
    let shown = format!("{:?}", Command::Act(note));
    assert!(shown.contains("add_note") && !shown.contains("张三"), "{shown}");
}

/// A publication that is not out yet says nothing.
#[test]
fn a_notice_counts_from_its_day() {
    let at = instant("2020-01-20T09:00:00+08:00");
    let ticket = opened(&SHELF, at);
    let dispatch = act("dispatch", Role::Hotline, json!({ "agency": "SZ013" }));
    let ticket = done(&ticket, dispatch, at).expect("dispatched").instance.into_owned();
    for known_on in ["2020-01-27", "2099-01-01"] {
        let command = Command::Recompute { known_on: day(known_on) };
        let decision = decide(context(&SHELF), &ticket, &command, Moment::now(at));
        assert!(decision.expect("decided").events.is_empty(), "{known_on}");
    }
}

#[test]
fn a_review_from_the_future_is_no_review() {
    let at = instant(RECEIVED);
    let refused = |ahead_ms: i64| {
        let opening = opening("matter", at.plus_ms(ahead_ms));
        open(context(&SHELF), &opening, Moment::now(at)).map(|decision| match decision.instance {
            Cow::Owned(instance) => instance.reviewed_at,
            Cow::Borrowed(_) => panic!("nobody had it"),
        })
    };
    assert_eq!(refused(5 * 60_000), Ok(at), "a little ahead is taken as now");
    let rejection = refused(5 * 60_000 + 1).expect_err("too far ahead");
    assert!(rejection.to_string().contains("/reviewed_at"), "{rejection}");
}

/// A look at the reviewer is recorded, and changes nothing.
#[test]
fn a_look_leaves_its_record_and_nothing_else() {
    let at = instant(RECEIVED);
    let ticket = dispatched(at);
    let look = |role, agency: Option<&str>| {
        let actor = Actor { subject: "one".into(), role, agency: agency.map(Name::from) };
        Command::Disclose(Disclose { actor, purpose: Purpose::Contact })
    };
    let look_at = |role, agency| {
        decide(context(&SHELF), &ticket, &look(role, agency), Moment::now(at.plus_ms(1)))
    };
    let shown = look_at(Role::Agency, Some("SZ013")).expect("its own");
    assert_eq!(shown.events.len(), 1);
    assert!(matches!(&shown.events[0].fact, Fact::Disclosed(one) if one.role == Role::Agency));
    let mut before = ticket.clone();
    (before.seq, before.at, before.recorded_at) = (ticket.seq + 1, at.plus_ms(1), at.plus_ms(1));
    assert_eq!(*shown.instance, before);
    look_at(Role::Hotline, None).expect("the hotline");
    for agency in [Some("SZ007"), None] {
        let refused = look_at(Role::Agency, agency).expect_err("foreign").rejection;
        assert_eq!(refused, Rejection::NotYours);
    }
    // Whoever came before something that is recorded as due is told so.
    let due = ticket.next_wake().expect("due");
    let fired = decide(context(&SHELF), &ticket, &Command::Advance, Moment::now(due));
    let fired = fired.expect("fired").instance.into_owned();
    let late = look(Role::Hotline, None);
    let refused = decide(context(&SHELF), &fired, &late, Moment::now(due.plus_ms(-1)));
    let refused = refused.expect_err("overtaken").rejection;
    assert!(matches!(refused, Rejection::Overtaken { .. }), "{refused}");
}

fn dispatched(at: Instant) -> Instance {
    let form = json!({"agency": "SZ013"});
    let dispatch = Command::Act(act("dispatch", Role::Hotline, form));
    let opened = opened(&SHELF, at);
    let decision = decide(context(&SHELF), &opened, &dispatch, Moment::now(at));
    decision.expect("dispatched").instance.into_owned()
}
