//! What every form of a session brings along. Must never let a form through that comes without.

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::visit::Visit;

/// The name of the seal's field.
pub(in crate::console) const SEAL: &str = "seal";

/// The field of the seal.
#[derive(Deserialize)]
pub(in crate::console) struct Sealed {
    #[serde(default)]
    seal: String,
}

impl Sealed {
    /// Whether a form stood on a page of this session.
    pub(in crate::console) fn is_of(&self, visit: &Visit) -> bool {
        is_sealed(visit, &self.seal)
    }
}

/// Whether a form with this seal stood on a page of this session.
pub(in crate::console) fn is_sealed(visit: &Visit, seal: &str) -> bool {
    seal == visit.seal
}

/// Seals a form.
pub(in crate::console) fn seal(visit: &Visit) -> Markup {
    html! { input type="hidden" name=(SEAL) value=(visit.seal); }
}
