//! Fields as a browser shows them: names, help, what is wrong, what was typed before. Must never lose
//! what was typed.

use duban_core::time::Instant;
use maud::{Markup, html};

use super::read::Sent;
use super::{Field, Form, Kind};
use crate::console::part::when;
use crate::console::told::FieldTold;
use crate::console::words::Lang;

/// So many can be chosen from at a glance.
const AT_A_GLANCE: usize = 5;

/// What can be chosen that the schema does not know: value and title.
#[derive(Default)]
pub(in crate::console) struct Choices {
    pub(in crate::console) agencies: Vec<(String, String)>,
    /// The agency that is likeliest.
    pub(in crate::console) suggested: Option<String>,
    pub(in crate::console) cards: Vec<(String, String)>,
    pub(in crate::console) files: Vec<(String, String)>,
}

/// A form on its way to a page.
pub(in crate::console) struct Draw<'d> {
    pub(in crate::console) lang: Lang,
    pub(in crate::console) choices: &'d Choices,
    /// What was typed before, if anything.
    pub(in crate::console) sent: &'d Sent,
    /// What is wrong with it.
    pub(in crate::console) told: &'d [FieldTold],
    pub(in crate::console) now: Instant,
}

impl Draw<'_> {
    /// All fields of a form.
    pub(in crate::console) fn form(&self, form: &Form) -> Markup {
        html! { @for field in &form.fields { (self.field(field)) } }
    }

    fn field(&self, field: &Field) -> Markup {
        let id = id(&field.pointer);
        let is_grouped = matches!(&field.kind, Kind::Group(_) | Kind::Several(_) | Kind::Files)
            || matches!(&field.kind, Kind::Choice(all) if all.len() <= AT_A_GLANCE);
        html! {
            @if is_grouped {
                fieldset.field aria-describedby=[self.described(field)] {
                    legend { (self.title(field)) }
                    div { (self.control(field, &id)) (self.help(field)) }
                }
            } @else {
                div.field {
                    label for=(id) { (self.title(field)) }
                    div { (self.control(field, &id)) (self.help(field)) }
                }
            }
        }
    }

    fn title(&self, field: &Field) -> Markup {
        html! {
            (field.title)
            @if field.is_required { span.needed { (self.lang.of("（必填）", " (required)")) } }
        }
    }

    /// What helps, and what is wrong.
    fn help(&self, field: &Field) -> Markup {
        let id = id(&field.pointer);
        let wrong = self.told.iter().filter(|told| told.field == field.pointer);
        html! {
            @if let Some(help) = &field.description {
                // Digests are chosen, not written.
                @if !matches!(field.kind, Kind::Files) { small id={ (id) "-help" } { (help) } }
            }
            @for told in wrong { p.fault id={ (id) "-fault" } { (told.message) } }
        }
    }

    fn described(&self, field: &Field) -> Option<String> {
        let id = id(&field.pointer);
        let is_wrong = self.is_wrong(field);
        let has_help = field.description.is_some() && !matches!(field.kind, Kind::Files);
        let parts =
            [has_help.then(|| format!("{id}-help")), is_wrong.then(|| format!("{id}-fault"))];
        let all: Vec<String> = parts.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    fn is_wrong(&self, field: &Field) -> bool {
        self.told.iter().any(|told| told.field == field.pointer)
    }

    fn control(&self, field: &Field, id: &str) -> Markup {
        let name = field.pointer.as_str();
        let typed = self.sent.one(name);
        let (described, wrong) = (self.described(field), self.is_wrong(field).then_some("true"));
        let needed = field.needed.first();
        let (by, among) = (needed.map(|one| &one.by), needed.map(|one| one.among.join(" ")));
        let input = |kind: &str, value: &str| {
            html! {
                input id=(id) name=(name) type=(kind) value=(value) maxlength=[field.longest]
                    required[field.is_required] aria-invalid=[wrong] aria-describedby=[&described]
                    data-needed-by=[by] data-needed-for=[&among];
            }
        };
        let select = |all: &[(String, String)], chosen: &str| {
            html! {
                select id=(id) name=(name) required[field.is_required] aria-invalid=[wrong]
                    aria-describedby=[&described] data-needed-by=[by] data-needed-for=[&among] {
                    option value="" { (self.lang.of("请选择", "Choose")) }
                    @for (value, title) in all {
                        option value=(value) selected[value == chosen] { (title) }
                    }
                }
            }
        };
        match &field.kind {
            Kind::Group(fields) => html! { @for field in fields { (self.field(field)) } },
            Kind::Line => input("text", typed),
            Kind::Number => input("number", typed),
            Kind::Day => input("date", typed),
            Kind::Instant => {
                let now = when::field(self.now);
                let value = if self.sent.is_empty() && field.is_required { &now } else { typed };
                html! {
                    input id=(id) name=(name) type="datetime-local" value=(value)
                        required[field.is_required] aria-invalid=[wrong] aria-describedby=[&described];
                }
            }
            Kind::Flag => html! {
                input id=(id) name=(name) type="checkbox" value="true" checked[!typed.is_empty()];
            },
            Kind::Text => html! {
                textarea id=(id) name=(name) rows="3" maxlength=[field.longest]
                    required[field.is_required] aria-invalid=[wrong] aria-describedby=[&described]
                    data-needed-by=[by] data-needed-for=[&among] { (typed) }
            },
            Kind::Choice(all) if all.len() <= AT_A_GLANCE => self.radios(field, all, id),
            Kind::Choice(all) => select(all, typed),
            Kind::Several(all) => self.boxes(name, all),
            Kind::Agency => {
                // Whoever asks for a return is not told to suggest himself.
                let is_assigned = field.pointer == "/agency" && self.sent.is_empty();
                let suggested = self.choices.suggested.as_deref().filter(|_| is_assigned);
                select(&self.choices.agencies, suggested.unwrap_or(typed))
            }
            Kind::Card => select(&self.choices.cards, typed),
            Kind::Files => html! {
                (self.boxes(name, &self.choices.files))
                input id=(id) name=(name) type="file" multiple aria-label=(field.title);
                small { (self.lang.of("可勾选本工单已有的附件，也可上传新的，每个不超过 20 MB。", "Choose what is there, or add files of at most 20 MB.")) }
            },
        }
    }

    fn radios(&self, field: &Field, all: &[(String, String)], id: &str) -> Markup {
        let (name, typed) = (field.pointer.as_str(), self.sent.one(&field.pointer));
        let needed = field.needed.first();
        let (by, among) = (needed.map(|one| &one.by), needed.map(|one| one.among.join(" ")));
        html! {
            span.choices {
                @for (place, (value, title)) in all.iter().enumerate() {
                    label {
                        input id={ (id) "-" (place) } type="radio" name=(name) value=(value)
                            checked[value == typed] required[field.is_required]
                            data-needed-by=[by] data-needed-for=[&among];
                        span { (title) }
                    }
                }
            }
        }
    }

    fn boxes(&self, name: &str, all: &[(String, String)]) -> Markup {
        let is_chosen = |value: &str| self.sent.all(name).any(|one| one == value);
        html! {
            @for (value, title) in all {
                label.box {
                    input type="checkbox" name=(name) value=(value) checked[is_chosen(value)];
                    " " (title)
                }
            }
        }
    }
}

/// A name in the page that a pointer makes.
fn id(pointer: &str) -> String {
    format!("f{}", pointer.replace('/', "-"))
}
