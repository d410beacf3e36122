//! Floor 3: whether a database still says what happened. Every ticket's chain is linked anew, its
//! history relived, and whatever follows from it (snapshot, columns, deadlines, cards, private contents
//! with a commitment, whose the review is, files that forms name) compared; then every file of an
//! attachment, and the one order of commits. What no history holds (numbers of tickets, codes of
//! reviews, messages, tokens, keys, files that no form names) is not looked at.
//!
//! Must never repair anything. What cannot be seen from within is said: a history that was rewritten
//! consistently from some event on, or cut off consistently at its end, needs a checkpoint outside.

mod wrong;

use std::collections::{BTreeMap, BTreeSet};

use duban_core::apply::replay;
use duban_core::digest::Digest;
use duban_core::event::{Event, Fact, Sealed};
use duban_core::evidence::named_in;
use duban_core::ticket_id::TicketId;

use crate::store::{CommitPlace, Recorded, Store, StoreError, StoredTicket};
use crate::vault::{Vault, VaultError};
pub use wrong::Wrong;

/// Tickets looked at together.
const PAGE: u64 = 64;

/// Attachments looked at together.
const FILES: u64 = 100;

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
    /// Files of attachments; none where there was no folder to look into.
    pub files: Option<u64>,
    /// Private contents that are no longer there: erased, or taken away.
    pub erased: u64,
}

/// Why an audit came to no good end.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Something is wrong.
    #[error(transparent)]
    Wrong(#[from] Wrong),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk with the files of attachments.
    #[error(transparent)]
    Files(std::io::Error),
}

/// Looks at everything, and says now and then how far it is. Without a vault the files themselves
/// are not looked at.
///
/// # Errors
/// The first thing that is wrong.
pub async fn verify(
    store: &Store,
    vault: Option<&Vault>,
    mut tell: impl FnMut(Checked),
) -> Result<Checked, AuditError> {
    let mut checked = Checked::default();
    let commits = order(store, &mut checked).await?;
    let mut after = None;
    loop {
        let page = match store.audit_page(after, PAGE).await {
            Err(StoreError::Unreadable(_)) => return Err(unreadable(store, after).await),
            page => page?,
        };
        let mut histories: BTreeMap<TicketId, &[Recorded]> =
            page.events.chunk_by(|one, next| one.ticket == next.ticket).map(of).collect();
        for ticket in &page.tickets {
            let history = histories.remove(&ticket.id()).unwrap_or_default();
            checked.erased += whole(ticket, history, &commits)?;
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
    if let Some(vault) = vault {
        files(store, vault, &mut checked, &mut tell).await?;
    }
    totals(store, &commits).await?;
    tell(checked);
    Ok(checked)
}

/// The first ticket after one whose rows cannot be read.
async fn unreadable(store: &Store, mut after: Option<TicketId>) -> AuditError {
    let of_nobody = || Wrong::Order("有不属于任何工单的行无法读取".to_owned());
    loop {
        match store.audit_page(after, 1).await {
            // It has been put right meanwhile.
            Ok(page) if page.is_last => return StoreError::Stale.into(),
            Ok(page) => after = page.tickets.last().map(StoredTicket::id),
            Err(StoreError::Unreadable(what)) => {
                return match store.ticket_no_after(after).await {
                    Ok(Some(ticket)) => Wrong::Kind { ticket, what }.into(),
                    Ok(None) => of_nobody().into(),
                    Err(error) => error.into(),
                };
            }
            Err(error) => return error.into(),
        }
    }
}

/// Every file is there, and is what was uploaded.
async fn files(
    store: &Store,
    vault: &Vault,
    checked: &mut Checked,
    tell: &mut impl FnMut(Checked),
) -> Result<(), AuditError> {
    let (mut count, mut after) = (0, None);
    checked.files = Some(0);
    loop {
        let page = store.attachments_after(after, FILES).await?;
        for one in &page {
            match vault.read(one.sm3).await {
                Ok((_, bytes)) if bytes == one.bytes => count += 1,
                Ok(_) | Err(VaultError::Damaged) => {
                    return Err(Wrong::File { id: one.id, sm3: one.sm3 }.into());
                }
                Err(VaultError::Disk(error)) => return Err(AuditError::Files(error)),
            }
            checked.files = Some(count);
            tell(*checked);
        }
        after = page.last().map(|one| one.id);
        if (page.len() as u64) < FILES {
            return Ok(());
        }
    }
}

/// By its ticket; a chunk is never empty.
fn of(history: &[Recorded]) -> (TicketId, &[Recorded]) {
    (history[0].ticket, history)
}

/// A ticket with its history; how much of what it committed to is no longer there.
fn whole(
    ticket: &StoredTicket,
    history: &[Recorded],
    commits: &[CommitPlace],
) -> Result<u64, Wrong> {
    let name = || ticket.ticket_no().to_owned();
    if !ticket.has_number() {
        return Err(Wrong::Number { ticket: name() });
    }
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
    let Some(seq) = ticket.seq() else {
        return Err(Wrong::NoSnapshot { ticket: name() });
    };
    if events < seq {
        return Err(Wrong::Removed { ticket: name(), seq: events + 1 });
    }
    if events > seq {
        return Err(Wrong::Added { ticket: name(), seq });
    }
    if !ticket.has_head(head) {
        return Err(Wrong::Head { ticket: name() });
    }
    relived(ticket, history, commits)
}

/// A ticket that its history makes, and everything that says the same once more.
fn relived(
    ticket: &StoredTicket,
    history: &[Recorded],
    commits: &[CommitPlace],
) -> Result<u64, Wrong> {
    let name = || ticket.ticket_no().to_owned();
    let mut erased = 0;
    let mut events = Vec::with_capacity(history.len());
    for recorded in history {
        let event = Event::from_bytes(&recorded.bytes).map_err(|error| Wrong::Unreadable {
            ticket: name(),
            seq: recorded.seq,
            why: error.to_string(),
        })?;
        if !is_of(recorded, &event, commits) {
            return Err(Wrong::Misplaced { ticket: name(), seq: recorded.seq });
        }
        if sealed(&event).is_some_and(|sealed| !ticket.keeps(sealed)) {
            return Err(Wrong::Private { ticket: name(), seq: recorded.seq });
        }
        erased += u64::from(sealed(&event).is_some_and(|sealed| ticket.has_erased(sealed)));
        if let Some(sm3) = named(&event).into_iter().find(|sm3| !ticket.has_file(*sm3)) {
            return Err(Wrong::Evidence { ticket: name(), seq: recorded.seq, sm3 });
        }
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

/// The files that an event's form names.
fn named(event: &Event) -> BTreeSet<Digest> {
    let Fact::Acted(acted) = &event.fact else { return BTreeSet::new() };
    acted.form.values().flat_map(named_in).map(|(_, sm3)| sm3).collect()
}

fn sealed(event: &Event) -> Option<&Sealed> {
    match &event.fact {
        Fact::Opened(opened) => opened.sealed.as_ref(),
        Fact::Acted(acted) => acted.sealed.as_ref(),
        _ => None,
    }
}

/// Whether an event was recorded when the commit was made that took its position.
fn is_of(recorded: &Recorded, event: &Event, commits: &[CommitPlace]) -> bool {
    let place = commits.partition_point(|commit| commit.last_position < recorded.position);
    commits.get(place).is_none_or(|commit| commit.recorded_at == event.recorded_at)
}

/// The one order: commits without gaps, each going on where the one before ended.
async fn order(store: &Store, checked: &mut Checked) -> Result<Vec<CommitPlace>, AuditError> {
    let wrong = |text: String| AuditError::from(Wrong::Order(text));
    let mut all: Vec<CommitPlace> = Vec::new();
    loop {
        let (number, position) =
            all.last().map_or((0, 0), |commit| (commit.number, commit.last_position));
        let commits = store.commits_after(number, COMMITS).await?;
        let (mut number, mut position) = (number, position);
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
        let is_last = (commits.len() as u64) < COMMITS;
        all.extend(commits);
        if is_last {
            return Ok(all);
        }
    }
}

/// Whether the order reaches as far as the ledger says, and as there is something.
async fn totals(store: &Store, commits: &[CommitPlace]) -> Result<(), AuditError> {
    let wrong = |text: &str| AuditError::from(Wrong::Order(text.to_owned()));
    let last = commits.last().map_or((0, 0), |commit| (commit.number, commit.last_position));
    let totals = store.audit_totals().await?;
    if totals.ledger != last || totals.commits != (last.0, last.0) {
        return Err(wrong("提交的次数与总账不符"));
    }
    if totals.events != (last.1, last.1) {
        return Err(wrong("记录的条数与总账不符"));
    }
    Ok(())
}
