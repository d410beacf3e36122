//! What has become of each of many, or would. Must never tell of one that it was done where that is not
//! known.

use std::fmt::Write;

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::shape::ticket::Ticket;
use crate::console::told::{FieldTold, Told};
use crate::console::words::Lang;

#[derive(Deserialize)]
pub(super) struct Many {
    pub(super) done: usize,
    refused: usize,
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "ticket_no")]
    number: String,
    ticket: Option<Ticket>,
    problem: Option<Told>,
}

impl Many {
    /// Those of which it is not known, or that can be done as they were asked for: once more, under the
    /// same key.
    pub(super) fn passing(&self) -> usize {
        let problems = self.results.iter().filter_map(|one| one.problem.as_ref());
        problems.filter(|told| told.is_passing()).count()
    }

    /// What is wrong with fields, which is the same for all.
    pub(super) fn faults(&self) -> &[FieldTold] {
        let problems = self.results.iter().filter_map(|one| one.problem.as_ref());
        problems.map(|told| told.errors.as_slice()).find(|all| !all.is_empty()).unwrap_or_default()
    }

    /// In the words of whoever reads it.
    pub(super) fn plain(mut self, lang: Lang) -> Self {
        for one in &mut self.results {
            one.problem = one.problem.take().map(|told| told.plain(lang));
        }
        self
    }

    /// What the button says that does it, or does the rest; nothing where none is left.
    pub(super) fn next(&self, lang: Lang, title: &str, is_done: bool) -> Option<String> {
        if is_done {
            return (self.passing() > 0).then(|| lang.of("再次提交", "Send again").to_owned());
        }
        (self.done > 0).then(|| match lang {
            Lang::Chinese => format!("{title} {} 件", self.done),
            Lang::English => format!("{title} {}", self.done),
        })
    }

    /// How many of them, in a sentence.
    pub(super) fn summary(&self, lang: Lang, is_done: bool) -> Markup {
        let Self { done, refused, .. } = self;
        let mut says = String::new();
        // Writing to a string cannot fail.
        let _ = match (lang, is_done) {
            (Lang::Chinese, true) => write!(says, "已办理 {done} 件，未能办理 {refused} 件。"),
            (Lang::Chinese, false) => {
                write!(says, "预演：可以办理 {done} 件，不能办理 {refused} 件。尚未办理。")
            }
            (Lang::English, true) => write!(says, "{done} done, {refused} refused."),
            (Lang::English, false) => {
                write!(says, "Tried: {done} would be done, {refused} refused. Nothing is done yet.")
            }
        };
        let class = if is_done { "said done" } else { "said heed" };
        let left = if is_done { self.passing() } else { 0 };
        html! {
            p class=(class) role="status" { (says) }
            @if left > 0 { p.said.heed { (unsure(lang, left)) } }
        }
    }

    /// Each of them.
    pub(super) fn outcomes(&self, lang: Lang, is_done: bool) -> Markup {
        html! {
            section.panel {
                header { h2 { (lang.of("逐件结果", "One by one")) } }
                table { tbody {
                    @for one in &self.results {
                        tr {
                            th scope="row" { a href={ "/tickets/" (one.number) } { (one.number) } }
                            td { (one.ticket.as_ref().and_then(Ticket::whose).unwrap_or_default()) }
                            td {
                                @match &one.problem {
                                    Some(told) => {
                                        span.fault { "✗ " (told.detail) }
                                        @for fault in &told.errors { " " span.fault { (fault.message) } }
                                    }
                                    None if is_done => { "✓ " (lang.of("已办理", "done")) }
                                    None => { "✓ " (lang.of("可以办理", "would be done")) }
                                }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn unsure(lang: Lang, count: usize) -> String {
    match lang {
        Lang::Chinese => {
            format!("有 {count} 件还不知道是否办成；可以再次提交，已办成的不会再办。")
        }
        Lang::English => {
            format!("Of {count} it is not known; send it again: what was done is not done twice.")
        }
    }
}
