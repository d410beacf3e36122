//! What can be done on a ticket now: the one action that is expected first, the others beside it, each
//! with its form. Must never offer what the API does not.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::Page;
use super::past::written;
use crate::console::part::form::seal;
use crate::console::part::{party, when};
use crate::console::schema::{Choices, Draw, Form, Sent};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;
use crate::crypto;

/// What a form was drawn from goes with it: a second click is read as the first was, though the action
/// may be closed by then. The API judges what comes of it.
pub(super) const SCHEMA: &str = "schema";

/// The action by which an agency gives a ticket back, and says whose it is.
const RETURN: &str = "request_return";

/// Events that are told where it is not known which were seen.
const LAST: usize = 3;

/// An action that somebody may do now.
#[derive(Deserialize)]
pub(super) struct Action {
    #[serde(rename = "action")]
    pub(super) name: String,
    pub(super) title: String,
    expected: bool,
    schema: Value,
}

#[derive(Deserialize)]
struct Actions {
    actions: Vec<Action>,
}

impl Action {
    /// All of them; none where he may do nothing on tickets.
    pub(super) async fn all(visit: &Visit, path: &str) -> Result<Vec<Self>, Told> {
        if !visit.me.may("POST /v1/tickets/{ticket_no}/actions/{action}") {
            return Ok(Vec::new());
        }
        Ok(visit.ask.get::<Actions>(&format!("{path}/actions")).await?.actions)
    }

    fn form(&self) -> Form {
        Form::of(&self.schema)
    }
}

/// What somebody is about to do, or has tried.
#[derive(Default)]
pub(in crate::console) struct Attempt {
    pub(in crate::console) action: String,
    pub(in crate::console) sent: Sent,
    /// Why it was not done.
    pub(in crate::console) told: Option<Told>,
}

impl Attempt {
    pub(super) fn of(action: String) -> Self {
        Self { action, ..Self::default() }
    }

    /// Whether somebody else was faster.
    fn is_conflict(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.status == 412)
    }
}

/// What was typed, for whoever cannot send it any more.
pub(super) fn typed(lang: Lang, sent: &Sent) -> Markup {
    let form = Form::of(&serde_json::from_str(sent.one(SCHEMA)).unwrap_or_default());
    let typed = sent.typed(&form);
    html! {
        @if !typed.is_empty() {
            p { (lang.of("您填写的内容：", "What you typed:")) }
            @for (title, text) in typed {
                label { span { (title) } textarea readonly rows="3" { (text) } }
            }
        }
    }
}

impl Page<'_> {
    pub(super) fn deed(&self, attempt: &Attempt) -> Markup {
        let lang = self.visit.lang;
        let chosen = match attempt.action.as_str() {
            "" => self.actions.iter().find(|one| one.expected),
            name => self.actions.iter().find(|one| one.name == name),
        };
        html! {
            section.panel id="do" {
                header { h2 { @match chosen {
                    Some(action) => { (action.title) }
                    None => { (lang.of("办理", "Actions")) }
                } } }
                (self.refused(attempt))
                @if let Some(action) = chosen { (self.filled(action, attempt)) }
                @else if !attempt.action.is_empty() && attempt.told.is_none() {
                    p.said.heed { (lang.of("此刻不能办理这个动作。", "This can't be done now.")) }
                }
                @else if self.actions.is_empty() {
                    p.dim { (lang.of("此刻没有需要您办理的事项。", "Nothing for you to do now.")) }
                }
                (self.others(chosen))
            }
        }
    }

    /// Why it was not done, and what to do now; nothing that was typed is lost.
    fn refused(&self, attempt: &Attempt) -> Markup {
        let lang = self.visit.lang;
        let Some(told) = &attempt.told else { return html! {} };
        let seen: Option<u64> = attempt.sent.one("seen").parse().ok();
        let told_of = self.history.events.iter().filter(|event| event.text.is_some());
        // A button in a list does not say what was seen: then the last is told.
        let since: Vec<_> = match seen {
            Some(seen) => told_of.filter(|event| event.seq > seen).collect(),
            None => told_of.rev().take(LAST).collect(),
        };
        let is_open = self.actions.iter().any(|one| one.name == attempt.action);
        html! {
            div.said.wrong role="alert" id="refused" tabindex="-1" data-here={ "/tickets/" (self.ticket.number) } {
                p { b { (told.title(lang)) } "："
                    @if told.errors.is_empty() { (told.detail) }
                    @else { (lang.of("请按下面各处的提示改正，再提交一次。", "correct what is marked below, and send it again.")) }
                }
                @if attempt.is_conflict() && !since.is_empty() {
                    p {
                        @if seen.is_some() { (lang.of("您打开页面之后，工单有了以下变化：", "Since you opened this page:")) }
                        @else { (lang.of("工单最近的变化：", "What happened last:")) }
                    }
                    ul {
                        @for event in &since {
                            li {
                                @if let Some(at) = event.at { (when::minute(lang, at)) " " }
                                (self.rules.named(event.text.as_deref().unwrap_or_default()))
                            }
                        }
                    }
                }
                @if attempt.is_conflict() {
                    @if is_open {
                        p { (lang.of("您填写的内容还在下面，确认无误后可以再次提交。", "What you typed is still below; send it again if it still holds.")) }
                    }
                }
                @let fields: Vec<_> = told.errors.iter().filter(|one| one.field.is_empty()).collect();
                @for fault in fields { p { (fault.message) } }
            }
            @if !is_open && !attempt.action.is_empty() {
                p { (lang.of("这个动作现在不能办理。", "This can't be done any more.")) }
                (typed(lang, &attempt.sent))
            }
        }
    }

    fn filled(&self, action: &Action, attempt: &Attempt) -> Markup {
        let (lang, form) = (self.visit.lang, action.form());
        let nothing = Sent::default();
        let is_own = attempt.action == action.name;
        let choices = self.choices();
        let draw = Draw {
            lang,
            choices: &choices,
            sent: if is_own { &attempt.sent } else { &nothing },
            told: attempt.told.as_ref().filter(|_| is_own).map_or(&[], |told| &told.errors),
            now: self.visit.me.at,
        };
        let last = self.history.events.last().map_or(0, |event| event.seq);
        let again = is_own && attempt.is_conflict();
        // Whoever sends it once more means the same deed: what is not known to be done is not done twice.
        let is_other = attempt.told.as_ref().is_some_and(Told::is_repeated);
        let sent =
            Some(attempt.sent.one("key")).filter(|key| is_own && !is_other && !key.is_empty());
        let key = sent.map_or_else(|| crypto::identity().to_string(), str::to_owned);
        html! {
            form.deed method="post" action={ "/tickets/" (self.ticket.number) "?do=" (action.name) } enctype="multipart/form-data" data-once data-draft=(action.name) data-filled[is_own && !attempt.sent.is_empty()] {
                (seal(self.visit))
                p.said.heed data-restored hidden {
                    (lang.of("已恢复上次没有提交的内容。", "What you had typed and not sent is here again.")) " "
                    button type="reset" { (lang.of("清除", "Discard")) }
                }
                input type="hidden" name="action" value=(action.name);
                input type="hidden" name="revision" value=(self.ticket.revision);
                input type="hidden" name="seen" value=(last);
                input type="hidden" name=(SCHEMA) value=(action.schema);
                input type="hidden" name="key" value=(key);
                (self.suggestion(action))
                (self.other_side())
                (draw.form(&form))
                div.foot {
                    small { (form.description.as_deref().unwrap_or_default()) }
                    button.main {
                        @if again { (lang.of("仍要提交", "Send anyway")) } @else { (lang.of("提交", "Submit")) }
                        "：" (action.title)
                    }
                }
            }
        }
    }

    /// The other actions.
    fn others(&self, chosen: Option<&Action>) -> Markup {
        let is_other = |one: &&Action| chosen.is_none_or(|chosen| chosen.name != one.name);
        let others: Vec<&Action> = self.actions.iter().filter(is_other).collect();
        html! {
            @if !others.is_empty() {
                nav.others aria-label=(self.visit.lang.of("可办理的其他动作", "Other actions")) {
                    @for action in others {
                        a.button href={ "/tickets/" (self.ticket.number) "?do=" (action.name) "#do" } { (action.title) }
                    }
                }
            }
        }
    }

    fn choices(&self) -> Choices {
        let lang = self.visit.lang;
        let pair = |(value, title): (&str, &str)| (value.to_owned(), title.to_owned());
        let me = &self.visit.me;
        let cards = self.ticket.cards.iter().filter(|card| card.state != "revoked");
        // An agency has a say in its own.
        let cards = cards.filter(|card| !me.is_agency() || card.agency == me.agency).map(|card| {
            let title = self.ticket.deadlines.iter().find(|one| one.name == card.deadline);
            let title = title.map_or(card.deadline.as_str(), |one| &one.title);
            let (light, at) = (card.light().card(lang), when::minute(lang, card.fired_at));
            let whose = card.agency.as_deref().map(|code| self.rules.agency(code));
            let whose = whose.unwrap_or_else(|| party::title(lang, &card.party));
            (card.id.clone(), format!("{light} · {title} · {whose} · {at}"))
        });
        Choices {
            agencies: self.rules.register.agencies().map(pair).collect(),
            suggested: self.suggested().map(|(code, _)| code.to_owned()),
            cards: cards.collect(),
            files: self.files.iter().map(|file| file.choice(lang)).collect(),
        }
    }

    /// The agency that a dispatch is likely to go to, and why: what the last return said, else whom the
    /// review is about.
    fn suggested(&self) -> Option<(&str, &'static str)> {
        let lang = self.visit.lang;
        let mut events = self.history.events.iter().rev();
        let returned = events.find(|event| event.word("/action") == Some(RETURN));
        if let Some(code) = returned.and_then(|event| event.word("/form/suggested_agency")) {
            let why = lang.of("申请退单的单位建议", "suggested by the agency that returned it");
            return Some((code, why));
        }
        // Whoever has just given it back is not the likeliest.
        let gave_back = returned.and_then(|event| event.word("/agency"));
        let code = self.ticket.review.as_ref()?.agency.as_deref();
        let code = code.filter(|code| gave_back != Some(code))?;
        Some((code, lang.of("评价所指的单位", "the agency that the review is about")))
    }

    /// What the other side wrote last: who decides has both sides before him.
    fn other_side(&self) -> Markup {
        let lang = self.visit.lang;
        let own = &self.visit.me.role;
        let is_agency = |role: &str| role.starts_with("agency");
        let last = self.statements.iter().rev();
        let last = last.filter(|one| !one.fields.is_empty());
        let mut last = last.filter(|one| is_agency(&one.role) != is_agency(own));
        let Some(statement) = last.next() else { return html! {} };
        let event = self.history.events.iter().find(|event| event.seq == statement.seq);
        let text = event.and_then(|event| event.text.as_deref()).unwrap_or_default();
        html! {
            div.hint {
                small { (lang.of("对方最近的说明：", "The other side's last word: ")) (self.rules.named(text)) }
                (written(statement))
            }
        }
    }

    fn suggestion(&self, action: &Action) -> Markup {
        let lang = self.visit.lang;
        let assigns = action.schema.pointer("/properties/agency").is_some();
        html! {
            @if let Some((code, why)) = self.suggested().filter(|_| assigns) {
                p.hint {
                    @match lang {
                        Lang::Chinese => { "建议：" b { (self.rules.agency(code)) } "（" (why) "）" }
                        Lang::English => { "Suggested: " b { (self.rules.agency(code)) } " (" (why) ")" }
                    }
                }
            }
        }
    }
}
