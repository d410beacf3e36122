//! Rows of a table as data: what one commit writes into it at once. Must never know what a row means,
//! nor how a database takes it.

use std::borrow::Cow;

use sea_orm::sea_query::{Alias, Expr, Func, FunctionCall, InsertStatement, IntoCondition};
use sea_orm::sea_query::{OnConflict, Query, Value};
use uuid::Uuid;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Int,
    Big,
    Text,
    Blob,
}

/// A column by its name.
pub(super) type Column = (&'static str, Kind);

/// What one row has in one column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'c> {
    Null,
    Id(Uuid),
    Int(i32),
    Big(i64),
    Text(Cow<'c, str>),
    Blob(Cow<'c, [u8]>),
}

/// What happens to a row whose key is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meets {
    /// The database refuses it.
    Refused,
    /// Somebody else was faster: what was decided is stale.
    Stale,
    /// What is there stays.
    Kept(&'static [&'static str]),
    /// It takes the place of what is there.
    Replaced(&'static [&'static str]),
    /// It is there, by its first column: the others take their new values.
    Changed,
    /// As [`Meets::Changed`], and it is at the `version` before.
    Raised,
}

/// A table with the columns that are written.
pub(super) struct Table<const N: usize> {
    pub(super) name: &'static str,
    pub(super) columns: [Column; N],
}

/// Rows of one table.
pub(super) struct Rows<'c> {
    pub(super) table: &'static str,
    pub(super) columns: Cow<'static, [Column]>,
    pub(super) meets: Meets,
    /// Row after row.
    pub(super) cells: Vec<Cell<'c>>,
}

impl<const N: usize> Table<N> {
    /// Rows of it, to be written.
    pub(super) fn rows<'c>(
        &'static self,
        meets: Meets,
        rows: impl Iterator<Item = [Cell<'c>; N]>,
    ) -> Rows<'c> {
        let (table, columns) = (self.name, Cow::Borrowed(&self.columns[..]));
        let (least, most) = rows.size_hint();
        let mut cells = Vec::with_capacity(most.unwrap_or(least) * N);
        rows.for_each(|row| cells.extend(row));
        Rows { table, columns, meets, cells }
    }

    /// Rows that are there, each as it was and as it is now: of their columns only the first, and
    /// those that are not as they were in some row.
    pub(super) fn changed<'c>(
        &'static self,
        rows: Vec<([Cell<'c>; N], [Cell<'c>; N])>,
    ) -> Rows<'c> {
        let differs = |place: usize| rows.iter().any(|(was, is)| was[place] != is[place]);
        let sent: [bool; N] = std::array::from_fn(|place| place == 0 || differs(place));
        let columns =
            (0..N).filter(|place| sent[*place]).map(|place| self.columns[place]).collect();
        let cells = rows.into_iter().flat_map(|(_, is)| {
            is.into_iter().zip(sent).filter(|(_, sent)| *sent).map(|(cell, _)| cell)
        });
        let cells = cells.collect();
        Rows { table: self.name, columns: Cow::Owned(columns), meets: Meets::Changed, cells }
    }

    /// The first column, with the table's name, in which two rows differ.
    pub(super) fn first_other(&self, one: &[Cell<'_>; N], other: &[Cell<'_>; N]) -> String {
        let mut pairs = self.columns.iter().zip(one.iter().zip(other));
        let found = pairs.find(|(_, (one, other))| one != other);
        format!("{}.{}", self.name, found.map_or("?", |((name, _), _)| name))
    }

    /// A few rows as a statement of its own, outside the commit path.
    pub(super) fn insert<'c>(
        &self,
        rows: impl Iterator<Item = [Cell<'c>; N]>,
        unless: &[&'static str],
    ) -> InsertStatement {
        let mut insert = Query::insert();
        insert.into_table(self.name).columns(self.columns.map(|(name, _)| name));
        for row in rows {
            let cells = row.into_iter().zip(&self.columns);
            insert.values_panic(cells.map(|(cell, (_, kind))| Expr::Value(cell.value(*kind))));
        }
        if !unless.is_empty() {
            let mut kept = OnConflict::columns(unless.iter().map(|key| Alias::new(*key)));
            insert.on_conflict(kept.do_nothing().to_owned());
        }
        insert
    }
}

impl Meets {
    /// Whether rows that are there change, and only those.
    pub(super) const fn is_change(self) -> bool {
        matches!(self, Self::Changed | Self::Raised)
    }

    /// What a statement that inserts says about it, in the words that both databases share.
    pub(super) fn clause(self, columns: &[Column]) -> String {
        match self {
            Self::Refused | Self::Stale | Self::Changed | Self::Raised => String::new(),
            Self::Kept(keys) => format!(" ON CONFLICT ({}) DO NOTHING", keys.join(", ")),
            Self::Replaced(keys) => {
                let others = columns.iter().filter(|(name, _)| !keys.contains(name));
                let set: Vec<String> =
                    others.map(|(name, _)| format!("{name} = excluded.{name}")).collect();
                let (keys, set) = (keys.join(", "), set.join(", "));
                format!(" ON CONFLICT ({keys}) DO UPDATE SET {set}")
            }
        }
    }
}

impl Rows<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len() / self.columns.len()
    }
}

impl Cell<'_> {
    /// As one of a column: a NULL has its kind too.
    fn value(self, kind: Kind) -> Value {
        match (self, kind) {
            (Self::Null, Kind::Id) => Option::<Uuid>::None.into(),
            (Self::Null, Kind::Int) => Option::<i32>::None.into(),
            (Self::Null, Kind::Big) => Option::<i64>::None.into(),
            (Self::Null, Kind::Text) => Option::<String>::None.into(),
            (Self::Null, Kind::Blob) => Option::<Vec<u8>>::None.into(),
            (Self::Id(id), _) => id.into(),
            (Self::Int(int), _) => int.into(),
            (Self::Big(big), _) => big.into(),
            (Self::Text(text), _) => text.into_owned().into(),
            (Self::Blob(bytes), _) => bytes.into_owned().into(),
        }
    }
}

macro_rules! cells {
    ($($from:ty => $kind:ident($make:expr)),+ $(,)?) => {
        $(impl<'c> From<$from> for Cell<'c> {
            fn from(value: $from) -> Self {
                Cell::$kind($make(value))
            }
        })+
    };
}

cells!(
    Uuid => Id(|id| id),
    i32 => Int(|int| int),
    i64 => Big(|big| big),
    String => Text(Cow::Owned),
    &'c str => Text(Cow::Borrowed),
    Vec<u8> => Blob(Cow::Owned),
    &'c [u8] => Blob(Cow::Borrowed),
);

impl<'c, T: Into<Cell<'c>>> From<Option<T>> for Cell<'c> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// A count, a number or an instant.
pub(super) fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// A word in the statement itself: an index over a part of a table is only used where the statement
/// says which part.
pub(super) fn word(word: &'static str) -> Expr {
    Expr::Constant(word.into())
}

/// How many rows of a group meet a condition.
pub(super) fn count_where(condition: impl IntoCondition) -> FunctionCall {
    Func::count(Expr::val(1_i64)).filter(condition.into_condition())
}
