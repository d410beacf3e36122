//! All running clocks of a ticket side by side, and what happens next if nobody acts. Must never show
//! a date without the way to its reason.

use maud::{Markup, html};

use super::Page;
use crate::console::part::light::{self, Light};
use crate::console::part::pips::{Days, pips};
use crate::console::part::{basis, when};
use crate::console::shape::days::Work;
use crate::console::shape::ticket::Deadline;
use crate::console::words::Lang;

/// What comes that is told at once.
const COMING: usize = 5;

impl Page<'_> {
    pub(super) fn clocks(&self) -> Markup {
        let lang = self.visit.lang;
        let running = self.ticket.deadlines.iter().filter(|one| one.is_running());
        // The period in which a citizen may rate again is nobody's clock.
        let mut running: Vec<&Deadline> =
            running.filter(|one| !(one.is_window() && one.party == "system")).collect();
        running.sort_by_key(|one| (!one.is_owed(), one.due_at));
        html! {
            div.clocks id="clocks" data-live=(self.ticket.number) {
                @for deadline in &running { (self.clock(deadline)) }
                @if !self.is_past && (!self.forecast.coming.is_empty() || running.is_empty()) {
                    section.panel.next {
                        header { h2 { (lang.of("下一步", "Next")) } small { (lang.of("若无人办理", "if nobody acts")) } }
                        @if self.forecast.coming.is_empty() {
                            p.dim { (lang.of("没有将要到期的事项。", "Nothing falls due.")) }
                        }
                        ol.coming {
                            @for one in self.forecast.coming.iter().take(COMING) {
                                li {
                                    b { (when::minute(lang, one.at)) } " "
                                    @if let Some(card) = &one.card {
                                        @let card = Light::of_card(card);
                                        (light::lit(lang, card, card.card(lang))) " "
                                    }
                                    (self.rules.named(&one.text))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn clock(&self, deadline: &Deadline) -> Markup {
        let lang = self.visit.lang;
        let lit = deadline.light();
        html! {
            section.panel.clock {
                header {
                    h2 { (deadline.title) }
                    div.right {
                        @if deadline.is_owed() { (light::light(lang, lit)) }
                        @else if deadline.is_window() { span.tag { (lang.of("申请期", "Window")) } }
                        @else { span.tag { (lang.of("仅提示", "Shown only")) } }
                    }
                }
                b.count { (self.count(deadline)) }
                @if let Some(days) = self.days_of(deadline) { (pips(lang, days, lit)) }
                p { (when::end(lang, deadline.due_at)) (lang.of(" 止", ""))
                    @if deadline.is_estimated() { " " span.tag { (lang.of("预计", "Estimated")) } }
                    @if deadline.due_at != deadline.original_due_at {
                        " " small { (lang.of("原 ", "was ")) (when::end(lang, deadline.original_due_at)) }
                    }
                }
                p.why {
                    a href={ "/tickets/" (self.ticket.number) "/why/" (deadline.name) (self.then()) } { (lang.of("为何这天？", "Why this day?")) }
                    @for one in &deadline.basis { " " small { (basis::title(lang, one)) } }
                }
            }
        }
    }

    /// Its working days, as they stood then.
    fn days_of(&self, deadline: &Deadline) -> Option<Days> {
        let work = self.days.work(when::day_of(self.at));
        deadline.days(self.at, matches!(work, Work::Ordinary | Work::MakeUp))
    }

    /// What is left, or how much too late it is.
    fn count(&self, deadline: &Deadline) -> String {
        let lang = self.visit.lang;
        match (deadline.overdue_working_days, self.days_of(deadline)) {
            (Some(over), _) if deadline.is_owed() => match lang {
                Lang::Chinese if over == 0 => "已超期".to_owned(),
                Lang::Chinese => format!("超期第 {over} 个工作日"),
                Lang::English => format!("{over} working days late"),
            },
            (Some(over), Some(days)) => day(lang, days.all + over),
            (None, Some(days)) => match lang {
                Lang::Chinese if deadline.is_owed() || deadline.is_window() => {
                    format!("余 {} 个工作日", days.left)
                }
                Lang::English if deadline.is_owed() || deadline.is_window() => {
                    format!("{} working days left", days.left)
                }
                _ => day(lang, days.day()),
            },
            _ => when::end(lang, deadline.due_at),
        }
    }
}

/// Which of its working days it is.
fn day(lang: Lang, day: u32) -> String {
    match lang {
        Lang::Chinese => format!("第 {day} 个工作日"),
        Lang::English => format!("Working day {day}"),
    }
}
