//! What is asked of the engine, and what it answers. Must never be logged: a form may hold personal
//! data.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use duban_core::command::{Disclose, Opening};
use duban_core::definition::FieldFault;
use duban_core::digest::Digest;
use duban_core::instance::Instance;
use duban_core::name::Name;
use duban_core::role::Actor;
use duban_core::ticket_id::TicketId;
use duban_core::time::{Day, Instant};
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

use super::Declined;
use super::keyed::Running;
use crate::store::{ADVANCE, PersonalRow, RECOMPUTE, RequestKey, ReviewRow};

/// Something that somebody asks for.
#[derive(Debug)]
pub struct Request {
    /// When it had been read: the stamp that decides whether it is in time.
    pub arrived_at: Instant,
    /// What.
    pub task: Task,
    /// Under which key it may be repeated.
    pub key: Option<Keyed>,
}

/// A request that may be repeated.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// Whose, of which operation, under which key.
    pub key: RequestKey,
    /// The body, which a repetition must have too.
    pub body: Arc<[u8]>,
    /// The status of a good answer.
    pub status: u16,
}

/// What is asked for.
pub enum Task {
    /// A bad review becomes a ticket.
    Open(Box<NewReview>),
    /// Somebody does something on a ticket.
    Act {
        /// The ticket.
        ticket: TicketId,
        /// The action.
        action: Name,
        /// Who.
        actor: Actor,
        /// The filled-in form.
        form: Value,
        /// The revision that the actor saw, if he says.
        revision: Option<u32>,
        /// What the house knows against the form and the core cannot: told where everything else is
        /// as it should be.
        fault: Option<FieldFault>,
        /// The ticket of which the form says that this one repeats it.
        original: Option<Box<Original>>,
    },
    /// Somebody is shown the reviewer unmasked.
    Disclose {
        /// The ticket.
        ticket: TicketId,
        /// Who, and why.
        disclose: Disclose,
    },
    /// Time passes on a ticket.
    Advance {
        /// The ticket.
        ticket: TicketId,
    },
    /// A notice was published.
    Recompute {
        /// The ticket.
        ticket: TicketId,
        /// The day of the publication.
        known_on: Day,
    },
}

/// Another ticket, on which it depends whether one can be its duplicate. It is looked at as the
/// committer of this node sees it.
#[derive(Clone, Debug)]
pub struct Original {
    /// The ticket.
    pub ticket: TicketId,
    /// What is told where it has been closed as a duplicate itself when this is decided.
    pub fault: FieldFault,
}

impl std::fmt::Debug for Task {
    /// Without forms and reviews: they may hold personal data, and this may end up in a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(review) => write!(out, "open {}", review.opening.ticket),
            Self::Act { ticket, action, .. } => write!(out, "{action} {ticket}"),
            Self::Disclose { ticket, .. } => write!(out, "disclose {ticket}"),
            Self::Advance { ticket } => write!(out, "advance {ticket}"),
            Self::Recompute { ticket, known_on } => write!(out, "recompute {ticket} {known_on}"),
        }
    }
}

/// A bad review on its way in.
#[derive(Debug)]
pub struct NewReview {
    /// What the core decides on; sealed.
    pub opening: Opening,
    /// The review by its source's number.
    pub review: ReviewRow,
    /// Everything about people, under the key of the seal.
    pub personal: PersonalRow,
    /// The whole content in canonical bytes: what a repetition must say too.
    pub content: Vec<u8>,
}

/// Shows when and how an action was taken into history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event's number within the ticket.
    pub seq: u64,
    /// Its link of the chain.
    pub hash: Digest,
    /// When it took effect.
    pub at: Instant,
    /// When the request arrived, where that was before it took effect.
    pub arrived_at: Option<Instant>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether the same key had asked for it before.
    pub repeated: bool,
    /// The ticket.
    pub ticket: TicketId,
    /// The number that people use.
    pub ticket_no: String,
    /// The ticket after the commit; none where the request had been carried out before.
    pub instance: Option<Arc<Instance>>,
    /// The event that it became; none where nothing was new.
    pub receipt: Option<Receipt>,
    /// Whether it had been carried out before.
    pub replayed: bool,
}

impl Task {
    /// Whose turn it is among so many: the same for all that is about one ticket, or one review.
    pub(super) fn turn(&self, of: usize) -> usize {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Open(new) => (&new.review.source, &new.review.review_id).hash(&mut hasher),
            Self::Act { ticket, .. }
            | Self::Disclose { ticket, .. }
            | Self::Advance { ticket }
            | Self::Recompute { ticket, .. } => ticket.hash(&mut hasher),
        }
        let place = hasher.finish() % of.max(1) as u64;
        usize::try_from(place).unwrap_or_default()
    }
}

/// A request with somebody who waits for its answer.
#[derive(Debug)]
pub(super) struct Submitted {
    pub(super) request: Request,
    /// Nobody else carries out a request of the same key while it is on its way, whether or not
    /// somebody still waits for its answer.
    pub(super) running: Option<Running>,
    pub(super) answer: oneshot::Sender<Result<Done, Declined>>,
    /// What whoever traces it sees it as a part of.
    pub(super) span: Span,
}

/// A piece of work in a batch.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) request: Request,
    /// Commits of it whose end was not heard of, with what they would have done.
    pub(super) unknown: Vec<(Uuid, Done)>,
}

impl Work {
    pub(super) const fn new(request: Request) -> Self {
        Self { request, unknown: Vec::new() }
    }

    /// What it is called where it fails.
    pub(super) fn command(&self) -> &str {
        match &self.request.task {
            Task::Open(_) => "open",
            Task::Act { action, .. } => action.as_str(),
            Task::Disclose { .. } => "disclose",
            Task::Advance { .. } => ADVANCE,
            Task::Recompute { .. } => RECOMPUTE,
        }
    }

    /// Whether time asks for it, and nobody.
    pub(super) const fn is_of_time(&self) -> bool {
        matches!(self.request.task, Task::Advance { .. } | Task::Recompute { .. })
    }

    /// The day of the publication, of a recomputation.
    pub(super) const fn known_on(&self) -> Option<Day> {
        match self.request.task {
            Task::Recompute { known_on, .. } => Some(known_on),
            _ => None,
        }
    }

    /// Another ticket that the decision looks at.
    pub(super) fn original(&self) -> Option<&Original> {
        match &self.request.task {
            Task::Act { original, .. } => original.as_deref(),
            _ => None,
        }
    }

    /// The ticket that it is about; a new one's before it is there.
    pub(super) fn ticket(&self) -> TicketId {
        match &self.request.task {
            Task::Open(review) => review.opening.ticket,
            Task::Act { ticket, .. }
            | Task::Disclose { ticket, .. }
            | Task::Advance { ticket }
            | Task::Recompute { ticket, .. } => *ticket,
        }
    }
}

impl Outcome {
    /// The word of a measure.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Declined(_) => "declined",
            Self::Wait(..) => "settling",
        }
    }
}

/// What became of a piece of work.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Box<Done>),
    Declined(Declined),
    /// Something that is not settled before then stands in the way of the request.
    Wait(Instant, Box<Request>),
}
