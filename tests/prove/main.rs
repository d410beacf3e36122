//! The prover: the shipped workflows hold, and each kind of broken one is caught with a sentence
//! that a clerk understands.

mod tiny;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use duban_core::definition::{Shelf, read_definition};
use duban_core::prove::{Proof, Rounds, prove, prove_telling};

fn shipped(name: &str) -> Proof {
    let shelf = duban_shipped::shelf();
    let definition = shelf.by_name(name).expect("a shipped workflow");
    prove(&shelf, definition).expect("small enough")
}

/// The proof of `matter` with pieces of its text replaced, each of which must be there once.
fn broken(pieces: &[(&str, &str)]) -> Proof {
    walked(pieces, Rounds::LeftOut).0
}

/// The same, and how many situations were walked for it, those of courses included.
fn walked(pieces: &[(&str, &str)], rounds: Rounds) -> (Proof, usize) {
    let reading = duban_shipped::library();
    let matter = reading.definitions.iter().find(|one| one.pin.name == "matter").expect("matter");
    let mut text = matter.text.clone();
    for (piece, instead) in pieces {
        assert_eq!(text.matches(piece).count(), 1, "{piece}");
        text = text.replace(piece, instead);
    }
    let forms = matter.forms.iter().map(|form| (form.name.clone(), Arc::clone(form))).collect();
    let definition =
        read_definition("matter.toml", &text, &forms, &reading.texts).expect("no fault on loading");
    let mut shelf = Shelf::new(reading.texts);
    shelf.add(definition).expect("alone on its shelf");
    let definition = shelf.by_name("matter").expect("matter");
    let steps = AtomicUsize::new(0);
    let tell = |_| {
        steps.fetch_add(1, Ordering::Relaxed);
    };
    let proof = prove_telling(&shelf, definition, rounds, &tell).expect("small enough");
    (proof, steps.into_inner())
}

fn check(pieces: &[(&str, &str)], sentence: &str) {
    let proof = broken(pieces);
    assert!(
        proof.faults.iter().any(|fault| fault.contains(sentence)),
        "no “{sentence}” among {:#?}",
        proof.faults
    );
}

fn courses(proof: &Proof) -> Vec<(&str, Option<i32>, Option<i32>)> {
    let days =
        |route: &Option<duban_core::prove::Route>| route.as_ref().map(|one| one.working_days);
    let courses = proof.courses.iter();
    courses.map(|(kind, one)| (kind.as_str(), days(&one.shortest), days(&one.longest))).collect()
}

#[test]
fn matter_holds() {
    let proof = shipped("matter");
    assert_eq!(proof.faults, [""; 0]);
    assert!(proof.states > 1000 && proof.ways > proof.states, "{} {}", proof.states, proof.ways);
    // Three returns of 1+1+1, a ruling 1, completion 10 and its extension 10, approval 1, calls 4
    // with a review of 1 inside, rework 5, calls 4: less what runs side by side.
    let expected =
        [("实名", Some(0), Some(44)), ("匿名", Some(0), Some(32)), ("涉热线", Some(0), Some(44))];
    assert_eq!(courses(&proof), expected);
}

#[test]
fn staff_holds() {
    let proof = shipped("staff");
    assert_eq!(proof.faults, [""; 0]);
    // No extension: ten working days less than `matter`.
    let expected =
        [("实名", Some(0), Some(34)), ("匿名", Some(0), Some(22)), ("涉热线", Some(0), Some(34))];
    assert_eq!(courses(&proof), expected);
}

#[test]
fn a_step_without_a_way_out() {
    let pieces = [(
        r#"in = ["rectifying", "explaining", "reworking"]"#,
        r#"in = ["rectifying", "reworking"]"#,
    )];
    check(&pieces, "走到环节“解释说明”（explaining）时，任何办理路径均不能办结");
}

#[test]
fn a_step_that_nobody_is_held_to() {
    let pieces = [
        (r#"met_by = ["called_back"]"#, r#"met_by = ["called_back", "callback_unanswered"]"#),
        (
            r#"met_by = ["callback_sms_sent", "called_back"]"#,
            r#"met_by = ["callback_sms_sent", "callback_unanswered", "called_back"]"#,
        ),
    ];
    check(&pieces, "走到环节“待回访”（callback）时，没有任何办理时限在计");
}

#[test]
fn a_deadline_charged_to_somebody_who_can_do_nothing() {
    let from = "title = \"无效差评审批时限\"\nkind = \"obligation\"\nparty = \"approver\"";
    let to = "title = \"无效差评审批时限\"\nkind = \"obligation\"\nparty = \"system\"";
    check(&[(from, to)], "但责任方在此没有可办的动作");
    // The hotline can urge there, and call it a duplicate, but decides nothing.
    let to = from.replace("\"approver\"", "\"hotline\"");
    check(
        &[(from, &to)],
        "时限“无效差评审批时限”（由12345热线负责）在计，但责任方在此没有可办的动作",
    );
}

#[test]
fn a_deadline_that_can_never_be_met() {
    let from = "within = \"4wd\"\nfrom = [\"fed_back\"]";
    let to = "within = \"4wd\"\nfrom = [\"step:closed\"]";
    check(&[(from, to)], "时限“人工回访时限”（callback_call）起算后始终不能按期完成");
}

#[test]
fn transitions_that_go_in_circles() {
    let auto = |step: &str, next: &str| {
        format!("{step}\nauto = [{{ when = [{{ flag = \"anonymous\" }}], next = \"{next}\" }}]")
    };
    let (reworking, fed_back) =
        ("title = \"重办\"\nparty = \"agency\"", "title = \"已反馈待审核\"\nparty = \"hotline\"");
    let pieces =
        [(reworking, &*auto(reworking, "fed_back")), (fed_back, &*auto(fed_back, "reworking"))];
    check(&pieces, "绕成了圈");
}

#[test]
fn an_action_that_is_never_possible() {
    let pieces = [(
        r#"guard = [{ deadline_over = "followup_window""#,
        r#"guard = [{ deadline_unstarted = "followup_window""#,
    )];
    check(&pieces, "动作“归档”（archive）始终不能办理");
}

const COMPLETION: &str = "within = \"10wd\"\nfrom = [\"delivered\"]\nmet_by = [\"fed_back\", \
                          \"invalid_finding_submitted\"]";

#[test]
fn long_periods_take_no_longer_to_prove() {
    let (_, short) = walked(&[(COMPLETION, &COMPLETION.replace("10wd", "50wd"))], Rounds::LeftOut);
    let (proof, long) =
        walked(&[(COMPLETION, &COMPLETION.replace("10wd", "250wd"))], Rounds::LeftOut);
    assert!(long <= short, "{short} situations have become {long}");
    let expected = [
        ("实名", Some(0), Some(284)),
        ("匿名", Some(0), Some(272)),
        ("涉热线", Some(0), Some(284)),
    ];
    assert_eq!(courses(&proof), expected);
}

/// Where nobody may stay at any step for long, a course is longest by going round and round.
#[test]
fn rounds_by_which_a_course_is_longer_are_walked() {
    let rework = "within = \"5wd\"\nfrom = [\"step:reworking\"]\nmet_by = [\"fed_back\"]";
    let restless = "within = \"2wd\"\nfrom = [\"step:contacting\", \"step:verifying\", \
                    \"step:rectifying\", \"step:explaining\", \"step:reworking\", \
                    \"step:invalid_review\"]\nmet_by = [\"contacted\", \"unreachable\", \
                    \"concluded\", \"fed_back\", \"invalid_finding_submitted\", \
                    \"finding_rejected\"]";
    let proof = broken(&[(rework, restless), (COMPLETION, &COMPLETION.replace("10wd", "30wd"))]);
    let expected =
        [("实名", Some(0), Some(61)), ("匿名", Some(0), Some(52)), ("涉热线", Some(0), Some(61))];
    assert_eq!(courses(&proof), expected);
}

/// What is found without rounds is what is found with them, and sooner.
#[test]
fn courses_are_the_same_with_rounds_and_without() {
    let rework = "within = \"5wd\"\nfrom = [\"step:reworking\"]";
    let callback = "within = \"4wd\"\nfrom = [\"fed_back\"]";
    for (completion, reworking, called) in [("20wd", "3wd", "4wd"), ("3wd", "1wd", "2wd")] {
        let pieces = [
            (COMPLETION, COMPLETION.replace("10wd", completion)),
            (rework, rework.replace("5wd", reworking)),
            (callback, callback.replace("4wd", called)),
        ];
        let pieces: Vec<(&str, &str)> = pieces.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let (without, fewer) = walked(&pieces, Rounds::LeftOut);
        let (with, more) = walked(&pieces, Rounds::Walked);
        assert_eq!(courses(&without), courses(&with), "{completion}");
        assert!(fewer < more, "{completion}: {fewer} situations, {more} with rounds");
    }
}
