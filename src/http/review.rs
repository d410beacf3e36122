//! A review as sources send it: checked, its codes apart from what is about people, sealed. Must
//! never let free text or a person into the codes.

use std::collections::BTreeMap;

use duban_core::command::Opening;
use duban_core::definition::FieldFault;
use duban_core::digest::Digest;
use duban_core::event::Sealed;
use duban_core::name::Name;
use duban_core::role::Actor;
use duban_core::ticket_id::TicketId;
use duban_core::time::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Api;
use super::problem::Problem;
use crate::engine::NewReview;
use crate::store::{PersonalRow, ReviewRow};
use crate::{crypto, masking};

/// The longest comment.
const COMMENT_MAX: usize = 2_000;

/// Tags of one review; there are 34.
const TAGS_MAX: usize = 40;

/// The five levels (Article 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    VerySatisfied,
    Satisfied,
    BasicallySatisfied,
    Dissatisfied,
    VeryDissatisfied,
}

impl Level {
    /// The bottom two are bad reviews (差评).
    const fn is_bad(self) -> bool {
        matches!(self, Self::Dissatisfied | Self::VeryDissatisfied)
    }
}

/// Where a review was given: the channels of the national record, the hotline, and paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    Pc,
    Mobile,
    QrCode,
    HallTablet,
    HallTerminal,
    Phone,
    Sms,
    Paper,
}

/// A review.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "sources call it `review_id`")]
#[schema(example = json!({
    "review_id": "R20260304-000127", "source": "shenzhen", "class": "matter",
    "level": "dissatisfied", "reviewed_at": "2026-03-04T09:12:00+08:00", "channel": "mobile",
    "project_no": "4403000126030400001", "matter": {"code": "440300001", "name": "居住登记"},
    "agency": "SZ007", "district": "440304", "tags": ["110"],
    "comment": "网上显示5个工作日办结，今天已经第12天还没结果。",
    "reviewer": {"name": "张小三", "phone": "19900000001"}
}))]
pub(crate) struct Review {
    /// The source's number: the same one again is the same review.
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9._:-]+$")]
    pub(crate) review_id: String,
    /// The system that it comes from.
    #[schema(max_length = 32, pattern = r"^[a-z0-9_-]+$")]
    pub(crate) source: String,
    /// `matter`, `business`, `system` or `staff`.
    #[schema(max_length = 40)]
    class: String,
    level: Level,
    #[schema(value_type = String, format = DateTime)]
    reviewed_at: Instant,
    channel: Channel,
    /// 办件编号.
    #[schema(max_length = 64)]
    project_no: String,
    /// The number under which the source wants the result back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    flowsn: Option<String>,
    matter: Matter,
    /// The agency that the source holds responsible.
    #[schema(max_length = 32, pattern = r"^[A-Z0-9_-]+$")]
    agency: String,
    #[schema(max_length = 32, pattern = r"^[A-Z0-9_-]+$")]
    pub(super) district: String,
    /// Codes of the tags that were ticked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 40)]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 2000)]
    comment: String,
    /// Where several dimensions were rated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    ratings: Vec<Rating>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    staff: Option<Staff>,
    /// None for a review from the paper box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reviewer: Option<Reviewer>,
}

/// What was applied for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Matter {
    #[schema(max_length = 64, pattern = r"^[A-Za-z0-9._-]+$")]
    code: String,
    #[schema(max_length = 200)]
    name: String,
}

/// One dimension.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rating {
    #[schema(max_length = 40, pattern = r"^[a-z_]+$")]
    dimension: String,
    level: Level,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 40)]
    tags: Vec<String>,
}

/// Who was rated.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Staff {
    #[schema(max_length = 32)]
    staff_no: String,
    #[schema(max_length = 64)]
    name: String,
}

/// Who rated.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reviewer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    id_no: Option<String>,
}

/// Faults of a review, one a field.
#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    fn note(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldFault::new(format!("/{field}"), message));
    }

    fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.note(field, format!("不得超过 {most} 个字"));
        }
    }

    /// One line, of which nothing is hidden or turned round where it is shown.
    fn line(&mut self, field: &str, text: &str, most: usize, may_be_empty: bool) {
        let turns = |char| {
            let is_mark = matches!(char, '\u{200B}'..='\u{200F}' | '\u{061C}' | '\u{FEFF}');
            is_mark || matches!(char, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        self.text(field, text, most);
        if !may_be_empty && text.trim().is_empty() {
            self.note(field, "不能为空");
        }
        if text.contains(|char: char| char.is_control() || turns(char)) {
            self.note(field, "不得含换行、控制字符或改变文字方向的字符");
        }
    }

    fn code(&mut self, field: &str, text: &str, most: usize, fits: fn(u8) -> bool, says: &str) {
        if text.is_empty() || text.len() > most || !text.bytes().all(fits) {
            self.note(field, format!("应为 1 至 {most} 个{says}"));
        }
    }

    /// Codes stand in lists and logs: what could be somebody's number is none.
    fn nobodys(&mut self, field: &str, text: &str) {
        if masking::is_somebodys(text) {
            self.note(field, "不得填写电话或证件号码");
        }
    }
}

impl Review {
    /// Whether anybody can be contacted about it.
    fn has_reviewer(&self) -> bool {
        let Some(Reviewer { name, phone, id_no }) = &self.reviewer else { return false };
        [name, phone, id_no].into_iter().flatten().any(|one| !one.trim().is_empty())
    }

    /// Whether it becomes a ticket.
    pub(crate) const fn is_bad(&self) -> bool {
        self.level.is_bad()
    }

    /// Checks every field.
    ///
    /// # Errors
    /// Every fault.
    pub(crate) fn check(&self, api: &Api) -> Result<(), Problem> {
        let mut faults = Faults::default();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        faults.code("review_id", &self.review_id, 64, word, "字母、数字或 . _ : -");
        faults.nobodys("review_id", &self.review_id);
        faults.nobodys("source", &self.source);
        let lower =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        faults.code("source", &self.source, 32, lower, "小写字母、数字或 _ -");
        let class = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        faults.code("class", &self.class, 40, class, "小写字母或 _");
        let upper =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        faults.code("agency", &self.agency, 32, upper, "大写字母、数字或 _ -");
        faults.nobodys("agency", &self.agency);
        if api.register.district(&self.district).is_none() {
            let known: Vec<&str> =
                api.register.districts().map(|(code, _)| code.as_str()).collect();
            faults.note("district", format!("没有这个区划代码；可用：{}", known.join("、")));
        }
        faults.code("matter/code", &self.matter.code, 64, word, "字母、数字或 . _ -");
        faults.nobodys("matter/code", &self.matter.code);
        faults.line("matter/name", &self.matter.name, 200, false);
        faults.line("project_no", &self.project_no, 64, false);
        faults.line("flowsn", self.flowsn.as_deref().unwrap_or_default(), 64, true);
        faults.text("comment", &self.comment, COMMENT_MAX);
        self.check_tags(api, &mut faults);
        self.check_people(&mut faults);
        if self.is_bad() && self.tags.is_empty() && self.comment.trim().is_empty() {
            faults.note("tags", "差评必须勾选标签或填写文字评价（实施办法第八条）");
        }
        if faults.0.is_empty() { Ok(()) } else { Err(Problem::fields(faults.0)) }
    }

    fn check_tags(&self, api: &Api, faults: &mut Faults) {
        let mut check = |field: String, tags: &[String]| {
            if tags.len() > TAGS_MAX {
                faults.note(&field, format!("不得超过 {TAGS_MAX} 项"));
            }
            for (place, tag) in tags.iter().enumerate().take(TAGS_MAX) {
                if api.register.tag(tag).is_none() {
                    faults.note(&format!("{field}/{place}"), "没有这个标签代码");
                }
            }
        };
        check("tags".to_owned(), &self.tags);
        for (place, rating) in self.ratings.iter().enumerate().take(10) {
            check(format!("ratings/{place}/tags"), &rating.tags);
        }
        if self.ratings.len() > 10 {
            faults.note("ratings", "不得超过 10 项");
        }
        let dimension = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        for (place, rating) in self.ratings.iter().enumerate().take(10) {
            let field = format!("ratings/{place}/dimension");
            faults.code(&field, &rating.dimension, 40, dimension, "小写字母或 _");
        }
    }

    fn check_people(&self, faults: &mut Faults) {
        if self.class == "staff" && self.staff.is_none() {
            faults.note("staff", "人员差评须写明被评价人（staff）");
        }
        if let Some(staff) = &self.staff {
            faults.line("staff/staff_no", &staff.staff_no, 32, false);
            faults.line("staff/name", &staff.name, 64, true);
        }
        if let Some(Reviewer { name, phone, id_no }) = &self.reviewer {
            faults.line("reviewer/name", name.as_deref().unwrap_or_default(), 64, true);
            faults.line("reviewer/phone", phone.as_deref().unwrap_or_default(), 32, true);
            faults.line("reviewer/id_no", id_no.as_deref().unwrap_or_default(), 32, true);
        }
    }

    /// What the engine opens a ticket with.
    pub(crate) fn sealed(self, api: &Api, actor: Actor) -> NewReview {
        let (key, reference) = (crypto::key(), Name::from(crypto::identity().to_string()));
        let content = canonical(&json!(self));
        let personal =
            PersonalRow { reference: reference.clone(), key, body: canonical(&self.private()) };
        let sealed = Sealed {
            reference: reference.clone(),
            commitment: Digest::commitment(&key, &personal.body),
        };
        let rated = self.staff.as_ref().map(|staff| api.pseudonym(&staff.staff_no));
        let mut flags = Vec::new();
        if !self.has_reviewer() {
            flags.push("anonymous".into());
        }
        let hotline = api.engine.knowledge().context().hotline_agencies;
        if self.class == "staff" && hotline.contains(self.agency.as_str()) {
            flags.push("hotline_self".into());
        }
        let codes = self.codes().to_string();
        NewReview {
            opening: Opening {
                ticket: TicketId(crypto::identity()),
                parent: None,
                class: self.class.into(),
                reviewed_at: self.reviewed_at,
                district: Some(self.district.into()),
                rated,
                flags,
                sealed: Some(sealed),
                actor,
            },
            review: ReviewRow {
                source: self.source.into(),
                review_id: self.review_id,
                commitment: Digest::commitment(&key, &content),
                codes,
                reference,
                matter: self.matter.code.into(),
            },
            personal,
            content,
        }
    }

    /// What anybody who sees the ticket may know.
    fn codes(&self) -> Value {
        json!({
            "review_id": self.review_id,
            "source": self.source,
            "level": self.level,
            "channel": self.channel,
            "reviewed_at": self.reviewed_at,
            "matter": {"code": self.matter.code},
            "agency": self.agency,
            "district": self.district,
            "tags": self.tags,
            "ratings": self.ratings,
        })
    }

    /// Everything about people, and everything that somebody wrote.
    fn private(&self) -> Value {
        let mut private = BTreeMap::from([
            ("comment", json!(self.comment)),
            ("matter", json!({"name": self.matter.name})),
            ("project_no", json!(self.project_no)),
        ]);
        if let Some(flowsn) = &self.flowsn {
            private.insert("flowsn", json!(flowsn));
        }
        if let Some(staff) = &self.staff {
            private.insert("staff", json!(staff));
        }
        if let Some(reviewer) = &self.reviewer {
            private.insert("reviewer", json!(reviewer));
        }
        json!(private)
    }
}

/// The same bytes for the same content: keys in order, no spaces. An object of `serde_json` keeps its
/// keys in order, unless somebody asks it for another.
fn canonical(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_the_same_bytes() {
        let one = json!({"b": [{"d": 1, "c": "二"}], "a": null});
        let other = json!({"a": null, "b": [{"c": "二", "d": 1}]});
        assert_eq!(canonical(&one), r#"{"a":null,"b":[{"c":"二","d":1}]}"#.as_bytes());
        assert_eq!(canonical(&one), canonical(&other));
    }
}
