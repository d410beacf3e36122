//! Why somebody is shown a person unmasked. Must never hold free text: it goes into history.

use super::words::words;

words! {
    /// Why somebody is shown a person unmasked.
    Purpose, "查看目的" {
        /// To talk to the reviewer.
        Contact = "contact", "联系评价人";
        /// To find out what happened.
        Verify = "verify", "核实情况";
        /// To ask whether it is better now.
        Callback = "callback", "回访";
        /// A complaint about how it was handled.
        Complaint = "complaint", "处理投诉";
        /// Supervision of efficiency.
        Audit = "audit", "效能监督";
    }
}
