//! A decision of a file, decided again. Must never look at anything but the file.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use duban_core::apply::{ApplyError, replay};
use duban_core::calendar::Calendar;
use duban_core::command::{Act, Command, Disclose, Moment, Opening};
use duban_core::decide::{Context, decide, open};
use duban_core::definition::{Form, Shelf, ShelfError, read_basis_texts, read_definition};
use duban_core::document::Faults;
use duban_core::event::Event;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::rejection::{Refusal, Rejection};
use duban_core::role::{Actor, Role};

use super::{Asked, DecisionFile, Expected, FORMAT};
use crate::catalog::calendars;

/// What deciding again came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// The same, byte for byte; so many events.
    Same(usize),
    /// The same refusal.
    SameRefusal(String),
    /// Something else: from which event on, and what is expected and found there.
    Differs {
        /// Counted from 1 within the decision.
        place: usize,
        /// What the file says; none where there should be nothing.
        expected: Option<String>,
        /// What was decided; none where there is nothing.
        found: Option<String>,
    },
}

/// Why a file cannot be decided again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Of another shape.
    #[error("不是 duban incident export 导出的文件（应为 {FORMAT}）")]
    Format,
    /// A definition, form, notice or legal text that cannot be read.
    #[error("文件所附的工作流、表单或日历有误：{0}")]
    Texts(#[from] Faults),
    /// Definitions that contradict one another.
    #[error("文件所附的工作流互相矛盾：{0}")]
    Shelf(#[from] ShelfError),
    /// The ticket's definition is not among those of the file, or was changed.
    #[error("文件没有附上工单所用的工作流 {0}，或其内容已被改动")]
    NoDefinition(String),
    /// An event that cannot be read or cannot follow.
    #[error("文件所附的历史有误，或被改动{}", in_chinese(.0))]
    History(String),
}

/// A reason, where it is one of our own: what the core says of events is for whoever mends programs.
fn in_chinese(reason: &str) -> String {
    if reason.is_ascii() { String::new() } else { format!("：{reason}") }
}

/// What a decision may look at, out of a file.
struct Known {
    shelf: Shelf,
    calendar: Calendar,
}

/// Decides again.
///
/// # Errors
/// The file cannot be read as what it should be.
pub fn decide_again(file: &DecisionFile) -> Result<Again, ReplayError> {
    if file.format != FORMAT {
        return Err(ReplayError::Format);
    }
    let known = Known { shelf: shelf(file)?, calendar: calendars::of_files(&file.calendar)? };
    let context = Context {
        shelf: &known.shelf,
        calendar: &known.calendar,
        hotline_agencies: &file.hotline_agencies,
    };
    let mut events = Vec::new();
    for text in &file.history {
        let event = Event::from_bytes(text.as_bytes());
        events.push(event.map_err(|error| ReplayError::History(error.to_string()))?);
    }
    let before = match events.as_slice() {
        [] => None,
        events => Some(replay(events).map_err(|error| ReplayError::History(error.to_string()))?),
    };
    if matches!(file.command, Asked::Open { .. }) != before.is_none() {
        return Err(ReplayError::History("受理之前没有记录，受理之后不再受理".to_owned()));
    }
    // What could not be decided may have been so for want of it.
    if let (Some(before), Expected::Events(_)) = (&before, &file.expected)
        && known.shelf.pinned(&before.definition).is_none()
    {
        return Err(ReplayError::NoDefinition(before.definition.name.to_string()));
    }
    Ok(compare(&file.expected, decided(context, before.as_ref(), file)))
}

fn shelf(file: &DecisionFile) -> Result<Shelf, ReplayError> {
    let mut texts = BTreeMap::new();
    for (name, text) in &file.basis {
        texts.extend(read_basis_texts(name, text)?);
    }
    let mut shelf = Shelf::new(texts);
    for one in &file.definitions {
        let name = format!("{}@{}", one.name, one.version);
        let mut forms = BTreeMap::new();
        for (form, text) in &one.forms {
            let form: Name = form.as_str().into();
            let read = Form::read(form.clone(), &name, text).map_err(Faults)?;
            forms.insert(form, Arc::new(read));
        }
        let definition = read_definition(&name, &one.text, &forms, shelf.texts())?;
        shelf.add(definition)?;
    }
    Ok(shelf)
}

/// The bytes of the events, or why there are none.
fn decided(
    context: Context<'_>,
    before: Option<&Instance>,
    file: &DecisionFile,
) -> Result<Vec<String>, Rejection> {
    let moment = Moment { at: file.arrived_at, recorded_at: file.recorded_at };
    let decided = match (&file.command, before) {
        (Asked::Open { subject, opened }, None) => {
            let opened = opened.as_ref().clone();
            let actor = Actor { subject: subject.clone(), role: Role::Intake, agency: None };
            let opening = Opening {
                ticket: opened.ticket,
                parent: opened.parent,
                class: opened.class,
                reviewed_at: opened.reviewed_at,
                district: opened.district,
                rated: opened.rated,
                flags: opened.flags,
                sealed: opened.sealed,
                actor,
            };
            guarded(|| open(context, &opening, moment).map(|one| one.events))
        }
        (asked, Some(before)) => {
            let command = command(context, before, asked)?;
            guarded(|| {
                let decided = decide(context, before, &command, moment);
                decided.map(|one| one.events).map_err(|Refusal { rejection, .. }| rejection)
            })
        }
        (_, None) => Err(Rejection::History(ApplyError::Beginning(0))),
    };
    let text = |event: Event| String::from_utf8_lossy(&event.to_bytes()).into_owned();
    decided.map(|events| events.into_iter().map(text).collect())
}

fn command(context: Context<'_>, before: &Instance, asked: &Asked) -> Result<Command, Rejection> {
    Ok(match asked.clone() {
        Asked::Act { subject, role, agency, action, form, sealed } => {
            let definition = context.definition(before)?;
            let known = definition.action(action.as_str());
            let known = known.and_then(|action| definition.form(action.form.as_str()));
            let unknown = || Rejection::UnknownAction { action: action.clone() };
            let form = known.ok_or_else(unknown)?.around(&form, sealed.is_some());
            let actor = Actor { subject, role, agency };
            Command::Act(Act { action, actor, form, sealed, revision: None })
        }
        Asked::Disclose { subject, role, agency, purpose } => {
            Command::Disclose(Disclose { actor: Actor { subject, role, agency }, purpose })
        }
        Asked::Recompute { known_on } => Command::Recompute { known_on },
        Asked::Advance => Command::Advance,
        Asked::Open { .. } => return Err(Rejection::History(ApplyError::Beginning(before.seq))),
    })
}

/// A fault of the program is what the engine makes of it: no decision.
fn guarded(
    decide: impl FnOnce() -> Result<Vec<Event>, Rejection>,
) -> Result<Vec<Event>, Rejection> {
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or(Err(Rejection::Fault))
}

fn compare(expected: &Expected, found: Result<Vec<String>, Rejection>) -> Again {
    match (expected, found) {
        (Expected::Rejected { code }, Err(rejection)) if rejection.code() == code => {
            Again::SameRefusal(rejection.to_string())
        }
        (Expected::Rejected { code }, found) => Again::Differs {
            place: 1,
            expected: Some(code.clone()),
            found: match found {
                Ok(events) => events.into_iter().next(),
                Err(rejection) => Some(rejection.code().to_owned()),
            },
        },
        (Expected::Events(events), Err(rejection)) => Again::Differs {
            place: 1,
            expected: events.first().cloned(),
            found: Some(rejection.code().to_owned()),
        },
        (Expected::Events(events), Ok(found)) => {
            let longest = events.len().max(found.len());
            let differs = (0..longest).find(|place| events.get(*place) != found.get(*place));
            differs.map_or(Again::Same(found.len()), |place| Again::Differs {
                place: place + 1,
                expected: events.get(place).cloned(),
                found: found.get(place).cloned(),
            })
        }
    }
}
