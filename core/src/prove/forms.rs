//! Filled-in forms for exploring: one for each combination of the choices that a definition looks
//! at. Must never decide whether a form is valid: the form itself does.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::situation::last_former;

use crate::calendar::Calendar;
use crate::definition::{Action, Form, Predicate};
use crate::instance::Instance;
use crate::name::Name;
use crate::time::Instant;

/// The most forms that the choices of one action may make.
const FORMS_MAX: usize = 4_096;

/// An action whose choices make more forms than can be tried.
pub(super) struct TooMany;

impl TooMany {
    /// What to do about it.
    pub(super) fn said() -> String {
        format!("表单选项的组合超过 {FORMS_MAX} 种，不能逐一验证；请减少工作流所依据的选项")
    }
}

/// Everything that a form's values may depend on.
#[derive(Clone, Copy)]
pub(super) struct Filling<'f> {
    pub(super) calendar: &'f Calendar,
    pub(super) instance: &'f Instance,
    pub(super) at: Instant,
    /// Whether the ticket may go back to the agency that had it before.
    pub(super) former: bool,
}

/// For each action, which of its forms are worth trying: of those that are valid and that no
/// predicate can tell apart, one. Whether a form is valid depends on its choices alone, so this is
/// found out once.
#[derive(Default)]
pub(super) struct Tried(RefCell<BTreeMap<Name, Vec<usize>>>);

impl Tried {
    pub(super) fn forms(
        &self,
        filling: &Filling<'_>,
        action: &Action,
        form: &Form,
    ) -> Result<Vec<Value>, TooMany> {
        let forms = filling.forms(action, form)?;
        // Agencies and granted days change from state to state.
        if action.assign.is_some() || !action.checks.is_empty() {
            return Ok(forms);
        }
        let mut tried = self.0.borrow_mut();
        let worth = tried.entry(action.name.clone()).or_insert_with(|| {
            let mut told = BTreeSet::new();
            let valid =
                forms.iter().enumerate().filter(|(_, one)| form.check(one, filling.at).is_ok());
            let fresh = valid.filter(|(_, one)| told.insert(signature(action, one)));
            fresh.map(|(index, _)| index).collect()
        });
        Ok(worth.iter().filter_map(|index| forms.get(*index).cloned()).collect())
    }
}

/// What the predicates of an action, and its finding, make of a form.
fn signature(action: &Action, filled: &Value) -> (Vec<bool>, Option<String>) {
    let guards = action.guards.iter().map(|guard| &guard.predicate);
    let asked = guards.chain(action.cases.iter().flat_map(|case| &case.when));
    let holds = asked.filter_map(|predicate| match predicate {
        Predicate::Field { field, is } => {
            let one_of = |value: &Value| is.iter().any(|one| value.as_str() == Some(one.as_str()));
            Some(match filled.get(field.as_str()) {
                Some(Value::Array(items)) => items.iter().any(one_of),
                value => value.is_some_and(one_of),
            })
        }
        _ => None,
    });
    let finding = action.finding.as_ref().and_then(|field| filled.get(field.as_str()));
    (holds.collect(), finding.and_then(Value::as_str).map(str::to_owned))
}

impl Filling<'_> {
    /// Every form that the choices of an action make.
    fn forms(&self, action: &Action, form: &Form) -> Result<Vec<Value>, TooMany> {
        let mut forms = vec![Map::new()];
        let properties = form.schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let values = self.values(action, name, schema);
            let grown = forms.iter().flat_map(|filled| {
                values.iter().map(|value| {
                    let mut filled = filled.clone();
                    if let Some(value) = value {
                        filled.insert(name.clone(), value.clone());
                    }
                    filled
                })
            });
            forms = grown.take(FORMS_MAX + 1).collect();
            if forms.len() > FORMS_MAX {
                return Err(TooMany);
            }
        }
        Ok(forms.into_iter().map(Value::Object).collect())
    }

    fn values(&self, action: &Action, name: &str, schema: &Value) -> Vec<Option<Value>> {
        if action.assign.as_ref().is_some_and(|field| *field == *name) {
            return self.agencies().into_iter().map(|agency| Some(Value::from(agency))).collect();
        }
        if let Some(check) = action.checks.iter().find(|check| check.field == *name) {
            let last = self.instance.current_run(check.after.as_str());
            let last = last.map(|index| self.instance.runs[index].due_day);
            let edition = self.calendar.latest();
            let day = last.and_then(|last| edition.add_working_days(last, check.most));
            return vec![day.map(|day| json!(day))];
        }
        if matters(action, name)
            && let Some(choices) = schema.get("enum").and_then(Value::as_array)
        {
            return choices.iter().cloned().map(Some).collect();
        }
        if matters(action, name)
            && let Some(choices) =
                schema.get("items").and_then(|items| items.get("enum")?.as_array())
        {
            let each = choices.iter().map(|one| Some(json!([one])));
            return each.chain([Some(json!(choices))]).collect();
        }
        vec![self.sample(schema)]
    }

    /// Agencies to dispatch to: the last that had the ticket, and one that had not.
    fn agencies(&self) -> Vec<String> {
        let had: BTreeSet<&Name> =
            self.instance.runs.iter().filter_map(|run| run.agency.as_ref()).collect();
        let fresh = format!("AG{}", had.len() + 1);
        let former = last_former(self.instance).filter(|_| self.former);
        former.map(ToString::to_string).into_iter().chain([fresh]).collect()
    }

    fn sample(&self, schema: &Value) -> Option<Value> {
        let word = |key: &str| schema.get(key).and_then(Value::as_str);
        if let Some(first) = schema.get("enum").and_then(|choices| choices.get(0)) {
            return Some(first.clone());
        }
        if let Some(only) = schema.get("const") {
            return Some(only.clone());
        }
        Some(match (word("type")?, word("format")) {
            ("string", Some("date-time")) => json!(self.at),
            ("string", Some("date")) => json!(self.calendar.zone().day_of(self.at)),
            ("string", _) => Value::from(sample_text(schema)),
            ("integer" | "number", _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
            ("boolean", _) => Value::Bool(true),
            ("array", _) => json!([self.sample(schema.get("items")?)?]),
            ("object", _) => {
                let properties = schema.get("properties").and_then(Value::as_object)?;
                let fill = |(name, schema): (&String, &Value)| {
                    self.sample(schema).map(|value| (name.clone(), value))
                };
                Value::Object(properties.iter().filter_map(fill).collect())
            }
            _ => return None,
        })
    }
}

/// The example that the form itself gives, else anything.
fn sample_text(schema: &Value) -> &str {
    let example = schema.get("examples").and_then(|examples| examples.get(0));
    example.and_then(Value::as_str).unwrap_or("x")
}

/// Whether the definition looks at a field: in a case, a guard, as finding or class.
fn matters(action: &Action, name: &str) -> bool {
    let asks = |predicate: &Predicate| matches!(predicate, Predicate::Field { field, .. } if *field == *name);
    let by_cases = action.cases.iter().flat_map(|case| &case.when).any(asks);
    let by_guards = action.guards.iter().any(|guard| asks(&guard.predicate));
    let named = |field: &Option<Name>| field.as_ref().is_some_and(|field| *field == *name);
    by_cases || by_guards || named(&action.finding)
}
