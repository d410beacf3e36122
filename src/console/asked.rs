//! What an address asks for beside its path. Must never read one word twice: of two that contradict one
//! another neither is taken.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::Response;

use super::ask::segment;
use super::told::Told;
use super::visit::lang;
use super::words::Lang;
use super::{Console, layout};

/// The words of an address by name; what is empty is not asked for.
pub(super) struct Asked(BTreeMap<String, String>);

impl Asked {
    /// What is asked for under a name; empty where there is none.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Refuses words that a page does not know: what is asked for in vain is not taken for answered.
    ///
    /// # Errors
    /// There is one.
    pub(super) fn only(&self, lang: Lang, known: &[&str]) -> Result<(), Told> {
        let is_known = self.0.keys().all(|name| known.contains(&name.as_str()));
        if is_known { Ok(()) } else { Err(Told::unknown_filter(lang)) }
    }

    /// Some of the words, as an address goes on with them: `&light=red&agency=SZ013`.
    pub(super) fn some(&self, names: &[&str]) -> String {
        let mut some = String::new();
        for (name, value) in self.0.iter().filter(|(name, _)| names.contains(&name.as_str())) {
            // Writing to a string cannot fail.
            let _ = write!(some, "&{name}={}", segment(value));
        }
        some
    }

    /// All of them.
    pub(super) fn all(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl FromRequestParts<Console> for Asked {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Response> {
        let mut all = BTreeMap::new();
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let is_readable = pairs.is_ok_and(|Query(pairs)| {
            let mut pairs = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
            pairs.all(|(name, value)| all.insert(name, value).is_none())
        });
        if is_readable {
            return Ok(Self(all));
        }
        let lang = lang(&parts.headers);
        let told = Told::unknown_filter(lang);
        Err(layout::alone(lang, &told))
    }
}
