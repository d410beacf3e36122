//! What a ticket is about, where it is and whose. Must never show more of a person than the API does.

use maud::{Markup, html};

use super::Page;
use super::deed::Attempt;
use crate::console::part::{class, flag, light, when};
use crate::console::words::Lang;

/// Done besides whatever the step is about.
const BESIDES: &[&str] = &["urge", "supervise", "add_note"];

impl Page<'_> {
    pub(super) fn head(&self, attempt: &Attempt) -> Markup {
        let (lang, ticket) = (self.visit.lang, &self.ticket);
        let review = ticket.review.as_ref();
        let matter = review.and_then(|review| review.matter.as_ref()?.name.as_deref());
        let title = match matter {
            Some(matter) => format!("{} · {matter}", class::title(lang, &ticket.class)),
            None => class::title(lang, &ticket.class).to_owned(),
        };
        html! {
            section.panel.head id="head" data-live=(ticket.number) {
                div {
                    small {
                        a href="/tickets" { (lang.of("工单", "Tickets")) } " / " span.copy { (ticket.number) }
                    }
                    h1 { (title) }
                    p.facts {
                        span.tag { (ticket.step_title) }
                        (light::light(lang, ticket.light()))
                        (flag::flags(lang, &ticket.flags))
                        (self.facts())
                    }
                    @if let Some(review) = review { (self.review(review)) }
                }
                @if !self.is_past { (self.besides(attempt)) }
            }
        }
    }

    fn facts(&self) -> Markup {
        let (lang, ticket) = (self.visit.lang, &self.ticket);
        html! {
            span { (lang.of("承办 ", "With "))
                @match (&ticket.agency, ticket.whose()) {
                    (Some(code), Some(name)) => { a href={ "/tickets?agency=" (code) "&status=open" } { (name) } }
                    _ => { (lang.of("尚未转办", "nobody yet")) }
                }
            }
            @if let Some(district) = &ticket.district { span { (self.rules.district(district)) } }
            @if let Some(person) = &ticket.reviewer {
                @let name = person.name.as_deref().unwrap_or(lang.of("（未留姓名）", "(no name)"));
                span { (name) " " (person.phone.as_deref().unwrap_or_default())
                    @if !self.is_past && self.visit.me.may("POST /v1/tickets/{ticket_no}/reviewer") {
                        " " a href={ "/tickets/" (ticket.number) "/reviewer" } { (lang.of("查看", "Show")) }
                    }
                }
            }
        }
    }

    fn review(&self, review: &crate::console::shape::ticket::Review) -> Markup {
        let lang = self.visit.lang;
        let level = match review.level.as_deref() {
            Some("dissatisfied") => lang.of("不满意", "Dissatisfied"),
            Some("very_dissatisfied") => lang.of("非常不满意", "Very dissatisfied"),
            Some(other) => other,
            None => "",
        };
        html! {
            p.dim {
                (level)
                @if let Some(at) = review.reviewed_at {
                    @match lang {
                        Lang::Chinese => { "，" (when::minute(lang, at)) " 评价" }
                        Lang::English => { ", rated " (when::minute(lang, at)) }
                    }
                }
                @if let Some(channel) = &review.channel { " · " (channel_title(lang, channel)) }
                @for tag in &review.tags { " " span.tag { (self.rules.tag(tag)) } }
            }
            @if let Some(comment) = &review.comment { blockquote { (comment) } }
        }
    }

    fn besides(&self, attempt: &Attempt) -> Markup {
        let open = self.actions.iter().filter(|one| BESIDES.contains(&one.name.as_str()));
        html! {
            nav.besides aria-label=(self.visit.lang.of("其他操作", "Also")) {
                @for action in open {
                    a.button href={ "/tickets/" (self.ticket.number) "?do=" (action.name) "#do" }
                        aria-current=[(attempt.action == action.name).then_some("true")] { (action.title) }
                }
            }
        }
    }
}

/// Where a review came in (第八条), in a word.
fn channel_title(lang: Lang, channel: &str) -> &str {
    match channel {
        "pc" => lang.of("网上办事大厅", "Website"),
        "hall_terminal" => lang.of("大厅自助终端", "Hall terminal"),
        "paper" => lang.of("纸质评价表", "On paper"),
        "hall_tablet" => lang.of("大厅评价器", "Hall tablet"),
        "mobile" => lang.of("移动端", "Mobile"),
        "phone" => lang.of("电话", "Phone"),
        "qr_code" => lang.of("二维码", "QR code"),
        "sms" => lang.of("短信", "SMS"),
        other => other,
    }
}
