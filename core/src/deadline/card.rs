//! Cards: issued, immutable records about an obligation that was not met. Must never be removed:
//! contesting and revoking are records of their own.

use serde::{Deserialize, Serialize};

use crate::definition::{CardKind, RungAt};
use crate::name::Name;
use crate::reason::RevokeReason;
use crate::role::Party;
use crate::time::Instant;
use crate::words::words;

words! {
    /// Where a card stands.
    CardState, "牌的状态" {
        /// Stands.
        Issued = "issued", "有效";
        /// Stands, but the agency's leader objects.
        Contested = "contested", "有异议";
        /// No longer counts.
        Revoked = "revoked", "已撤销";
    }
}

/// An issued card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Unique within the ticket; see [`card_id`].
    pub id: Name,
    /// 黄牌 or 红牌.
    pub kind: CardKind,
    /// The deadline.
    pub deadline: Name,
    /// Its run.
    pub run: u16,
    /// Its generation.
    pub generation: u16,
    /// The rung that issued it.
    pub rung: RungAt,
    /// Who is charged.
    pub party: Party,
    /// The agency that is charged, where it is one.
    pub agency: Option<Name>,
    /// The due instant at the time.
    pub due_at: Instant,
    /// When it was issued.
    pub fired_at: Instant,
    /// Where it stands.
    pub state: CardState,
    /// Whether it was objected to in vain: it is not objected to again.
    pub upheld: bool,
    /// Why it was revoked.
    pub revoked: Option<RevokeReason>,
}

/// What a card's identity says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardId<'i> {
    /// The deadline.
    pub deadline: &'i str,
    /// Which of its runs, from 1.
    pub run: u16,
    /// Which ladder of the run.
    pub generation: u16,
    /// The rung.
    pub rung: RungAt,
}

impl<'i> CardId<'i> {
    /// Reads one that [`card_id`] has written.
    #[must_use]
    pub fn read(id: &'i str) -> Option<Self> {
        let mut parts = id.splitn(4, '.');
        let (deadline, run, generation) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            deadline,
            run: run.parse().ok()?,
            generation: generation.parse().ok()?,
            rung: parts.next()?.parse().ok()?,
        })
    }
}

/// A card's identity: deadline, run, generation and rung, as in `contact.1.0.end`. The same rung
/// can never issue a second card, whoever tries.
#[must_use]
pub fn card_id(deadline: &Name, run: u16, generation: u16, rung: RungAt) -> Name {
    format!("{deadline}.{run}.{generation}.{rung}").into()
}
