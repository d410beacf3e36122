//! What an audit can find. Must never say what is about people.

use duban_core::digest::Digest;
use duban_core::ticket_id::TicketId;
use uuid::Uuid;

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
    /// An event at a position that another commit took.
    #[error("工单 {ticket} 第 {seq} 号记录与其所在提交的时刻不符：总序被改动")]
    Misplaced {
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
    #[error("工单 {ticket} 的历史不能重演：{why}")]
    History {
        /// The ticket.
        ticket: String,
        /// Why.
        why: String,
    },
    /// There is no snapshot.
    #[error("工单 {ticket} 的快照（snapshot 表）不存在：被删除")]
    NoSnapshot {
        /// The ticket.
        ticket: String,
    },
    /// A snapshot that is not its replay.
    #[error("工单 {ticket} 的快照与重演历史所得不同：被改动")]
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
    /// A number that cannot be one.
    #[error("工单编号 {ticket} 的形式或校验码不符：被改动")]
    Number {
        /// The ticket.
        ticket: String,
    },
    /// Something in its rows that is of no kind that could stand there.
    #[error("工单 {ticket} 在库中的内容无法读取（{what}）：被改动")]
    Kind {
        /// The ticket.
        ticket: String,
        /// Which column, as far as it is known.
        what: String,
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
    /// A form that names a file which nobody has uploaded.
    #[error("工单 {ticket} 第 {seq} 号记录所引的附件 {sm3} 没有登记：被删除")]
    Evidence {
        /// The ticket.
        ticket: String,
        /// The event.
        seq: u64,
        /// The file.
        sm3: Digest,
    },
    /// A file that is not what was uploaded.
    #[error("附件 {id}（SM3 {sm3}）的文件缺失或被改动")]
    File {
        /// The attachment.
        id: Uuid,
        /// The file.
        sm3: Digest,
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
