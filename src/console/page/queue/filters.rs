//! The filters of the queue as they stand in the address, and the form that sets them. Must never
//! leave out one that the address names.

use std::collections::BTreeMap;

use duban_core::time::Instant;
use maud::{Markup, html};

use crate::console::ask::segment;
use crate::console::asked::Asked;
use crate::console::part::choice::choice;
use crate::console::part::{class, flag, when};
use crate::console::shape::rules::Rules;
use crate::console::told::Told;
use crate::console::visit::Visit;
use crate::console::words::Lang;

/// In the address: what ends when, in words of the console for instants of the API.
const DUE: &str = "due";

/// What has no choice of its own in the form, and is kept beside it.
const KEPT: &[&str] = &["window", "certainty"];

/// What can be chosen, and how it is called.
type Choice = (&'static str, &'static str);

/// The filters of an address; what is empty is none.
pub(super) struct Filters(BTreeMap<String, String>);

impl Filters {
    pub(super) fn new(asked: Asked) -> Self {
        Self(asked.all())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The address of the page after.
    pub(super) fn next(&self, cursor: &str) -> String {
        let mut all = self.0.clone();
        all.insert("cursor".to_owned(), cursor.to_owned());
        format!("/tickets?{}", encoded(&all))
    }

    /// As the API is asked: every word of the address but what it does not know.
    pub(super) async fn asked(&self, visit: &Visit) -> Result<String, Told> {
        // Instants have no place in the form: a page would be filtered and not say so.
        if ["due_after", "due_before"].iter().any(|name| self.0.contains_key(*name)) {
            return Err(Told::unknown_filter(visit.lang));
        }
        let mut all = self.0.clone();
        let (now, today) = (visit.me.at, when::end_of_day(visit.me.at));
        let mut between = |after: Option<Instant>, before: Instant| {
            after.map(|after| all.insert("due_after".to_owned(), after.to_string()));
            all.insert("due_before".to_owned(), before.to_string());
        };
        match self.get(DUE) {
            "" => {}
            "over" => between(None, now),
            "today" => between(Some(now), today),
            "next" => between(Some(today), visit.ask.next_working_day(now).await?),
            _ => return Err(Told::unknown_filter(visit.lang)),
        }
        all.remove(DUE);
        Ok(encoded(&all))
    }

    /// The form.
    pub(super) fn form(&self, visit: &Visit, rules: &Rules) -> Markup {
        let lang = visit.lang;
        let none = |chinese, english| [("none", lang.of(chinese, english))].into_iter();
        let agencies = none("尚未转办", "Not dispatched").chain(rules.register.agencies());
        let districts = none("无区划", "None").chain(rules.register.districts());
        html! {
            form.filters method="get" action="/tickets" {
                label { span { (lang.of("查找", "Search")) }
                    input type="search" name="q" value=(self.get("q")) maxlength="64"
                        placeholder=(lang.of("工单编号、单位", "Number, agency")); }
                (choice(lang, "status", lang.of("状态", "State"), statuses(lang), self.get("status")))
                (choice(lang, "light", lang.of("灯", "Light"), lights(lang), self.get("light")))
                (choice(lang, DUE, lang.of("到期", "Due"), dues(lang), self.get(DUE)))
                (choice(lang, "step", lang.of("环节", "Step"), rules.steps(), self.get("step")))
                (choice(lang, "class", lang.of("类别", "Class"), class::all(lang), self.get("class")))
                @if !visit.me.is_agency() { (choice(lang, "agency", lang.of("单位", "Agency"), agencies, self.get("agency"))) }
                @if visit.me.district_name.is_none() { (choice(lang, "district", lang.of("区", "District"), districts, self.get("district"))) }
                (choice(lang, "flag", lang.of("标记", "Flag"), flag::all(lang), self.get("flag")))
                label { span { (lang.of("次序", "Order")) }
                    select name="sort" {
                        option value="" { (lang.of("新收在前", "Newest first")) }
                        @for (value, title) in sorts(lang) {
                            option value=(value) selected[value == self.get("sort")] { (title) }
                        }
                    }
                }
                (self.kept(lang))
                button.main { (lang.of("筛选", "Filter")) }
                a.button href="/tickets" { (lang.of("清除", "Clear")) }
            }
        }
    }

    /// What was asked for beside the form, to be taken away again.
    fn kept(&self, lang: Lang) -> Markup {
        html! {
            @for name in KEPT.iter().filter(|name| !self.get(name).is_empty()) {
                label.kept {
                    span { (lang.of("另限", "Also")) }
                    span.tag {
                        input type="checkbox" name=(name) value=(self.get(name)) checked;
                        @match *name {
                            "window" => { (lang.of("复核申请期内", "in appeal")) }
                            _ => { (lang.of("日期为预计", "estimated")) }
                        }
                    }
                }
            }
        }
    }
}

fn statuses(lang: Lang) -> [Choice; 3] {
    [
        ("open", lang.of("在办", "Open")),
        ("closed", lang.of("已办结", "Closed")),
        ("archived", lang.of("已归档", "Archived")),
    ]
}

fn lights(lang: Lang) -> [Choice; 3] {
    [
        ("green", lang.of("● 绿灯", "● Green")),
        ("yellow", lang.of("▲ 黄灯", "▲ Yellow")),
        ("red", lang.of("■ 红灯", "■ Red")),
    ]
}

fn dues(lang: Lang) -> [Choice; 3] {
    [
        ("over", lang.of("已超期", "Overdue")),
        ("today", lang.of("今日到期", "Due today")),
        ("next", lang.of("次一工作日到期", "Due the next working day")),
    ]
}

fn sorts(lang: Lang) -> [Choice; 2] {
    [("oldest", lang.of("先收在前", "Oldest first")), ("due", lang.of("先到期在前", "Due first"))]
}

fn encoded(pairs: &BTreeMap<String, String>) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", segment(name), segment(value)));
    pairs.collect::<Vec<_>>().join("&")
}
