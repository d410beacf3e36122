//! The closed sets of words that a definition chooses from. Must never hold a rule: what follows
//! from a word stands in the definition.

use crate::words::words;

words! {
    /// Whether a step is part of the work.
    Status, "状态" {
        /// Somebody must act.
        Open = "open", "办理中";
        /// Done.
        Closed = "closed", "已办结";
        /// Put away.
        Archived = "archived", "已归档";
    }
}

words! {
    /// An issued record about an obligation.
    CardKind, "牌" {
        /// 黄牌
        YellowCard = "yellow_card", "黄牌";
        /// 红牌
        RedCard = "red_card", "红牌";
    }
}

words! {
    /// What a rung says besides its card.
    Notice, "督促方式" {
        /// 预警: a word in time. No card: whoever is on time ends without one.
        EarlyWarning = "early_warning", "预警";
        /// 催办
        Urge = "urge", "催办";
        /// 督办
        Supervise = "supervise", "督办";
        /// 通报
        Bulletin = "bulletin", "通报";
    }
}

words! {
    /// What a verification found.
    Finding, "核实结论" {
        /// 有效差评
        Valid = "valid", "有效差评";
        /// 诉求不合理
        Unreasonable = "unreasonable", "诉求不合理";
        /// 误评
        Mistaken = "mistaken", "误评";
        /// 恶意评价
        Malicious = "malicious", "恶意评价";
    }
}

words! {
    /// How a ticket was closed.
    Outcome, "办结结果" {
        /// 已整改
        Rectified = "rectified", "已整改";
        /// 已解释
        Explained = "explained", "已解释说明";
        /// 误评
        Mistaken = "mistaken", "误评";
        /// 恶意评价
        Malicious = "malicious", "恶意评价";
        /// 重办后仍不满意
        Unresolved = "unresolved", "重办后仍不满意";
        /// 重复
        Duplicate = "duplicate", "重复工单";
    }
}

words! {
    /// What an effect does outside the ticket.
    EffectKind, "对外处理方式" {
        /// Hands the ticket to the agency's own system.
        Push = "push", "推送工单";
        /// Tells somebody.
        Notify = "notify", "通知";
        /// Returns the result to the system that the review came from.
        ReturnResult = "return_result", "返回结果";
        /// Recounts the valid findings about a staff member; the result is an advisory for people.
        CountFindings = "count_findings", "重新统计有效差评";
    }
}
