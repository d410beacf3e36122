//! A contact attempt logged in two clicks, as it happens: by telephone, now. Must never log one that was
//! not clicked.

use axum::Form;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::ask::segment;
use crate::console::page::ticket::act::refused;
use crate::console::page::ticket::deed::Attempt;
use crate::console::part::form::{is_sealed, seal};
use crate::console::part::when;
use crate::console::schema::Sent;
use crate::console::shape::ticket::Ticket;
use crate::console::visit::Visit;
use crate::crypto;

/// The action that logs one.
pub(super) const ACTION: &str = "record_contact";

/// How a call can end.
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("reached", "已联系上", "Reached"),
    ("no_answer", "未接通", "No answer"),
    ("wrong_number", "号码有误", "Wrong number"),
    ("refused", "拒绝沟通", "Refused"),
];

#[derive(Deserialize)]
pub(in crate::console) struct Called {
    #[serde(default)]
    seal: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    revision: String,
    #[serde(default)]
    key: String,
}

/// `POST /tickets/{number}/contact`.
pub(in crate::console) async fn post(
    visit: Visit,
    Path(number): Path<String>,
    Form(called): Form<Called>,
) -> Response {
    if !is_sealed(&visit, &called.seal) {
        return visit.foreign();
    }
    let form = json!({"outcome": called.outcome, "channel": "phone", "attempted_at": visit.me.at});
    // Another outcome is another call; the form on the ticket's page goes on with the same one.
    let key = format!("{}-{}", called.key, called.outcome);
    let headers =
        [("if-match", format!("\"{}\"", called.revision)), ("idempotency-key", key.clone())];
    let path = format!("/v1/tickets/{}/actions/{ACTION}", segment(&number));
    match visit.ask.post_with::<Value>(&path, &headers, &form).await {
        // The whole form stands on the ticket's page, and what has become of it meanwhile.
        Err(told) if !told.is_repeated() => {
            let at = when::field(visit.me.at);
            let sent = Sent::of(&[
                ("/outcome", &called.outcome),
                ("/channel", "phone"),
                ("/attempted_at", &at),
                ("key", &key),
            ]);
            let attempt = Attempt { action: ACTION.to_owned(), sent, told: Some(told) };
            refused(&visit, &number, attempt).await
        }
        // A second click, a moment later, is the same call.
        _ => Redirect::to(&format!("/desk?done={}", segment(&number))).into_response(),
    }
}

/// First click opens it, second click logs it.
pub(super) fn form(visit: &Visit, ticket: &Ticket) -> Markup {
    let lang = visit.lang;
    html! {
        details.quick {
            summary.button.main { (lang.of("登记联系", "Log a contact")) }
            form method="post" action={ "/tickets/" (ticket.number) "/contact" } data-once {
                (seal(visit))
                input type="hidden" name="revision" value=(ticket.revision);
                input type="hidden" name="key" value=(crypto::identity());
                small { (lang.of("刚才的电话：", "The call just made:")) }
                @for (value, chinese, english) in OUTCOMES {
                    button name="outcome" value=(value) { (lang.of(chinese, english)) }
                }
                a href={ "/tickets/" (ticket.number) "?do=" (ACTION) "#do" } { (lang.of("其他方式…", "Otherwise…")) }
            }
        }
    }
}
