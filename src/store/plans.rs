//! How the embedded database finds what lists and the board ask for: by an index, whatever is
//! asked.

use duban_core::deadline::Light;
use duban_core::definition::Status;
use duban_core::role::Party;
use duban_core::time::Instant;
use sea_orm::sea_query::{SelectStatement, SqliteQueryBuilder};
use sea_orm::{ConnectionTrait, QueryTrait, Statement};
use uuid::Uuid;

use super::board::{self, BoardFilter, By};
use super::card::{self, CardFilter};
use super::list::{Order, Pick, Search, TicketFilter};
use super::running::DeadlineFilter;
use super::turning::{self, TurningFilter};
use super::{Store, list, running};

/// The steps of a plan.
async fn plan(store: &Store, query: SelectStatement) -> Vec<String> {
    let (sql, values) = query.build(SqliteQueryBuilder);
    let sql = format!("EXPLAIN QUERY PLAN {sql}");
    let backend = store.read.get_database_backend();
    let asked = Statement::from_sql_and_values(backend, sql, values);
    let plan = store.read.query_all_raw(asked).await.expect("a plan");
    plan.iter().map(|row| row.try_get("", "detail").expect("a step")).collect()
}

/// Those that look at every row of a table.
async fn scans(store: &Store, query: SelectStatement) -> Vec<String> {
    let mut steps = plan(store, query).await;
    steps.retain(|step| step.starts_with("SCAN "));
    steps
}

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("plans.db").display());
    let (store, _) = Store::migrate(&url).await.expect("tables");
    (folder, store)
}

fn tickets() -> Vec<(&'static str, TicketFilter)> {
    let at = Instant::from_ms(1_000);
    let with = |set: fn(&mut TicketFilter)| {
        let mut filter = TicketFilter { limit: 51, ..TicketFilter::default() };
        set(&mut filter);
        filter
    };
    let lit = |light| TicketFilter { light: Some((light, at)), ..with(|_| ()) };
    let due = TicketFilter { order: Order::Due, ..lit(Light::Red) };
    vec![
        ("step", with(|one| one.step = Some("verifying".to_owned()))),
        ("status", with(|one| one.status = Some(Status::Closed))),
        ("class", with(|one| one.class = Some("staff".to_owned()))),
        ("agency", with(|one| one.agency = Some("SZ013".to_owned()))),
        ("district", with(|one| one.district = Some("440304".to_owned()))),
        ("flag", with(|one| one.flag = Some("anonymous".to_owned()))),
        ("undispatched", with(|one| one.is_undispatched = true)),
        ("from nowhere", with(|one| one.is_from_nowhere = true)),
        ("window", with(|one| one.window = Some("appeal_window".to_owned()))),
        ("estimated", with(|one| one.is_estimated = true)),
        ("red", lit(Light::Red)),
        ("yellow", lit(Light::Yellow)),
        ("red by its due date", due.clone()),
        ("the next page", TicketFilter { after: Some((1, Uuid::nil())), ..due }),
        ("due before", with(|one| one.due_before = Some(Instant::from_ms(1_000)))),
        (
            "without an end",
            with(|one| (one.order, one.status) = (Order::Endless, Some(Status::Open))),
        ),
        ("oldest", with(|one| (one.order, one.step) = (Order::Oldest, Some("x".to_owned())))),
        (
            "search",
            with(|one| {
                let agencies = vec!["SZ013".to_owned(), "SZ007".to_owned()];
                one.search = Some(Search { number: "HCP2026".to_owned(), agencies });
            }),
        ),
    ]
}

#[tokio::test]
async fn a_page_of_tickets_is_found_by_an_index() {
    let (_folder, store) = store().await;
    for (what, filter) in tickets() {
        let pick = store.pick(&filter).await.expect("a pick");
        let scans = scans(&store, list::page(&filter, pick)).await;
        // Flagged tickets have an index of their own, and are few.
        let is_of_flagged = |step: &String| step.ends_with("COVERING INDEX ticket_flagged");
        assert!(scans.iter().all(is_of_flagged), "{what}: {scans:?}");
    }
}

/// What asks for instants alone is looked up by them where few match, and where many do a page is
/// filled in its own order: neither reads tickets that it does not show.
#[tokio::test]
async fn a_page_by_instants_is_picked_without_its_tickets() {
    let (_folder, store) = store().await;
    let at = Instant::from_ms(1_000);
    let all = TicketFilter { limit: 51, ..TicketFilter::default() };
    let open = TicketFilter { status: Some(Status::Open), ..all.clone() };
    let lit = |light: &Light| TicketFilter { light: Some((*light, at)), ..open.clone() };
    let mut filters: Vec<TicketFilter> = Light::ALL.iter().map(lit).collect();
    filters.push(TicketFilter { due_before: Some(at), ..all.clone() });
    filters.push(TicketFilter { due_after: Some(at), due_before: Some(at), ..open.clone() });
    for filter in filters {
        for order in [Order::Newest, Order::Oldest, Order::Due] {
            for after in [None, Some((1, Uuid::nil()))] {
                let filter = TicketFilter { order, after, ..filter.clone() };
                let name = format!("{filter:?}");
                let many = plan(&store, list::many(&filter).into_query()).await;
                let by_instant = |step: &String| {
                    let index = ["ticket_red", "ticket_yellow"];
                    step.starts_with("SEARCH ") && index.iter().any(|one| is_of(step, one))
                };
                assert!(many.iter().all(by_instant), "{name}: {many:?}");
                let few = picked(&store, &filter, Pick::Narrowest).await;
                assert!(by_instant(&few[0]), "{name}: {few:?}");
                let many = picked(&store, &filter, Pick::InOrder).await;
                let order = if order == Order::Due { "ticket_red" } else { "ticket_lights" };
                assert!(is_of(&many[0], order) && many.len() == 1, "{name}: {many:?}");
            }
        }
    }
    for filter in
        [TicketFilter { order: Order::Due, ..all }, TicketFilter { order: Order::Due, ..open }]
    {
        let plan = picked(&store, &filter, Pick::InOrder).await;
        assert!(is_of(&plan[0], "ticket_red") && plan.len() == 1, "{filter:?}: {plan:?}");
    }
}

fn is_of(step: &str, index: &str) -> bool {
    step.contains(&format!("USING COVERING INDEX {index}"))
}

/// How the tickets of a page are picked, without how they are read then.
async fn picked(store: &Store, filter: &TicketFilter, pick: Pick) -> Vec<String> {
    plan(store, list::picked(filter, pick).into_query()).await
}

#[tokio::test]
async fn a_page_of_deadlines_is_found_by_an_index() {
    let (_folder, store) = store().await;
    let all = DeadlineFilter { limit: 51, ..DeadlineFilter::default() };
    let own = DeadlineFilter { agency: Some("SZ013".to_owned()), ..all.clone() };
    let there = DeadlineFilter { district: Some("440304".to_owned()), ..all.clone() };
    let next = DeadlineFilter { after: Some((1, Uuid::nil(), 0)), ..all.clone() };
    let owed = DeadlineFilter { party: Some(Party::Hotline), ..all.clone() };
    let by = plan(&store, running::listed(&owed).into_query()).await;
    let is_sorted = by.iter().all(|step| !step.contains("B-TREE"));
    assert!(by[0].contains("deadline_owed") && is_sorted, "{by:?}");
    let before = DeadlineFilter { due_before: Some(Instant::from_ms(1)), ..all };
    for filter in [own, there, next, before] {
        let scans = scans(&store, running::listed(&filter).into_query()).await;
        assert!(scans.is_empty(), "{filter:?}: {scans:?}");
    }
}

#[tokio::test]
async fn a_page_of_cards_is_walked_in_its_order() {
    let (_folder, store) = store().await;
    let all = CardFilter { limit: 51, ..CardFilter::default() };
    let own = CardFilter { agency: Some("SZ013".to_owned()), ..all.clone() };
    let next = CardFilter { after: Some((1, Uuid::nil(), 0)), ..own.clone() };
    for (filter, index) in [(all, "card_fired"), (own, "card_agency"), (next, "card_agency")] {
        let by = plan(&store, card::listed(&filter).into_query()).await;
        let is_sorted = by.iter().all(|step| !step.contains("B-TREE"));
        assert!(by[0].contains(index) && is_sorted, "{filter:?}: {by:?}");
    }
}

#[tokio::test]
async fn the_board_is_counted_out_of_indexes() {
    let (_folder, store) = store().await;
    let at = Instant::from_ms(1_000);
    for by in [By::Agency, By::District] {
        let filter = BoardFilter {
            by,
            agency: None,
            district: None,
            at,
            today: at.plus_ms(1),
            next: at.plus_ms(2),
            returned: vec!["return_requested".to_owned()],
            appeal: "appeal_window".to_owned(),
        };
        let own = BoardFilter { agency: Some("SZ013".to_owned()), ..filter.clone() };
        let queries = [board::tickets, board::appeals, board::estimated];
        for (place, query) in queries.into_iter().enumerate() {
            for filter in [&filter, &own] {
                let plan = plan(&store, query(filter)).await;
                let is_of_index = |step: &String| {
                    step.contains("SEARCH") && step.contains("USING COVERING INDEX")
                        || step.starts_with("USE TEMP B-TREE")
                };
                assert!(plan.iter().all(is_of_index), "{by:?} {place}: {plan:?}");
            }
        }
    }
}

#[tokio::test]
async fn whose_light_turns_is_found_by_an_index() {
    let (_folder, store) = store().await;
    let (from, until) = (Instant::from_ms(1), Instant::from_ms(2));
    let (agency, district, after) = (None, None, None);
    let all = TurningFilter { agency, district, light: None, from, until, after, limit: 51 };
    let own = TurningFilter { agency: Some("SZ013".to_owned()), ..all.clone() };
    for filter in [&all, &own] {
        let plan = plan(&store, turning::counted(filter)).await;
        assert!(plan.iter().all(|step| step.contains("COVERING INDEX")), "{plan:?}");
        for is_red in [false, true] {
            let scans = scans(&store, turning::listed(filter, is_red)).await;
            assert!(scans.is_empty(), "{scans:?}");
        }
    }
}
