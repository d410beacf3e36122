//! `/tickets/{number}/reviewer`: the reviewer unmasked, for a purpose that is recorded. Must never show
//! anything before that record is there.

use axum::Form;
use axum::extract::Path;
use axum::response::Response;
use duban_core::purpose::Purpose;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::path;
use crate::console::part::form;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// The look that is recorded.
const UNMASK: &str = "POST /v1/tickets/{ticket_no}/reviewer";

#[derive(Deserialize)]
pub(in crate::console) struct Look {
    #[serde(default)]
    seal: String,
    #[serde(default)]
    purpose: String,
}

/// Has no `Debug`: it must get into no log.
#[derive(Deserialize)]
struct Reviewer {
    name: Option<String>,
    phone: Option<String>,
    id_no: Option<String>,
    comment: Option<String>,
    receipt: Option<Receipt>,
}

#[derive(Deserialize)]
struct Receipt {
    seq: u64,
}

pub(in crate::console) async fn get(visit: Visit, Path(number): Path<String>) -> Response {
    if !visit.me.may(UNMASK) {
        return visit.page(&number, Err(Told::not_permitted(visit.lang)));
    }
    // A ticket that he may not see, or none, is told as the API tells it.
    let ticket = visit.ask.get::<Value>(&path(&number)).await;
    visit.page(&number, ticket.map(|_| ask(&visit, &number)))
}

pub(in crate::console) async fn post(
    visit: Visit,
    Path(number): Path<String>,
    Form(look): Form<Look>,
) -> Response {
    if !form::is_sealed(&visit, &look.seal) {
        return visit.foreign();
    }
    let asked = json!({"purpose": look.purpose});
    let address = format!("{}/reviewer", path(&number));
    let shown = visit.ask.post::<Reviewer>(&address, &asked).await;
    visit.page(&number, shown.map(|person| show(visit.lang, &number, &person)))
}

fn ask(visit: &Visit, number: &str) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel.narrow {
            header { h1 { (lang.of("查看评价人完整信息", "Show the reviewer unmasked")) } }
            p { (lang.of("每次查看都会记入工单历史，注明查看人和目的。", "Each look is recorded in the ticket's history, with who looked and why.")) }
            form method="post" action={ "/tickets/" (number) "/reviewer" } data-once {
                (form::seal(visit))
                fieldset.field {
                    legend { (lang.of("查看目的", "Purpose")) }
                    span.choices {
                        @for purpose in Purpose::ALL {
                            label {
                                input type="radio" name="purpose" value=(purpose.word()) required;
                                span { (title(lang, *purpose)) }
                            }
                        }
                    }
                }
                div.foot {
                    a href={ "/tickets/" (number) } { (lang.of("返回工单", "Back")) }
                    button.main { (lang.of("查看并记录", "Show and record")) }
                }
            }
        }
    }
}

fn show(lang: Lang, number: &str, person: &Reviewer) -> Markup {
    let row = |name: &str, value: &Option<String>| {
        html! { @if let Some(value) = value { dt { (name) } dd { (value) } } }
    };
    html! {
        section.panel.narrow {
            header { h1 { (lang.of("评价人完整信息", "The reviewer")) } }
            dl {
                (row(lang.of("姓名", "Name"), &person.name))
                (row(lang.of("电话", "Phone"), &person.phone))
                (row(lang.of("证件号码", "Identity number"), &person.id_no))
                (row(lang.of("评价内容", "Comment"), &person.comment))
            }
            div.foot {
                small {
                    @if let Some(receipt) = &person.receipt {
                        @match lang {
                            Lang::Chinese => { "本次查看已记为第 " (receipt.seq) " 号记录" }
                            Lang::English => { "This look is record " (receipt.seq) }
                        }
                    }
                }
                a.button href={ "/tickets/" (number) } { (lang.of("返回工单", "Back")) }
            }
        }
    }
}

fn title(lang: Lang, purpose: Purpose) -> &'static str {
    match (lang, purpose) {
        (Lang::Chinese, _) => purpose.title(),
        (Lang::English, Purpose::Contact) => "Contact",
        (Lang::English, Purpose::Verify) => "Verification",
        (Lang::English, Purpose::Callback) => "Callback",
        (Lang::English, Purpose::Complaint) => "Complaint",
        (Lang::English, Purpose::Audit) => "Audit",
    }
}
