//! Legal bases: what a definition cites, and the texts that a citation resolves to.
//! Must never pass off one of our answers as an article.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{Faults, Table, read};
use crate::name::Name;

/// A citation: `article 24(2)`, `local_rule A9` or `civil_code 203`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Basis(pub Name);

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str())
    }
}

/// What a citation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasisText {
    /// A short heading.
    pub title: String,
    /// The text of the article, or our answer where the text is silent.
    pub text: String,
}

/// Reads the texts of all citations.
///
/// # Errors
/// Every fault with its line and key.
pub fn read_basis_texts(file: &str, text: &str) -> Result<BTreeMap<Basis, BasisText>, Faults> {
    read(file, text, |root| {
        let mut texts = BTreeMap::new();
        for key in root.keys() {
            let Some(entry) = root.optional_table(&key) else { continue };
            let title = entry.text("title");
            let words = entry.text("text");
            let _ = entry.optional_text("key");
            entry.close();
            if let (Some(title), Some(text)) = (title, words) {
                texts.insert(Basis(key.into()), BasisText { title, text });
            }
        }
        Some(texts)
    })
}

/// Reads `basis = ["article 24", "local_rule A9"]`. Whether a citation resolves is checked when
/// all texts are at hand.
pub(super) fn read_basis(table: &Table<'_>) -> Vec<Basis> {
    table.list("basis", |text| {
        let kind = text.split(' ').next().unwrap_or_default();
        if ["article", "local_rule", "civil_code"].contains(&kind) {
            Ok(Basis(text.into()))
        } else {
            Err(format!(
                "不是依据：«{text}»；应写作 article 24(2)、local_rule A9 或 civil_code 203"
            ))
        }
    })
}
