//! Floor 3: whether a database still says what happened. Every ticket's chain is linked anew, its
//! history relived, and whatever follows from it (snapshot, columns, deadlines, cards, private contents
//! with a commitment, whose the review is) compared; then the one order of commits. What no history
//! holds (numbers of tickets, codes of reviews, messages, tokens, keys, attachments) is not looked at.
//!
//! Must never repair anything. What cannot be seen from within is said: a history that was rewritten
//! consistently from some event on, or cut off consistently at its end, needs a checkpoint outside.

use std::collections::BTreeMap;

use duban_core::apply::replay;
use duban_core::digest::Digest;
use duban_core::event::{Event, Fact, Sealed};
use duban_core::ticket_id::TicketId;

use crate::store::{Recorded, Store, StoreError, StoredTicket};

/// Tickets looked at together.
const PAGE: u64 = 64;

/// Commits looked at together.
const COMMITS: u64 = 10_000;

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Tickets.
    pub tickets: u64,
    /// Events.
    pub events: u64,
    /// Commits.
    pub commits: u64,
    /// Tickets that an open incident keeps time from moving on.
    pub held: u64,
    /// Private contents that are no longer there: erased, or taken away.
    pub erased: u64,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// An event that does not follow from the one before it.
    #[error("工单 {ticket} 第 {seq} 号记录与链不符：内容或摘要被改动")]
    Changed {
        /// The ticket.
        ticket: String,
        /// The event.
        seq: u64,
    },
    /// A number is left out.
    #[error("工单 {ticket} 缺第 {seq} 号记录：被删除")]
    Removed {
        /// The ticket.
        ticket: String,
        /// The number.
        seq: u64,
    },
    /// There are more events than the ticket has.
    #[error("工单 {ticket} 只应有 {seq} 条记录，其后还有：被添加")]
    Added {
        /// The ticket.
        ticket: String,
        /// How many there should be.
        seq: u64,
    },
    /// An event that was recorded before the one that it follows.
    #[error("工单 {ticket} 第 {seq} 号记录在总序中先于前一号：被调换")]
    Reordered {
        /// The ticket.
        ticket: String,
        /// The event.
        seq: u64,
    },
    /// The ticket's row ends its chain otherwise.
    #[error("工单 {ticket} 的末端摘要不是最后一条记录的：被改动")]
    Head {
        /// The ticket.
        ticket: String,
    },
    /// An event that says another number, or cannot be read.
    #[error("工单 {ticket} 第 {seq} 号记录无法读取：{why}")]
    Unreadable {
        /// The ticket.
        ticket: String,
        /// The event.
        seq: u64,
        /// Why.
        why: String,
    },
    /// A history that cannot be one.
    #[error("工单 {ticket} 的历史不能重放：{why}")]
    History {
        /// The ticket.
        ticket: String,
        /// Why.
        why: String,
    },
    /// A snapshot that is not its replay.
    #[error("工单 {ticket} 的快照不是其历史的重放：被改动")]
    Snapshot {
        /// The ticket.
        ticket: String,
    },
    /// Columns that say otherwise than the history.
    #[error("工单 {ticket} 的 {place} 与其历史不符：被改动")]
    Row {
        /// The ticket.
        ticket: String,
        /// Table and column, or place.
        place: String,
    },
    /// Private data that is not what was committed to.
    #[error("工单 {ticket} 第 {seq} 号记录所承诺的私密内容被改动")]
    Private {
        /// The ticket.
        ticket: String,
        /// The event.
        seq: u64,
    },
    /// The review that a ticket was opened by.
    #[error("工单 {ticket} 的评价（review 表）缺失，或指向别处：被改动")]
    Review {
        /// The ticket.
        ticket: String,
    },
    /// A row of a ticket that is not there.
    #[error("{table} 表中有工单 {ticket}（内部标识）的行，而工单不存在")]
    Stray {
        /// The table.
        table: &'static str,
        /// The ticket's identity.
        ticket: TicketId,
    },
    /// Events of a ticket that is not there.
    #[error("有记录的工单 {ticket}（内部标识）不存在：被删除")]
    NoTicket {
        /// Its identity.
        ticket: TicketId,
    },
    /// The one order of commits.
    #[error("提交总序有误：{0}")]
    Order(String),
}

/// Why an audit came to no good end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Something is wrong.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks at everything, and says now and then how far it is.
///
/// # Errors
/// The first thing that is wrong.
pub async fn verify(store: &Store, mut tell: impl FnMut(Checked)) -> Result<Checked, AuditError> {
    let mut checked = Checked::default();
    let mut after = None;
    loop {
        let page = store.audit_page(after, PAGE).await?;
        let mut histories: BTreeMap<TicketId, &[Recorded]> =
            page.events.chunk_by(|one, next| one.ticket == next.ticket).map(of).collect();
        for ticket in &page.tickets {
            let history = histories.remove(&ticket.id()).unwrap_or_default();
            checked.erased += whole(ticket, history)?;
            checked.held += u64::from(ticket.is_held());
            checked.tickets += 1;
            checked.events += history.len() as u64;
        }
        if let Some(ticket) = histories.into_keys().next() {
            return Err(Wrong::NoTicket { ticket }.into());
        }
        if let Some((table, ticket)) = page.stray {
            return Err(Wrong::Stray { table, ticket }.into());
        }
        tell(checked);
        after = page.tickets.last().map(StoredTicket::id);
        if page.is_last {
            break;
        }
    }
    order(store, &mut checked).await?;
    tell(checked);
    Ok(checked)
}

/// By its ticket; a chunk is never empty.
fn of(history: &[Recorded]) -> (TicketId, &[Recorded]) {
    (history[0].ticket, history)
}

/// A ticket with its history; how much of what it committed to is no longer there.
fn whole(ticket: &StoredTicket, history: &[Recorded]) -> Result<u64, Wrong> {
    let name = || ticket.ticket_no().to_owned();
    let mut head = Digest::ZERO;
    let mut position = i64::MIN;
    for (recorded, seq) in history.iter().zip(1..) {
        if recorded.seq > seq {
            return Err(Wrong::Removed { ticket: name(), seq });
        }
        head = head.link(&recorded.bytes);
        if head != recorded.hash || recorded.seq != seq {
            return Err(Wrong::Changed { ticket: name(), seq });
        }
        if recorded.position < position {
            return Err(Wrong::Reordered { ticket: name(), seq });
        }
        position = recorded.position;
    }
    let events = history.len() as u64;
    if events < ticket.seq() {
        return Err(Wrong::Removed { ticket: name(), seq: events + 1 });
    }
    if events > ticket.seq() {
        return Err(Wrong::Added { ticket: name(), seq: ticket.seq() });
    }
    if !ticket.has_head(head) {
        return Err(Wrong::Head { ticket: name() });
    }
    relived(ticket, history)
}

/// A ticket that its history makes, and everything that says the same once more.
fn relived(ticket: &StoredTicket, history: &[Recorded]) -> Result<u64, Wrong> {
    let name = || ticket.ticket_no().to_owned();
    let mut erased = 0;
    let mut events = Vec::with_capacity(history.len());
    for recorded in history {
        let event = Event::from_bytes(&recorded.bytes).map_err(|error| Wrong::Unreadable {
            ticket: name(),
            seq: recorded.seq,
            why: error.to_string(),
        })?;
        if sealed(&event).is_some_and(|sealed| !ticket.keeps(sealed)) {
            return Err(Wrong::Private { ticket: name(), seq: recorded.seq });
        }
        erased += u64::from(sealed(&event).is_some_and(|sealed| ticket.has_erased(sealed)));
        events.push(event);
    }
    let instance = replay(&events)
        .map_err(|error| Wrong::History { ticket: name(), why: error.to_string() })?;
    if instance.ticket != ticket.id() {
        let why = "首条记录属于另一工单".to_owned();
        return Err(Wrong::History { ticket: name(), why });
    }
    if !ticket.has_snapshot(&instance) {
        return Err(Wrong::Snapshot { ticket: name() });
    }
    if !ticket.has_review(events.first().and_then(sealed)) {
        return Err(Wrong::Review { ticket: name() });
    }
    match ticket.differs_from(&instance) {
        Some(place) => Err(Wrong::Row { ticket: name(), place }),
        None => Ok(erased),
    }
}

fn sealed(event: &Event) -> Option<&Sealed> {
    match &event.fact {
        Fact::Opened(opened) => opened.sealed.as_ref(),
        Fact::Acted(acted) => acted.sealed.as_ref(),
        _ => None,
    }
}

/// The one order: commits without gaps, each going on where the one before ended, up to what the
/// ledger says and what there is.
async fn order(store: &Store, checked: &mut Checked) -> Result<(), AuditError> {
    let wrong = |text: String| AuditError::from(Wrong::Order(text));
    let (mut number, mut position) = (0, 0);
    loop {
        let commits = store.commits_after(number, COMMITS).await?;
        for commit in &commits {
            if commit.number != number + 1 {
                return Err(wrong(format!("缺第 {} 次提交", number + 1)));
            }
            if commit.first_position != position + 1 || commit.last_position < position {
                return Err(wrong(format!("第 {} 次提交与前一次不相接", commit.number)));
            }
            (number, position) = (commit.number, commit.last_position);
            checked.commits += 1;
        }
        if (commits.len() as u64) < COMMITS {
            break;
        }
    }
    let totals = store.audit_totals().await?;
    if totals.ledger != (number, position) || totals.commits != (number, number) {
        return Err(wrong("提交的次数与总账不符".to_owned()));
    }
    if totals.events != (position, position) {
        return Err(wrong("记录的条数与总账不符".to_owned()));
    }
    Ok(())
}
