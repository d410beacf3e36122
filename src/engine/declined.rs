//! Why a request was not carried out. Must never say “nothing happened” where that is not known,
//! nor repeat what a form said.

use duban_core::rejection::Rejection;
use duban_core::time::Instant;

use crate::store::StoreError;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Declined {
    /// The rules say no. Nothing happened.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It arrived before something that is recorded as having happened by time. Nothing happened.
    #[error("本次提交于 {} 收到，此后到期的事项已先行记录，本次未予办理；请刷新后重新提交，是否超期按重新提交的时间认定", .arrived_at.said())]
    Overtaken {
        /// When it arrived.
        arrived_at: Instant,
    },
    /// There is no such ticket.
    #[error("没有这件工单")]
    NoSuchTicket,
    /// The same review with other content came before. Nothing happened.
    #[error("该来源已推送过同一编号而内容不同的评价；评价一经受理不得更改，更正请用新的编号")]
    ReviewDiffers,
    /// The same key came with another request before. Nothing happened.
    #[error("同一 Idempotency-Key 已用于另一请求；每个请求应使用新的键")]
    KeyReused,
    /// A request with the same key is being carried out.
    #[error("同一 Idempotency-Key 的请求正在办理，请稍后再查")]
    KeyRunning,
    /// Too much is waiting. Nothing happened.
    #[error("系统繁忙，本次未予办理，请稍后重试")]
    Busy,
    /// This node's clock is off. Nothing happened.
    #[error("本节点的时钟与数据库相差过大，暂停办理，本次未予办理；请稍后重试，或改用其他节点")]
    Aside,
    /// The service is being stopped. Nothing happened.
    #[error("服务正在停止，本次未予办理，请稍后重试")]
    Stopping,
    /// The database cannot take it. Nothing happened.
    #[error("{0}；本次未予办理")]
    Store(StoreError),
    /// Whether it was carried out is not known: ask again with the same key.
    #[error("办理结果不明，请查询工单后再办，或用同一 Idempotency-Key 重试")]
    OutcomeUnknown,
    /// The ticket cannot be decided on; an incident says why. Nothing happened.
    #[error("工单暂时不能办理，请联系运维人员")]
    Incident,
}
