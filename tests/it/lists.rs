//! Pages of tickets: however they are picked, they show what was asked for, in its order, once.

use duban::store::{Order, TicketFilter};
use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::time::Instant;
use uuid::Uuid;

use crate::database::{TestDatabase, on_both};
use crate::lives::{commit, instant, opening};

on_both!(a_page_is_the_same_however_it_is_picked, what_has_no_end_comes_last_and_is_not_left_out,);

const START: &str = "2026-03-02T10:00:00+08:00";

/// So many that a page in the order of identities is not sorted out of all that match.
const TICKETS: usize = 11_500;

/// From how many on that is so.
const MANY: usize = 10_000;

struct Row {
    id: Uuid,
    yellow_at: i64,
    red_at: i64,
}

/// Tickets whose lights turn yellow one after another, and red in another order; every twentieth has
/// none.
async fn lit(db: &TestDatabase) -> Vec<Row> {
    let at = instant(START);
    for _ in 0..TICKETS / 500 {
        let changes: Vec<_> = (0..500).map(|_| opening(at)).collect();
        commit(&db.store, at, &changes).await.expect("committed");
    }
    let nr = "CAST(substr(ticket_no, 12, 6) AS INTEGER)";
    db.execute(&format!(
        "UPDATE ticket SET yellow_at = CASE WHEN {nr} % 20 > 0 THEN {nr} END, \
         red_at = CASE WHEN {nr} % 20 > 0 THEN {nr} + ({nr} * 37) % 600 END"
    ))
    .await;
    let all = TicketFilter { limit: 20_000, order: Order::Oldest, ..TicketFilter::default() };
    let all = db.store.tickets(&all).await.expect("a list");
    let lit = (1_i64..).zip(all).filter(|(nr, _)| nr % 20 > 0);
    lit.map(|(nr, one)| Row { id: one.place.1, yellow_at: nr, red_at: nr + (nr * 37) % 600 })
        .collect()
}

/// What a filter must list, page after page.
fn expected(rows: &[Row], filter: &TicketFilter) -> Vec<Uuid> {
    let is_lit = |row: &Row| {
        filter.light.is_none_or(|(light, at)| match light {
            Light::Red => row.red_at <= at.ms(),
            Light::Yellow => row.yellow_at <= at.ms() && at.ms() < row.red_at,
            Light::Green => at.ms() < row.yellow_at,
        })
    };
    let is_due = |row: &Row| {
        filter.due_after.is_none_or(|after| row.red_at > after.ms())
            && filter.due_before.is_none_or(|before| row.red_at <= before.ms())
    };
    let mut found: Vec<&Row> = rows.iter().filter(|row| is_lit(row) && is_due(row)).collect();
    match filter.order {
        Order::Newest => found.sort_by_key(|row| std::cmp::Reverse(row.id)),
        Order::Oldest => found.sort_by_key(|row| row.id),
        Order::Due => found.sort_by_key(|row| (row.red_at, row.id)),
        Order::Endless => found.clear(),
    }
    found.into_iter().map(|row| row.id).collect()
}

async fn listed(db: &TestDatabase, filter: &TicketFilter) -> Vec<Uuid> {
    let mut filter = TicketFilter { limit: 2_000, ..filter.clone() };
    let mut all = Vec::new();
    loop {
        let page = db.store.tickets(&filter).await.expect("a page");
        let Some(last) = page.last() else { return all };
        filter.after = Some(last.place);
        all.extend(page.iter().map(|one| one.place.1));
    }
}

async fn a_page_is_the_same_however_it_is_picked(db: TestDatabase) {
    let rows = lit(&db).await;
    let at = |ms| Some(Instant::from_ms(ms));
    let mut checked = [0, 0];
    for order in [Order::Newest, Order::Oldest, Order::Due] {
        for status in [None, Some(Status::Open), Some(Status::Closed)] {
            let all = TicketFilter { order, status, ..TicketFilter::default() };
            let lit = |light, ms| TicketFilter {
                light: Some((light, Instant::from_ms(ms))),
                ..all.clone()
            };
            for filter in [
                lit(Light::Red, 200),
                lit(Light::Red, 11_900),
                lit(Light::Yellow, 1_000),
                lit(Light::Green, 100),
                lit(Light::Green, 11_000),
                TicketFilter { due_before: at(300), ..all.clone() },
                TicketFilter { due_before: at(15_000), ..all.clone() },
                TicketFilter { due_after: at(0), due_before: at(11_300), ..all.clone() },
                TicketFilter { due_after: at(9_000), ..lit(Light::Green, 8_000) },
            ] {
                let mut expected = expected(&rows, &filter);
                if status == Some(Status::Closed) {
                    expected.clear();
                }
                assert_eq!(listed(&db, &filter).await, expected, "{filter:?}");
                checked[usize::from(expected.len() > MANY)] += 1;
            }
        }
    }
    assert!(checked.iter().all(|many| *many > 6), "{checked:?}");
}

async fn what_has_no_end_comes_last_and_is_not_left_out(db: TestDatabase) {
    let at = instant(START);
    let changes: Vec<_> = (0..9).map(|_| opening(at)).collect();
    commit(&db.store, at, &changes).await.expect("committed");
    let nr = "CAST(substr(ticket_no, 12, 6) AS INTEGER)";
    db.execute(&format!(
        "UPDATE ticket SET red_at = CASE WHEN {nr} % 3 > 0 THEN 1000 - {nr} END, \
         status = CASE WHEN {nr} = 9 THEN 'closed' ELSE status END"
    ))
    .await;
    let numbers = async |filter: TicketFilter, pages_of: u64| {
        let mut filter = TicketFilter { order: Order::Due, limit: pages_of, ..filter };
        let mut all = Vec::new();
        loop {
            let page = db.store.tickets(&filter).await.expect("a page");
            let Some(last) = page.last() else { return all };
            filter.after = Some(last.place);
            let number = |one: duban::store::Listed| one.ticket.expect("readable").ticket_no;
            all.extend(
                page.into_iter().map(|one| number(one)[14..17].parse::<u32>().expect("a number")),
            );
        }
    };
    let open = || TicketFilter { status: Some(Status::Open), ..TicketFilter::default() };
    for pages_of in [1, 2, 3, 6, 100] {
        let all = numbers(TicketFilter::default(), pages_of).await;
        assert_eq!(all, [8, 7, 5, 4, 2, 1, 3, 6, 9], "{pages_of}");
        assert_eq!(numbers(open(), pages_of).await, [8, 7, 5, 4, 2, 1, 3, 6], "{pages_of}");
        let due_before = Some(Instant::from_ms(995));
        let some = TicketFilter { due_before, ..open() };
        assert_eq!(numbers(some, pages_of).await, [8, 7, 5], "{pages_of}");
    }
}
