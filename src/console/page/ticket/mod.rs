//! `/tickets/{number}`: everything about one ticket on one page: where it is and whose, what is due and
//! what happens if nobody acts, its life on the calendar, what happened, and what can be done. Must
//! never show as now what was asked for as of then.

pub(in crate::console) mod act;
mod clocks;
pub(in crate::console) mod deed;
pub(in crate::console) mod files;
mod head;
mod past;
pub(in crate::console) mod reviewer;
pub(in crate::console) mod why;

use axum::extract::Path;
use axum::response::Response;
use duban_core::time::{Day, Instant};
use maud::{Markup, html};

use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::when;
use crate::console::shape::days::Days;
use crate::console::shape::history::{Forecast, History, Statement};
use crate::console::shape::rules::Rules;
use crate::console::shape::ticket::Ticket;
use crate::console::timeline::{Life, Timeline, draw};
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;
use deed::{Action, Attempt};
use files::Attachment;

/// Pages of a history that are read for one page: as long as one can grow.
const PAGES_MAX: usize = 20;

/// What a ticket's page is made of.
struct Page<'v> {
    visit: &'v Visit,
    ticket: Ticket,
    history: History,
    statements: Vec<Statement>,
    rules: Rules,
    days: Days,
    forecast: Forecast,
    timeline: Timeline,
    actions: Vec<Action>,
    files: Vec<Attachment>,
    /// The instant as of which all of this is.
    at: Instant,
    is_past: bool,
}

pub(in crate::console) async fn get(
    visit: Visit,
    Path(number): Path<String>,
    asked: Asked,
) -> Response {
    let body = async {
        asked.only(visit.lang, &["as_of", "do", "done"])?;
        let page = Page::of(&visit, &number, asked.one("as_of")).await?;
        let done = asked.one("done").parse().ok();
        Ok(page.show(&Attempt::of(asked.one("do").to_owned()), done))
    };
    visit.page(&number, body.await)
}

/// A number as a part of a path of the API.
fn path(number: &str) -> String {
    format!("/v1/tickets/{}", segment(number))
}

/// What an address asks for that is as of an instant.
fn as_of_words(at: Instant) -> String {
    format!("?as_of={}", segment(&at.to_string()))
}

impl<'v> Page<'v> {
    async fn of(visit: &'v Visit, number: &str, as_of: &str) -> Result<Self, Told> {
        let (path, ask) = (path(number), &visit.ask);
        let (is_past, now) = (!as_of.is_empty(), visit.me.at);
        // The minute that is under way is no past yet.
        let at = if is_past { minute(visit.lang, as_of)?.min(now) } else { now };
        let then = if is_past { as_of_words(at) } else { String::new() };
        let ticket: Ticket = ask.get(&format!("{path}{then}")).await?;
        let (history, statements, rules) = tokio::join!(
            past::history(visit, &path),
            past::statements(visit, &path),
            Rules::of(ask)
        );
        let (mut history, statements, rules) = (history?, statements?, rules?);
        let (mut forecast, mut actions) = (Forecast { coming: Vec::new() }, Vec::new());
        if is_past {
            history.events.retain(|event| event.at.is_some_and(|own| own <= at));
        } else {
            let coming = format!("{path}/forecast");
            let coming = ask.get::<Forecast>(&coming);
            let (coming, open) = tokio::join!(coming, Action::all(visit, &path));
            (forecast, actions) = (coming?, open?);
        }
        let mut files = Attachment::all(visit, &path).await?;
        files.retain(|file| file.uploaded_at <= at);
        let life = Life {
            lang: visit.lang,
            ticket: &ticket,
            events: &history.events,
            coming: &forecast.coming,
            rules: &rules,
            now: at,
        };
        let timeline = Timeline::of(&life);
        let days = Days::between(ask, timeline.from, timeline.to).await?;
        Ok(Self {
            visit,
            ticket,
            history,
            statements,
            rules,
            days,
            forecast,
            timeline,
            actions,
            files,
            at,
            is_past,
        })
    }

    /// How addresses go on that tell more of the same instant; nothing of now.
    fn then(&self) -> String {
        if self.is_past { as_of_words(self.at) } else { String::new() }
    }

    fn show(&self, attempt: &Attempt, done: Option<u64>) -> Markup {
        let lang = self.visit.lang;
        html! {
            (self.said(done))
            (self.head(attempt))
            (self.clocks())
            section.panel id="timeline" data-live=(self.ticket.number) {
                header {
                    h2 { (lang.of("时间轴", "Timeline")) }
                    small.keys {
                        i.key.off {} (lang.of("休息日", "day off")) " "
                        i.key.makeup {} (lang.of("调休上班", "make-up day")) " "
                        i.key.coming {} (lang.of("若无人办理", "if nobody acts"))
                    }
                }
                div.scroll tabindex="0" role="region" aria-label=(lang.of("时间轴", "Timeline")) {
                    (draw(lang, &self.timeline, &self.days))
                }
            }
            div.columns {
                (self.past())
                div.stack {
                    @if !self.is_past { (self.deed(attempt)) }
                    (self.attachments())
                }
            }
        }
    }

    /// What is to be known before anything else.
    fn said(&self, done: Option<u64>) -> Markup {
        let lang = self.visit.lang;
        html! {
            @if self.is_past {
                section.panel.said.heed role="status" {
                    (lang.of("以下为 ", "This is how it stood at ")) b { (when::moment(lang, self.at)) }
                    (lang.of(" 时的状态。", ". "))
                    a href={ "/tickets/" (self.ticket.number) } { (lang.of("回到现在", "Back to now")) }
                }
            }
            @if let Some((seq, event)) = done.and_then(|seq| Some((seq, self.history.events.iter().find(|event| event.seq == seq)?))) {
                section.panel.said.done role="status" data-did=[event.word("/action")] {
                    @match lang {
                        Lang::Chinese => { "已登记，记为第 " (seq) " 号记录。" }
                        Lang::English => { "Done; it is record " (seq) "." }
                    }
                }
            }
            @if self.ticket.incident {
                section.panel.said.wrong role="status" {
                    (lang.of("本工单处理异常，到期事项暂停，运维人员已可见。", "An incident holds this ticket; operators know."))
                }
            }
            @if !self.is_past && !self.ticket.settled {
                section.panel.said.heed role="status" {
                    (lang.of("有到期事项正在记录，请稍后刷新。", "Something that is due is being recorded; reload in a moment."))
                }
            }
        }
    }
}

/// A minute of the calendars' zone as a browser writes it.
fn minute(lang: Lang, text: &str) -> Result<Instant, Told> {
    let wrong = || Told::unknown_filter(lang);
    let (day, time) = text.split_once('T').ok_or_else(wrong)?;
    let day: Day = day.parse().map_err(|_| wrong())?;
    let (hours, minutes) = time.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, below: i64| {
        let number: Option<i64> = text.parse().ok();
        number.filter(|number| (0..below).contains(number)).ok_or_else(wrong)
    };
    let (hours, minutes) = (number(hours, 24)?, number(minutes.get(..2).unwrap_or(minutes), 60)?);
    // The whole minute.
    Ok(when::start_of(day).plus_ms((hours * 60 + minutes) * 60_000 + 59_999))
}
