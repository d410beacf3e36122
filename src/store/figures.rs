//! What supervision compares: how obligations of agencies ended, and which cards came of it, day by day.
//! Must never count an obligation that has not ended yet.

use duban_core::time::{Day, Instant};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};

use super::legible::legible;
use super::rows::word;
use super::{Store, StoreError};

const DAY_MS: i64 = 86_400_000;

/// What is counted.
#[derive(Clone, Debug)]
pub struct FiguresFilter {
    /// Of one agency only.
    pub agency: Option<String>,
    /// Of one district only.
    pub district: Option<String>,
    /// Ended at or after.
    pub from: Instant,
    /// Ended before.
    pub until: Instant,
    /// How far the zone of the calendars is ahead of UTC.
    pub ahead_ms: i64,
}

/// How many of one kind on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The agency that was charged.
    pub agency: Option<String>,
    /// The last day of the obligations, or that on which the cards were issued.
    pub day: Day,
    /// The state of the obligations, or the kind of the cards.
    pub what: String,
    /// How many.
    pub count: u64,
}

impl Store {
    /// Counts how obligations ended. Looks at every obligation that there ever was: for who compares, not for
    /// a board.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ended(&self, filter: &FiguresFilter) -> Result<Vec<Figure>, StoreError> {
        let mut query = counted(filter, "deadline", "due_at", "state");
        query.and_where(Expr::col("kind").eq(word("obligation")));
        query.and_where(Expr::col("state").is_in(["met", "met_late", "running"]));
        if let Some(district) = &filter.district {
            query.and_where(Expr::col("district").eq(district.as_str()));
        }
        self.figures("deadline", &query).await
    }

    /// Counts cards that stand.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn issued(&self, filter: &FiguresFilter) -> Result<Vec<Figure>, StoreError> {
        let mut query = counted(filter, "card", "fired_at", "kind");
        query.and_where(Expr::col("state").ne(word("revoked")));
        if let Some(district) = &filter.district {
            let of = Query::select()
                .column("id")
                .from("ticket")
                .and_where(Expr::col("district").eq(district.as_str()))
                .take();
            query.and_where(Expr::col("ticket").in_subquery(of));
        }
        self.figures("card", &query).await
    }

    async fn figures(
        &self,
        table: &'static str,
        query: &SelectStatement,
    ) -> Result<Vec<Figure>, StoreError> {
        let rows = self.lists.query_all(query).await?;
        legible(table, &rows, |row| {
            let (day, count): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(3)?);
            Ok(Figure {
                agency: row.try_get_by_index(0)?,
                day: Day::from_number(i32::try_from(day).unwrap_or_default()),
                what: row.try_get_by_index(2)?,
                count: u64::try_from(count).unwrap_or_default(),
            })
        })
    }
}

/// By agency, day and kind. An exclusive end at midnight belongs to the day before.
fn counted(
    filter: &FiguresFilter,
    table: &'static str,
    at: &'static str,
    what: &'static str,
) -> SelectStatement {
    let late = i64::from(at == "due_at");
    // Written out: as arguments the two places of it would not be known for the same.
    let day = || Expr::cust(format!("({at} + {}) / {DAY_MS}", filter.ahead_ms - late));
    let mut query = Query::select();
    query.column("agency").expr(day()).column(what).expr(Expr::val(1_i64).count()).from(table);
    query.add_group_by([Expr::col("agency"), day(), Expr::col(what)]);
    query.and_where(Expr::col("party").eq(word("agency")));
    query.and_where(Expr::col(at).gte(filter.from.ms() + late));
    query.and_where(Expr::col(at).lt(filter.until.ms() + late));
    if let Some(agency) = &filter.agency {
        query.and_where(Expr::col("agency").eq(agency.as_str()));
    }
    query
}
