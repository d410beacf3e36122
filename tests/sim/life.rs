//! A life: a review, when the lane is off, and who does what when. Written as a scenario that
//! `duban simulate` plays.

use std::fmt::Write as _;

use duban_core::time::Instant;
use serde_json::Value;

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// When it arrived.
    pub(crate) at: i64,
    /// When it was committed; the lane has worked until then.
    pub(crate) recorded_at: i64,
    pub(crate) action: String,
    pub(crate) role: String,
    pub(crate) subject: String,
    pub(crate) agency: Option<String>,
    pub(crate) form: Value,
    /// The revision that the person saw, if he says.
    pub(crate) revision: Option<u32>,
}

/// All that happens to a ticket from outside.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) seed: u64,
    /// Whether the notices come later than in truth.
    pub(crate) has_late_notices: bool,
    pub(crate) class: String,
    pub(crate) reviewed_at: i64,
    pub(crate) received_at: i64,
    pub(crate) flags: Vec<String>,
    /// Spans in which the lane is off.
    pub(crate) outages: Vec<(i64, i64)>,
    /// How much later than it might the lane comes.
    pub(crate) lane_late_ms: i64,
    pub(crate) deeds: Vec<Deed>,
    /// Left alone until then.
    pub(crate) until: i64,
}

/// An instant as people and files write it.
pub(crate) fn written(ms: i64) -> String {
    Instant::from_ms(ms).to_string()
}

impl Life {
    /// The scenario, with the refusals that are expected of the deeds.
    pub(crate) fn scenario(
        &self,
        hotline_agencies: &[&str],
        refusals: &[Option<String>],
    ) -> String {
        let mut text = String::new();
        let quoted = |text: &str| Value::from(text).to_string();
        let workflow = if self.class == "staff" { "staff" } else { "matter" };
        let _ = writeln!(text, "title = \"seed {}\"", self.seed);
        let _ = writeln!(text, "workflow = {}", quoted(workflow));
        let _ = writeln!(text, "class = {}", quoted(&self.class));
        let _ = writeln!(text, "received = \"{}\"", written(self.received_at));
        if self.reviewed_at != self.received_at {
            let _ = writeln!(text, "reviewed = \"{}\"", written(self.reviewed_at));
        }
        if !self.flags.is_empty() {
            let _ = writeln!(text, "flags = {}", Value::from(self.flags.clone()));
        }
        let _ = writeln!(text, "hotline_agencies = {}", Value::from(hotline_agencies.to_vec()));
        let _ = writeln!(text, "until = \"{}\"", written(self.until));
        for (from, to) in &self.outages {
            let (from, to) = (written(*from), written(*to));
            let _ = writeln!(text, "\n[[outage]]\nfrom = \"{from}\"\nto = \"{to}\"");
        }
        for (index, deed) in self.deeds.iter().enumerate() {
            let _ = writeln!(text, "\n[[do]]\nat = \"{}\"", written(deed.at));
            if deed.recorded_at != deed.at {
                let _ = writeln!(text, "recorded_at = \"{}\"", written(deed.recorded_at));
            }
            let _ = writeln!(text, "action = {}", quoted(&deed.action));
            let _ = writeln!(text, "by = {}", quoted(&deed.role));
            let _ = writeln!(text, "as = {}", quoted(&deed.subject));
            if let Some(agency) = &deed.agency {
                let _ = writeln!(text, "agency = {}", quoted(agency));
            }
            let _ = writeln!(text, "form = {}", inline(&deed.form));
            if let Some(revision) = deed.revision {
                let _ = writeln!(text, "revision = {revision}");
            }
            if let Some(Some(code)) = refusals.get(index) {
                let _ = writeln!(text, "refused = {}", quoted(code));
            }
        }
        text
    }
}

/// JSON as TOML writes it on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| format!("{name} = {}", inline(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
