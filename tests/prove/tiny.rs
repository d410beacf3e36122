//! Definitions of a few lines, each of which once led the prover astray: what it says of them is
//! known without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use duban_core::definition::{Form, Shelf, read_definition};
use duban_core::prove::{Course, Proof, prove};

/// Two steps on the way to the close, each with an obligation of its own; `work` has ten days.
const HEAD: &str = r#"
format = 1
name = "tiny"
title = "小"
version = 1
engine_level = 1
effective_from = 2000-01-01
classes = ["matter"]
starts_in = "work"
basis = ["article 3"]
outcomes = { valid = "rectified", unreasonable = "explained", mistaken = "mistaken", malicious = "malicious", without_finding = "rectified" }

[steps]
work = { title = "办", party = "hotline" }
one = { title = "一", party = "hotline" }
two = { title = "二", party = "hotline" }
closed = { title = "办结", status = "closed" }

[ladders.oversight]
title = "时限"
basis = ["local_rule D2"]
rungs = [{ at = "end", card = "yellow_card", notice = "urge", tell = ["supervisor"] }]
"#;

/// An obligation of the hotline.
fn owed(name: &str, within: &str, from: &str, met_by: &str, more: &str) -> String {
    format!(
        "[deadlines.{name}]\ntitle = \"{name}\"\nkind = \"obligation\"\nparty = \"hotline\"\nwithin = \"{within}\"\n\
         from = [\"{from}\"]\nmet_by = [{met_by}]\nladder = \"oversight\"\nbasis = [\"local_rule D5\"]\n{more}\n"
    )
}

/// A window of three days from the review.
const WINDOW: &str = "[deadlines.win]\ntitle = \"窗口\"\nkind = \"window\"\nparty = \"hotline\"\nwithin = \"3wd\"\n\
                      from = [\"review\"]\nbasis = [\"local_rule D5\"]\n";

/// Something that the hotline does in a step.
fn act(name: &str, step: &str, rules: &str) -> String {
    format!(
        "[actions.{name}]\ntitle = \"{name}\"\nby = [\"hotline\"]\nin = [\"{step}\"]\nform = \"add_note\"\n\
         basis = [\"local_rule D5\"]\n{rules}\n"
    )
}

fn events(names: &[&str]) -> String {
    let events: Vec<String> = names.iter().map(|name| format!("{name} = \"{name}\"")).collect();
    format!("[events]\n{}\n", events.join("\n"))
}

fn proof_with(forms: &[(&str, &str)], parts: &[&str]) -> Proof {
    let library = duban_shipped::library();
    let shipped = library.definitions.iter().flat_map(|one| &one.forms);
    let mut by_name: BTreeMap<_, _> =
        shipped.map(|form| (form.name.clone(), Arc::clone(form))).collect();
    for (name, text) in forms {
        let form = Form::read((*name).into(), name, text).expect("a form");
        by_name.insert((*name).into(), Arc::new(form));
    }
    let text = format!("{HEAD}\n{}", parts.join("\n"));
    let definition = read_definition("tiny.toml", &text, &by_name, &library.texts);
    let mut shelf = Shelf::new(library.texts);
    shelf.add(definition.unwrap_or_else(|faults| panic!("{faults}\n{text}"))).expect("alone");
    prove(&shelf, shelf.by_name("tiny").expect("it")).expect("small enough")
}

fn proof(parts: &[&str]) -> Proof {
    proof_with(&[], parts)
}

/// The course of a ticket with a name: shortest, longest, and what can be repeated.
fn course(proof: &Proof) -> (Option<i32>, Option<i32>, Vec<String>) {
    let (_, Course { shortest, longest, endless }) = &proof.courses[0];
    let days = |route: &Option<duban_core::prove::Route>| Some(route.as_ref()?.working_days);
    (days(shortest), days(longest), endless.iter().map(ToString::to_string).collect())
}

fn says(proof: &Proof, sentence: &str) -> bool {
    proof.faults.iter().any(|fault| fault.contains(sentence))
}

const NO_WAY: &str = "任何办理路径均不能办结";

/// The three steps one after the other; `guard` stands before the last.
fn in_line(guard: &str) -> Vec<String> {
    vec![
        events(&["done", "to2", "ended"]),
        owed("xx", "10wd", "review", "\"done\"", ""),
        owed("z1", "2wd", "step:one", "\"to2\"", ""),
        owed("z2", "2wd", "step:two", "\"ended\"", ""),
        act("do_it", "work", "raise = [\"done\"]\nnext = \"one\""),
        act("go2", "one", "raise = [\"to2\"]\nnext = \"two\""),
        act("finish", "two", &format!("{guard}\nraise = [\"ended\"]\nnext = \"closed\"")),
    ]
}

fn parts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn a_window_that_has_passed_closes_the_way() {
    for asks in ["deadline_running", "before_due"] {
        let mut all = in_line(&format!("guard = [{{ {asks} = \"win\", say = \"窗口已过\" }}]"));
        all.push(WINDOW.to_owned());
        let proof = proof(&parts(&all));
        assert!(says(&proof, NO_WAY), "{asks}: {:?}", proof.faults);
        assert_eq!(course(&proof), (Some(0), Some(3), Vec::new()), "{asks}");
    }
}

#[test]
fn a_window_is_waited_for() {
    let mut all = in_line("guard = [{ deadline_over = \"win\", say = \"窗口未过\" }]");
    all.push(WINDOW.to_owned());
    let proof = proof(&parts(&all));
    assert!(!says(&proof, NO_WAY), "{:?}", proof.faults);
    // The window's three days have passed on the fourth.
    assert_eq!(course(&proof), (Some(4), Some(14), Vec::new()));
}

/// What was met and may be owed again bounds nothing.
#[test]
fn a_round_within_what_is_met_has_no_end() {
    let proof = proof(&parts(&[
        events(&["done", "undone", "to1", "to2", "ended"]),
        owed("xx", "10wd", "review", "\"done\"", "unmet_by = [\"undone\"]"),
        owed("z1", "2wd", "step:one", "\"to2\", \"undone\"", ""),
        owed("z2", "2wd", "step:two", "\"to1\", \"ended\"", ""),
        act("do_it", "work", "raise = [\"done\"]\nnext = \"one\""),
        act("undo", "one", "raise = [\"undone\"]\nnext = \"work\""),
        act("go2", "one", "raise = [\"to2\"]\nnext = \"two\""),
        act("go1", "two", "raise = [\"to1\"]\nnext = \"one\""),
        act("finish", "two", "raise = [\"ended\"]\nnext = \"closed\""),
    ]));
    assert_eq!(proof.faults, [""; 0]);
    let (shortest, longest, endless) = course(&proof);
    assert_eq!((shortest, longest), (Some(0), None));
    assert!(endless.contains(&"go1".to_owned()) && endless.contains(&"go2".to_owned()));
}

/// An obligation that goes on behind the close bounds a course as any other.
#[test]
fn what_survives_the_close_is_owed_before_it() {
    for survives in ["", "survives_close = true"] {
        let mut all = in_line("");
        all[3] = owed("z2", "3wd", "done", "\"ended\"", survives);
        assert_eq!(course(&proof(&parts(&all))), (Some(0), Some(13), Vec::new()), "{survives}");
    }
}

#[test]
fn a_second_day_is_waited_for() {
    let mut all = in_line(
        "guard = [{ tally = \"tries\", count_at_least = 2, working_days = 2, half_days = 2, say = \"须试两次\" }]",
    );
    all.push("[tallies.tries]\ntitle = \"次数\"\n".to_owned());
    all.push(act("try_it", "two", "tally = [\"tries\"]"));
    let proof = proof(&parts(&all));
    assert!(!says(&proof, NO_WAY), "{:?}", proof.faults);
    assert_eq!(course(&proof), (Some(1), Some(14), Vec::new()));
}

/// More choices than can be tried are a fault, and none is left out in silence.
#[test]
fn choices_that_are_too_many_are_told() {
    let choices = |count: usize| {
        let words: Vec<String> = (0..count).map(|nr| format!("\"c{nr}\"")).collect();
        format!("{{ \"title\": \"选项\", \"type\": \"string\", \"enum\": [{}] }}", words.join(","))
    };
    let form = |count: usize| {
        format!(
            "{{ \"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"title\": \"选\", \"type\": \"object\", \
             \"additionalProperties\": false, \"required\": [\"a\", \"b\"], \"properties\": {{ \"a\": {}, \"b\": {} }} }}",
            choices(count),
            choices(count)
        )
    };
    // Only the last choice of the first field leads on.
    let finish = |count: usize| {
        format!(
            "[actions.finish]\ntitle = \"finish\"\nby = [\"hotline\"]\nin = [\"two\"]\nform = \"choose\"\n\
             basis = [\"local_rule D5\"]\n\
             [[actions.finish.case]]\nwhen = [{{ field = \"a\", is = [\"c{}\"] }}, {{ field = \"b\", is = [\"c0\"] }}]\n\
             raise = [\"ended\"]\nnext = \"closed\"\n[[actions.finish.case]]\nraise = [\"tried\"]\n",
            count - 1
        )
    };
    for (count, is_told) in [(20, false), (100, true)] {
        let mut all = in_line("");
        all[0] = events(&["done", "to2", "ended", "tried"]);
        all[6] = finish(count);
        let proof = proof_with(&[("choose", &form(count))], &parts(&all));
        assert_eq!(says(&proof, "表单选项的组合超过"), is_told, "{:?}", proof.faults);
        assert_eq!(says(&proof, NO_WAY), is_told, "{:?}", proof.faults);
    }
}

/// Before a dispatch an agency can do nothing, whether it is named first or last.
#[test]
fn whoever_may_is_found_whatever_the_order() {
    for by in ["\"agency\", \"hotline\"", "\"hotline\", \"agency\""] {
        let mut all = in_line("");
        all[4] = all[4].replace("by = [\"hotline\"]", &format!("by = [{by}]"));
        let proof = proof(&parts(&all));
        assert_eq!(proof.faults, [""; 0], "{by}");
        assert_eq!(course(&proof), (Some(0), Some(14), Vec::new()), "{by}");
    }
}
