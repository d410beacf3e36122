//! What becomes of a file that has come in whole: kept, listed, and taken into the ticket's history.
//! Must never stop half way because its sender has gone.

use axum::http::HeaderMap;
use duban_core::deadline::{Card, CardState};
use duban_core::definition::{Action, CardStep};
use duban_core::digest::Digest;
use duban_core::event::{Acted, Fact};
use duban_core::evidence::DIGEST;
use duban_core::limits::EVENTS_MAX;
use duban_core::name::Name;
use duban_core::rejection::Rejection;
use duban_core::role::Role;
use duban_core::ticket_id::TicketId;
use serde_json::{Value, json};

use super::caller::Caller;
use super::endpoint::attachments::Material;
use super::limits::Slot;
use super::policy::Reach;
use super::problem::{Kind, Problem};
use super::sight::{Seen, Sight};
use super::{Api, keys};
use crate::engine::{Declined, Keyed, Receipt, Task, Turn};
use crate::store::{Attachment, RequestKey, Side};
use crate::vault::Incoming;

/// Attachments of one side on one ticket: whoever gives it back must not have used up the room of
/// whoever gets it.
const ATTACHMENTS_MAX: u64 = 200;

/// Where a file is there and its record is not.
const KEPT: &str = "文件已保存，但尚未记入历史；请重新上传";

/// The action by which a ticket's history learns of a file that no other form names.
const ATTACH: &str = "attach";

/// A file that has come in whole.
pub(crate) struct Upload {
    pub(crate) api: Api,
    pub(crate) caller: Caller,
    pub(crate) reach: Reach,
    pub(crate) ticket_no: String,
    pub(crate) headers: HeaderMap,
    pub(crate) file: Incoming,
    pub(crate) content_type: &'static str,
    pub(crate) material: Material,
    /// Its place among the caller's transfers.
    pub(crate) slot: Slot,
}

impl Upload {
    /// Keeps it and takes it into the history, if the caller may do that at this step; whether the
    /// same request had come before.
    pub(crate) async fn keep(mut self) -> Result<((Attachment, Option<Receipt>), bool), Problem> {
        // To come in took a while: the token may have been revoked, the ticket given to another.
        self.caller.still_counts(&self.api).await?;
        let seen = self.api.seen(&self.reach, &self.ticket_no).await?;
        self.api.takes_file(&self.caller, &seen)?;
        let sm3 = self.file.end().await?;
        let key = self.key(sm3)?;
        let Self { api, caller, file, content_type, material, slot, .. } = self;
        let (ticket, store) = (seen.id, api.engine.store());
        let own = caller.agency.as_ref();
        let keep = async |turn: &Turn| {
            let there = store.attachments(ticket, Side::Of(own), ATTACHMENTS_MAX).await?;
            let is_same = |one: &Attachment| one.sm3 == sm3 && one.content_type == content_type;
            if there.len() as u64 >= ATTACHMENTS_MAX && !there.iter().any(is_same) {
                let say = "一个单位在一件工单上至多 200 个附件";
                return Err(Problem::new(Kind::AttachmentsFull, say));
            }
            let new = Attachment {
                id: turn.about,
                ticket,
                sm3,
                bytes: file.bytes,
                content_type: content_type.to_owned(),
                agency: own.cloned(),
                uploaded_by: caller.subject.clone(),
                uploaded_at: api.engine.clock().now(),
            };
            // The file before its row: a row without a file would promise what is not there.
            file.keep().await?;
            let kept = store.add_attachment(&new).await?;
            let recorded = api.recorded(&caller, ticket, sm3).await;
            let mut receipt = recorded.map_err(|problem| problem.saying(KEPT))?;
            // What was done before is answered as it was, and does nothing new.
            if receipt.is_none() && !turn.is_done {
                receipt = api.record(&caller, ticket, sm3, material).await?;
            }
            Ok((kept, receipt))
        };
        let kept = api.once(key, 0, keep).await;
        drop(slot);
        kept
    }

    /// Under which it may be sent again.
    fn key(&self, sm3: Digest) -> Result<Option<Keyed>, Problem> {
        let side = self.caller.agency.as_ref().map(Name::as_str).unwrap_or_default();
        let operation = format!("POST /v1/tickets/{}/attachments", self.ticket_no);
        let body = json!([sm3, self.content_type, self.material, side]).to_string().into();
        keys::keyed(&self.headers, &self.caller, &operation, &body, 201)
    }
}

impl Api {
    /// Whether a file of a caller's can become evidence: his side must have something to name it in
    /// at this step, and whoever no longer has the ticket a card to object to.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn takes_file(&self, caller: &Caller, seen: &Seen) -> Result<(), Problem> {
        let instance = &seen.loaded.instance;
        let own_card =
            |card: &Card| card.agency == caller.agency && card.state != CardState::Revoked;
        let has_card = instance.cards.iter().any(own_card);
        if seen.sight != Sight::Whole && !has_card {
            return Err(Problem::new(Kind::NotYours, "工单已不在本单位，也没有可提出异议的牌"));
        }
        let definition = self.engine.knowledge().context().definition(instance)?;
        let step = definition.step(instance.step.as_str());
        let names_files = |action: &&Action| {
            let form = definition.form(action.form.as_str());
            let fields = form.and_then(|form| form.schema["properties"].as_object());
            let names = |field: &Value| field["items"]["properties"][DIGEST].is_object();
            fields.is_some_and(|fields| fields.values().any(names))
        };
        // One of an agency sends what another of it names.
        let side = match caller.role {
            Role::Agency | Role::AgencyLead => vec![Role::Agency, Role::AgencyLead],
            role => vec![role],
        };
        let is_own = |action: &&Action| {
            let roles = definition.roles(action, &instance.flags);
            let contests = matches!(action.card, Some(CardStep::Contest(_)));
            roles.iter().any(|role| side.contains(role))
                && if contests { has_card } else { seen.sight == Sight::Whole }
        };
        let possible = step.into_iter().flat_map(|step| definition.possible_in(step));
        let mut naming = possible.filter(names_files).peekable();
        let title = step.map(|step| step.title.as_str()).unwrap_or_default();
        if naming.peek().is_none() {
            let say = format!("工单处于“{title}”，不再接收附件");
            return Err(Problem::new(Kind::WrongStep, say));
        }
        if naming.any(|action| is_own(&action)) {
            return Ok(());
        }
        let say = format!("工单处于“{title}”，本角色没有可附材料的事项");
        Err(Problem::new(Kind::NotPermitted, say))
    }

    /// Takes a file into a ticket's history, if the caller may do that at this step.
    async fn record(
        &self,
        caller: &Caller,
        ticket: TicketId,
        sm3: Digest,
        kind: Material,
    ) -> Result<Option<Receipt>, Problem> {
        let form = json!({"attachments": [{"sm3": sm3, "kind": kind}]});
        let (action, actor) = (Name::from(ATTACH), caller.actor());
        let task =
            Task::Act { ticket, action, actor, form, revision: None, fault: None, original: None };
        let arrival = self.engine.arrive().await;
        match self.engine.submit(&arrival, task, Some(of_file(caller, ticket, sm3))).await {
            Ok(done) => Ok(done.receipt),
            // Not his to do, or not at this step: the file waits for a form that names it.
            Err(Declined::Rejected(
                Rejection::NotYours
                | Rejection::NotPermitted { .. }
                | Rejection::WrongStep { .. }
                | Rejection::UnknownAction { .. }
                | Rejection::Guarded { .. },
            )) => Ok(None),
            Err(Declined::KeyRunning) => {
                Err(Problem::new(Kind::KeyRunning, "同一文件正在上传，请稍后再查"))
            }
            Err(declined @ Declined::OutcomeUnknown) => Err(declined.into()),
            Err(Declined::Rejected(rejection)) => {
                let why = format!("文件已保存，但不能记入历史：{rejection}");
                Err(Problem::from(rejection).saying(&why))
            }
            Err(declined) => Err(Problem::from(declined).saying(KEPT)),
        }
    }

    /// The receipt of the action `attach` by which the caller's side has named a file before.
    async fn recorded(
        &self,
        caller: &Caller,
        ticket: TicketId,
        sm3: Digest,
    ) -> Result<Option<Receipt>, Problem> {
        let name = sm3.to_string();
        let history = self.engine.store().history(ticket, 0, EVENTS_MAX).await?;
        for one in history.iter().filter(|one| contains(&one.bytes, name.as_bytes())) {
            let event = one.event()?;
            let is_own =
                |acted: &Acted| acted.action.as_str() == ATTACH && acted.agency == caller.agency;
            if matches!(&event.fact, Fact::Acted(acted) if is_own(acted)) {
                let (seq, hash, at, arrived_at) = (event.seq, one.hash, event.at, event.arrived_at);
                return Ok(Some(Receipt { seq, hash, at, arrived_at }));
            }
        }
        Ok(None)
    }
}

/// One side takes one file into a ticket's history once, on whatever node and however often it is
/// sent, even where nobody waited for the answer.
fn of_file(caller: &Caller, ticket: TicketId, sm3: Digest) -> Keyed {
    let side = caller.agency.as_ref().map(Name::as_str).unwrap_or_default();
    let (operation, key) = (format!("{ATTACH} {ticket}"), sm3.to_string());
    let key = RequestKey { subject: side.into(), operation, key };
    Keyed { key, body: [].into(), status: 201 }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
