//! What the board counts: open tickets by agency or district, out of indexes alone. Must never read
//! a ticket.

use std::collections::BTreeMap;

use duban_core::definition::Status;
use duban_core::time::Instant;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{Condition, ConnectionTrait, QueryResult};

use super::legible::legible;
use super::rows::{count_where, word};
use super::{Store, StoreError};

/// What lines of the board stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An agency each.
    Agency,
    /// A district each.
    District,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct BoardFilter {
    /// What a line stands for.
    pub by: By,
    /// Of one agency only.
    pub agency: Option<String>,
    /// Of one district only.
    pub district: Option<String>,
    /// Overdue are those with an exclusive end at or before.
    pub at: Instant,
    /// Due today are those after, up to this end of the day.
    pub today: Instant,
    /// Due the next working day are those after, up to this end of it.
    pub next: Instant,
    /// The steps in which a ticket is on its way back.
    pub returned: Vec<String>,
    /// The window in which somebody may appeal.
    pub appeal: String,
}

/// One line of the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Open tickets.
    pub open: u64,
    /// An obligation of the agency ends today.
    pub due_today: u64,
    /// The same on the days after, up to the next working day.
    pub due_next_working_day: u64,
    /// The same, ended.
    pub overdue: u64,
    /// On their way back from the agency.
    pub returned: u64,
    /// The window for an appeal is open.
    pub in_appeal: u64,
    /// An obligation of the agency reaches into a year without a notice.
    pub estimated: u64,
    /// The light turns yellow today, if nobody acts.
    pub turns_yellow: u64,
}

impl Line {
    /// Takes in another line.
    pub const fn add(&mut self, other: Self) {
        self.open += other.open;
        self.due_today += other.due_today;
        self.due_next_working_day += other.due_next_working_day;
        self.overdue += other.overdue;
        self.returned += other.returned;
        self.in_appeal += other.in_appeal;
        self.estimated += other.estimated;
        self.turns_yellow += other.turns_yellow;
    }
}

/// The board by code; none stands for tickets without one.
pub type Board = BTreeMap<Option<String>, Line>;

impl Store {
    /// Counts open tickets.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn board(&self, filter: &BoardFilter) -> Result<Board, StoreError> {
        let mut board = Board::new();
        let rows = self.lists.query_all(&tickets(filter)).await?;
        let lines = legible("ticket", &rows, |row| {
            let count = |place: usize| -> Result<u64, StoreError> {
                let count: i64 = row.try_get_by_index(place)?;
                Ok(u64::try_from(count).unwrap_or_default())
            };
            let step: String = row.try_get_by_index(2)?;
            let [open, overdue, until_today, until_next] =
                [count(3)?, count(4)?, count(5)?, count(6)?];
            let line = Line {
                open,
                overdue,
                due_today: until_today.saturating_sub(overdue),
                due_next_working_day: until_next.saturating_sub(until_today),
                turns_yellow: count(7)?,
                returned: if filter.returned.contains(&step) { open } else { 0 },
                ..Line::default()
            };
            Ok((code(row, filter.by)?, line))
        })?;
        for (code, line) in lines {
            board.entry(code).or_default().add(line);
        }
        let by = filter.by;
        self.count_runs(&appeals(filter), by, &mut board, |line| &mut line.in_appeal).await?;
        self.count_runs(&estimated(filter), by, &mut board, |line| &mut line.estimated).await?;
        Ok(board)
    }

    async fn count_runs(
        &self,
        query: &SelectStatement,
        by: By,
        board: &mut Board,
        of: fn(&mut Line) -> &mut u64,
    ) -> Result<(), StoreError> {
        let rows = self.lists.query_all(query).await?;
        let counts = legible("deadline", &rows, |row| {
            let count: i64 = row.try_get_by_index(2)?;
            Ok((code(row, by)?, u64::try_from(count).unwrap_or_default()))
        })?;
        for (code, count) in counts {
            *of(board.entry(code).or_default()) += count;
        }
        Ok(())
    }
}

/// Open tickets of a version of a workflow in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The version.
    pub version: u32,
    /// The step.
    pub step: String,
    /// How many.
    pub tickets: u64,
}

impl Store {
    /// Counts the open tickets that a workflow rules. Looks at them all: for operators, not for a board.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn used(&self, workflow: &str) -> Result<Vec<Used>, StoreError> {
        let mut query = Query::select();
        query.columns(["workflow_version", "step"]).from("ticket");
        query.expr(Expr::val(1_i64).count()).group_by_columns(["workflow_version", "step"]);
        query.and_where(Expr::col("status").eq(word(Status::Open.word())));
        query.and_where(Expr::col("workflow").eq(workflow));
        let rows = self.lists.query_all(&query).await?;
        legible("ticket", &rows, |row| {
            let (version, tickets): (i32, i64) =
                (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
            Ok(Used {
                version: u32::try_from(version).unwrap_or_default(),
                step: row.try_get_by_index(1)?,
                tickets: u64::try_from(tickets).unwrap_or_default(),
            })
        })
    }
}

/// Open tickets by step, and how many of them are due until when.
pub(super) fn tickets(filter: &BoardFilter) -> SelectStatement {
    let mut query = lines(filter, "ticket");
    query.column("step").group_by_col("step");
    query.expr(Expr::val(1_i64).count());
    for until in [filter.at, filter.today, filter.next] {
        query.expr(count_where(Expr::col("red_at").lte(until.ms())));
    }
    // What turns red at once does not turn yellow.
    let yellow = || Expr::col("yellow_at");
    let today = yellow().gt(filter.at.ms()).and(yellow().lte(filter.today.ms()));
    query.expr(count_where(today.and(yellow().lt(Expr::col("red_at")))));
    query.and_where(Expr::col("status").eq(word(Status::Open.word())));
    query
}

/// Running windows for an appeal: a ticket has one at most.
pub(super) fn appeals(filter: &BoardFilter) -> SelectStatement {
    let mut query = lines(filter, "deadline");
    query.expr(Expr::val(1_i64).count());
    query.cond_where(appealed(&filter.appeal));
    query
}

/// Tickets of which an obligation of an agency is estimated.
pub(super) fn estimated(filter: &BoardFilter) -> SelectStatement {
    let mut query = lines(filter, "deadline");
    query.expr(Expr::col("ticket").count_distinct());
    query.cond_where(guessed());
    query
}

/// What a running window of a name is.
pub(super) fn appealed(name: &str) -> Condition {
    running("window").add(Expr::col("name").eq(name))
}

/// What an estimated obligation of an agency is.
pub(super) fn guessed() -> Condition {
    let estimated = Expr::col("certainty").eq(word("estimated"));
    running("obligation").add(estimated).add(Expr::col("party").eq(word("agency")))
}

fn running(kind: &'static str) -> Condition {
    let running = Expr::col("state").eq(word("running"));
    Condition::all().add(running).add(Expr::col("kind").eq(word(kind)))
}

/// What a row is counted under.
fn code(row: &QueryResult, by: By) -> Result<Option<String>, StoreError> {
    let place = match by {
        By::Agency => 0,
        By::District => 1,
    };
    Ok(row.try_get_by_index(place)?)
}

/// Counted by agency and district in the order of the indexes: so nothing is sorted, and a few
/// hundred rows are left to add up.
fn lines(filter: &BoardFilter, table: &'static str) -> SelectStatement {
    let mut query = Query::select();
    query.columns(["agency", "district"]).from(table).group_by_columns(["agency", "district"]);
    for (column, one) in [("agency", &filter.agency), ("district", &filter.district)] {
        if let Some(one) = one {
            query.and_where(Expr::col(column).eq(one.as_str()));
        }
    }
    query
}
