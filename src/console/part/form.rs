//! What every form of a session brings along. Must never let a form through that comes without.

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::visit::Visit;

/// The field of the seal.
#[derive(Deserialize)]
pub(in crate::console) struct Sealed {
    #[serde(default)]
    seal: String,
}

impl Sealed {
    /// Whether a form stood on a page of this session.
    pub(in crate::console) fn is_of(&self, visit: &Visit) -> bool {
        self.seal == visit.seal
    }
}

/// Seals a form.
pub(in crate::console) fn seal(visit: &Visit) -> Markup {
    html! { input type="hidden" name="seal" value=(visit.seal); }
}
