//! What people do about a card: object to it, uphold it, revoke it. Must never take a card away: it
//! stays, with what became of it.

use super::draft::Draft;
use super::guard::Asked;
use crate::deadline::CardState;
use crate::definition::{Action, CardStep, EffectKind};
use crate::event::{CardRef, CardRevoked, Fact};
use crate::message::About;
use crate::name::Name;
use crate::rejection::Rejection;
use crate::role::Audience;

impl Draft<'_> {
    pub(super) fn check_card(&self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let Some(step) = &action.card else { return Ok(()) };
        let field = step.field().as_str();
        let id = asked.text(step.field()).unwrap_or_default();
        let Some(card) = self.instance.cards.iter().find(|card| card.id == *id) else {
            return Err(Rejection::field(field, "有误：本工单没有这张牌，请核对编号"));
        };
        let fits = match step {
            CardStep::Contest(_) => card.state == CardState::Issued,
            CardStep::Uphold(_) => card.state == CardState::Contested,
            CardStep::Revoke(_) => card.state != CardState::Revoked,
        };
        if !fits {
            let title = card.state.title();
            return Err(Rejection::field(
                field,
                format!("有误：这张牌现为“{title}”，不能这样办理"),
            ));
        }
        if matches!(step, CardStep::Contest(_)) && card.upheld {
            return Err(Rejection::field(
                field,
                "有误：对这张牌的异议已作出维持决定，不得再次提出",
            ));
        }
        // Whoever stands in for the hotline does not judge the cards that it holds in its place.
        let role = asked.actor.role;
        if !action.by.contains(&role) && role.acts_for(card.party) {
            return Err(Rejection::field(field, "有误：不得审核发给本部门的黄牌、红牌"));
        }
        let foreign = asked.actor.agency.is_none() || asked.actor.agency != card.agency;
        if asked.actor.role.is_bound_to_agency() && foreign {
            return Err(Rejection::field(field, "有误：这张牌不是发给本单位的"));
        }
        Ok(())
    }

    /// Does it, and tells whoever it concerns: an objection those who decide, a decision whoever
    /// has the card.
    pub(super) fn card(&mut self, action: &Action, asked: Asked<'_>) -> Result<(), Rejection> {
        let Some(step) = &action.card else { return Ok(()) };
        let card = Name::from(asked.text(step.field()).unwrap_or_default());
        match step {
            CardStep::Contest(_) => {
                self.record(Fact::CardContested(CardRef { card: card.clone() }))?;
                self.tell_of_card(card, Some(Audience::Supervisor))
            }
            CardStep::Uphold(_) => {
                self.record(Fact::CardUpheld(CardRef { card: card.clone() }))?;
                self.tell_of_card(card, None)
            }
            CardStep::Revoke(_) => {
                let reason = action.name.clone().into();
                self.record(Fact::CardRevoked(CardRevoked { card: card.clone(), reason }))?;
                self.tell_of_card(card, None)
            }
        }
    }

    /// Tells an audience, or whoever has the card, what became of it.
    pub(super) fn tell_of_card(
        &mut self,
        card: Name,
        to: Option<Audience>,
    ) -> Result<(), Rejection> {
        let Some(known) = self.instance.cards.iter().find(|one| one.id == card) else {
            return Ok(());
        };
        let (state, agency) = (known.state, known.agency.clone());
        let to = to.unwrap_or(known.party.told_of_cards());
        let about = About::Card { card, state };
        self.tell(self.instance.seq, EffectKind::Notify, &[to], agency.as_ref(), &about)
    }
}
