//! An invented town: who rates what when, and the order in which everybody acts. Must never name
//! anybody who could exist: phones from 199 0000 xxxx, identity numbers of a region that is not
//! used.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use duban_core::role::Role;
use duban_core::time::{Instant, SHANGHAI, Zone};
use fastrand::Rng;
use serde_json::{Value, json};

use super::client::Client;
use super::staff::{Case, Plan};
use crate::catalog::Register;
use crate::cli::Failure;

/// The agency with most tickets.
pub(super) const BUSIEST: &str = "SZ013";

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Tickets of the summer before, which are archived by now.
const OLD: u32 = 8;

/// When the story begins.
pub(super) fn start() -> Instant {
    at("2025-07-07T08:00:00+08:00")
}

/// When most tickets begin to come: before the Spring Festival.
fn bulk() -> Instant {
    at("2026-01-19T08:00:00+08:00")
}

/// Where the clock stands at the end: the morning of a day at whose midnight much falls due.
fn end() -> Instant {
    at("2026-03-06T10:00:00+08:00")
}

fn at(text: &str) -> Instant {
    // Unwrap safety: instants of this file.
    text.parse().expect("an instant")
}

const CLASSES: &[(&str, u32)] = &[("matter", 62), ("system", 17), ("staff", 17), ("business", 4)];

const CHANNELS: &[(&str, u32)] = &[
    ("pc", 414),
    ("hall_tablet", 370),
    ("mobile", 180),
    ("phone", 20),
    ("qr_code", 10),
    ("sms", 6),
];

const TAGS: &[(&str, u32)] =
    &[("110", 34), ("108", 18), ("109", 14), ("209", 8), ("211", 5), ("115", 5), ("214", 4)];

const MATTERS: &[(&str, &str)] = &[
    ("440300001", "居住登记"),
    ("440300002", "社会保险关系转移接续"),
    ("440300003", "不动产转移登记"),
    ("440300004", "个体工商户设立登记"),
    ("440300005", "小客车指标申请"),
    ("440300006", "公共租赁住房轮候申请"),
    ("440300007", "医疗费用手工报销"),
    ("440300008", "施工许可证核发"),
];

const COMMENTS: &[&str] = &[
    "{matter}网上显示5个工作日办结，今天已经第{n}天还没结果。",
    "{n}号窗口的工作人员说话很不耐烦。",
    "办{matter}跑了{n}趟，每次说的材料都不一样。",
    "系统上传材料一直失败，试了{n}次。",
    "手滑点错了，其实挺满意的。",
    "叫号等咗{n}个钟，冇人理。",
];

const SURNAMES: &[&str] = &["张", "李", "王", "陈", "黄", "林", "欧阳", "吴", "郑", "何"];
const GIVEN: &[&str] = &["小明", "丽华", "建国", "静", "思远", "嘉怡", "伟", "海燕"];

/// The town with its tickets.
pub(super) struct Town {
    rng: Rng,
    zone: Zone,
    agencies: Vec<String>,
    cases: Vec<Case>,
    /// When somebody does something about which case.
    turns: BinaryHeap<Reverse<(i64, usize)>>,
    opened: u32,
    acted: u32,
}

impl Town {
    pub(super) fn new(seed: u64, tickets: u32, register: &Register) -> Self {
        let mut rng = Rng::with_seed(seed);
        let zone = Zone::new(SHANGHAI);
        let mut agencies: Vec<String> = vec![BUSIEST.to_owned()];
        let others = register.agencies().map(|(code, _)| code.to_string());
        agencies.extend(others.filter(|code| code != BUSIEST && code != "SZ002"));
        let mut counted = [0, 0];
        let mut cases = Vec::new();
        let mut turns = BinaryHeap::new();
        for nr in 0..tickets {
            let class = match nr {
                // Both workflows have tickets of the summer before.
                0..OLD => ["matter", "staff"][usize::from(nr.is_multiple_of(2))],
                _ => weighted(&mut rng, CLASSES),
            };
            let staff = class == "staff";
            // Each workflow counts its own, so that each step of it has somebody resting there.
            let count = &mut counted[usize::from(staff)];
            *count += u32::from(nr >= OLD);
            let plan = Plan::new(&mut rng, staff, nr < OLD, *count);
            let (from, to) = match nr {
                0..OLD => (start(), start().plus_ms(10 * DAY_MS)),
                // Whoever is to rest somewhere needs time to get there.
                _ if plan.rests() => (bulk(), end().plus_ms(-14 * DAY_MS)),
                // There is always something fresh.
                _ if nr.is_multiple_of(5) => (end().plus_ms(-5 * DAY_MS), end()),
                _ => (bulk(), end()),
            };
            let arrives = from.plus_ms(rng.i64(0..to.ms() - from.ms()));
            let arrives = in_office_hours(&zone, arrives, &mut rng).min(end());
            cases.push(Case::new(class, plan));
            turns.push(Reverse((arrives.ms(), usize::try_from(nr).unwrap_or_default())));
        }
        Self { rng, zone, agencies, cases, turns, opened: 0, acted: 0 }
    }

    /// How many tickets there are, and how often somebody did something.
    pub(super) const fn progress(&self) -> (u32, u32) {
        (self.opened, self.acted)
    }

    /// The next thing that somebody does; none when the story is at its end.
    pub(super) async fn step(&mut self, client: &Client) -> Result<Option<Instant>, Failure> {
        let Some(Reverse((ms, place))) = self.turns.pop() else {
            return Ok(None);
        };
        let now = Instant::from_ms(ms);
        if now > end() {
            self.turns.clear();
            return self.finish(client).await.map(|()| None);
        }
        client.advance(now).await?;
        let next_ms = if self.cases[place].number.is_none() {
            self.open(client, place, now).await?
        } else {
            self.act(client, place, now).await?
        };
        if let Some(delay_ms) = next_ms {
            let next = in_office_hours(&self.zone, now.plus_ms(delay_ms), &mut self.rng);
            self.turns.push(Reverse((next.ms().max(ms + 1), place)));
        }
        if self.turns.is_empty() {
            self.finish(client).await?;
        }
        Ok(Some(now))
    }

    /// The last morning: some who have a card object, and one is taken back, one upheld.
    async fn finish(&self, client: &Client) -> Result<(), Failure> {
        client.advance(end()).await?;
        let path = format!("/v1/tickets?agency={BUSIEST}&light=red&sort=due&limit=3");
        let shown = client.get(Role::Auditor, &path).await?;
        let decided = [Some("revoke_card"), Some("uphold_card"), None];
        let tickets = shown["tickets"].as_array().into_iter().flatten();
        for (ticket, decided) in tickets.zip(decided) {
            let own = |card: &&Value| card["agency"] == BUSIEST;
            let mut cards = ticket["cards"].as_array().into_iter().flatten();
            let Some(card) = cards.rfind(own) else { continue };
            let number = ticket["ticket_no"].as_str().unwrap_or_default();
            let path = |action| format!("/v1/tickets/{number}/actions/{action}");
            let form = json!({"card": card["id"], "reason": "期间系统停机，无法办理"});
            let lead = (Role::AgencyLead, Some(BUSIEST));
            client.post(lead.0, lead.1, &path("contest_card"), &form).await?;
            if let Some(action) = decided {
                client.post(Role::Supervisor, None, &path(action), &form).await?;
            }
        }
        Ok(())
    }

    async fn open(
        &mut self,
        client: &Client,
        place: usize,
        now: Instant,
    ) -> Result<Option<i64>, Failure> {
        let body = self.review(place, now);
        let (status, said) = client.post(Role::Intake, None, "/v1/reviews", &body).await?;
        let number = said["ticket_no"].as_str().map(str::to_owned);
        let Some(number) = number.filter(|_| status == 201) else {
            return Err(Failure::Machine(format!("演示评价未被受理：{status} {said}")));
        };
        self.opened += 1;
        let case = &mut self.cases[place];
        case.number = Some(number);
        Ok(case.delay(&mut self.rng))
    }

    async fn act(
        &mut self,
        client: &Client,
        place: usize,
        now: Instant,
    ) -> Result<Option<i64>, Failure> {
        let agency = self.agency();
        let case = &mut self.cases[place];
        let number = case.number.clone().unwrap_or_default();
        let Some(mut deed) = case.next(&agency, now) else { return Ok(None) };
        let path = format!("/v1/tickets/{number}/actions/{}", deed.action);
        let own = deed.role.is_bound_to_agency().then(|| case.agency.clone()).flatten();
        if deed.form["evidence"].is_array() {
            let path = format!("/v1/tickets/{number}/attachments");
            let text = format!("调查核实记录（演示）\n工单：{number}\n经调取现场记录核实。\n");
            let (_, said) = client.upload(deed.role, own.as_deref(), &path, text).await?;
            deed.form["evidence"][0]["sm3"] = said["attachment"]["sm3"].clone();
        }
        let (status, said) = client.post(deed.role, own.as_deref(), &path, &deed.form).await?;
        if status == 200 {
            self.acted += 1;
            case.did(&deed, &said);
        } else {
            // Time may have moved the ticket on meanwhile.
            let shown = client.get(Role::Auditor, &format!("/v1/tickets/{number}")).await?;
            tracing::debug!(deed.action, status, %said, "the demonstration was refused");
            case.was_refused(&shown);
        }
        Ok(case.delay(&mut self.rng))
    }

    /// Zipf over the agencies: the first has most.
    fn agency(&mut self) -> String {
        let weights: Vec<f64> = (1..=self.agencies.len()).map(zipf).collect();
        let mut drawn = self.rng.f64() * weights.iter().sum::<f64>();
        for (agency, weight) in self.agencies.iter().zip(weights) {
            drawn -= weight;
            if drawn <= 0.0 {
                return agency.clone();
            }
        }
        BUSIEST.to_owned()
    }

    fn review(&mut self, place: usize, now: Instant) -> Value {
        let agency = self.agency();
        let rng = &mut self.rng;
        let class = self.cases[place].class;
        let (code, matter) = MATTERS[rng.usize(..MATTERS.len())];
        let n = rng.u32(2..20).to_string();
        let comment = COMMENTS[rng.usize(..COMMENTS.len())];
        let mut comment = comment.replace("{matter}", matter).replace("{n}", &n);
        if rng.u32(..5) == 0 {
            // One in five carries what masking must find.
            let noise = ["请回电1990000{d}", "车牌粤B{d}5", "邮箱 x{d}@example.com", "👎👎"];
            let noise =
                noise[rng.usize(..noise.len())].replace("{d}", &format!("{:04}", rng.u32(..9_999)));
            comment.push_str(&noise);
        }
        let level = if rng.u32(..3) == 0 { "very_dissatisfied" } else { "dissatisfied" };
        let mut review = json!({
            "review_id": format!("DEMO-{place:05}"),
            "source": "shenzhen",
            "class": class,
            "level": level,
            "reviewed_at": now.plus_ms(-rng.i64(60_000..2 * HOUR_MS)),
            "channel": weighted(rng, CHANNELS),
            "project_no": format!("44030000{place:08}"),
            "matter": {"code": code, "name": matter},
            "agency": agency,
            "district": DISTRICTS[rng.usize(..DISTRICTS.len())],
            "tags": [weighted(rng, TAGS)],
            "comment": comment,
        });
        if rng.u32(..100) >= 3 {
            let surname = SURNAMES[rng.usize(..SURNAMES.len())];
            let given = GIVEN[rng.usize(..GIVEN.len())];
            review["reviewer"] = json!({
                "name": format!("{surname}{given}"),
                "phone": format!("1990000{:04}", rng.u32(..9_999)),
                "id_no": identity_number(rng),
            });
        }
        if class == "staff" {
            let surname = SURNAMES[place % SURNAMES.len()];
            let given = GIVEN[place / SURNAMES.len() % GIVEN.len()];
            review["staff"] = json!({
                "staff_no": format!("S{:03}", rng.u32(1..60)),
                "name": format!("{surname}{given}"),
            });
        }
        review
    }
}

const DISTRICTS: &[&str] = &["440303", "440304", "440305", "440306", "440307", "440309", "440311"];

#[expect(clippy::cast_precision_loss, reason = "a few dozen agencies")]
fn zipf(nr: usize) -> f64 {
    (nr as f64).powf(-0.9)
}

fn weighted(rng: &mut Rng, choices: &[(&'static str, u32)]) -> &'static str {
    let total: u32 = choices.iter().map(|(_, weight)| weight).sum();
    let mut drawn = rng.u32(..total.max(1));
    for (choice, weight) in choices {
        if drawn < *weight {
            return choice;
        }
        drawn -= weight;
    }
    choices[0].0
}

/// An identity number with a valid check digit, of a region that is not used.
fn identity_number(rng: &mut Rng) -> String {
    let (year, month, day) = (rng.u32(1960..2005), rng.u32(1..=12), rng.u32(1..=28));
    let digits = format!("440399{year}{month:02}{day:02}{:03}", rng.u32(..999));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(digit, w)| u32::from(digit - b'0') * w).sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"];
    format!("{digits}{}", check[usize::try_from(sum % 11).unwrap_or_default()])
}

/// The instant itself between nine and six, else some time of the next morning.
fn in_office_hours(zone: &Zone, at: Instant, rng: &mut Rng) -> Instant {
    let day = zone.day_of(at);
    let hour = zone.ms_of_day(at) / HOUR_MS;
    let mut morning = |day| zone.start_of(day).plus_ms(9 * HOUR_MS + rng_ms(rng, 2 * HOUR_MS));
    match hour {
        9..18 => at,
        0..9 => morning(day),
        _ => morning(day.plus(1)),
    }
}

fn rng_ms(rng: &mut Rng, most: i64) -> i64 {
    rng.i64(0..most)
}
