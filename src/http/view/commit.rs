//! A commit as a reader of the stream sees it. Must never name a ticket that is not his.

use duban_core::time::Instant;
use serde::Serialize;
use utoipa::ToSchema;

use super::event::EventView;
use crate::store::CommitPlace;

/// Everything that was committed at once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommitView {
    /// Its number, without gaps; only for whoever sees everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) recorded_at: Instant,
    /// In the order in which their rows are locked.
    pub(crate) tickets: Vec<ChangedView>,
    /// Numbers of tickets of this commit that cannot be read; an incident says why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unreadable: Vec<String>,
}

impl CommitView {
    /// Of a commit; its number is for whoever sees everything.
    pub(crate) fn new(
        commit: &CommitPlace,
        is_all: bool,
        tickets: Vec<ChangedView>,
        unreadable: Vec<String>,
    ) -> Self {
        let number = is_all.then_some(commit.number);
        Self { number, recorded_at: commit.recorded_at, tickets, unreadable }
    }
}

/// What happened on one ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedView {
    #[schema(example = "HCP20260304000127-5")]
    pub(crate) ticket_no: String,
    /// In order.
    pub(crate) events: Vec<EventView>,
}
