//! Legal bases: what a definition cites, and the texts that a citation resolves to.
//! Must never pass off one of our answers as an article.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::{Faults, Table, read};
use crate::echo::echo;
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

impl Basis {
    /// As officials cite it: 第二十四条第一项, 第二十五条第一款, 本系统规则 A14.
    #[must_use]
    pub fn title(&self) -> String {
        let (kind, which) = self.0.as_str().split_once(' ').unwrap_or((self.0.as_str(), ""));
        match (kind, cited(which)) {
            ("article", Some(cited)) => cited,
            ("civil_code", Some(cited)) => format!("《民法典》{cited}"),
            ("local_rule", _) => format!("本系统规则 {which}"),
            _ => self.0.to_string(),
        }
    }
}

/// `24` is an article, `24(1)` its first numbered item, `25(p1)` its first paragraph and
/// `27(p2-3)` some of its paragraphs.
fn cited(which: &str) -> Option<String> {
    let Some((article, part)) = which.strip_suffix(')').and_then(|one| one.split_once('(')) else {
        return Some(format!("第{}条", chinese(which.parse().ok()?)));
    };
    let article = chinese(article.parse().ok()?);
    let part = match part.strip_prefix('p') {
        None => format!("第{}项", chinese(part.parse().ok()?)),
        Some(paragraphs) => match paragraphs.split_once('-') {
            None => format!("第{}款", chinese(paragraphs.parse().ok()?)),
            Some((first, last)) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                format!("第{}款至第{}款", chinese(first), chinese(last))
            }
        },
    };
    Some(format!("第{article}条{part}"))
}

const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// A number below a hundred in Chinese, or with its hundreds; others in digits.
fn chinese(number: usize) -> String {
    let digit = |digit: usize| DIGITS.get(digit).copied().unwrap_or_default();
    match (number / 10, number % 10) {
        (0, ones) => digit(ones).to_owned(),
        (1, ones) => format!("十{}", digit(ones)),
        (tens @ 2..=9, ones) => format!("{}十{}", digit(tens), digit(ones)),
        (10..=99, _) => {
            let (hundreds, rest) = (number / 100, number % 100);
            let rest = match rest {
                0 => String::new(),
                1..=9 => format!("零{}", digit(rest)),
                10..=19 => format!("一{}", chinese(rest)),
                _ => chinese(rest),
            };
            format!("{}百{rest}", digit(hundreds))
        }
        _ => number.to_string(),
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
            let words = entry.paragraphs("text");
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
                "不是依据：“{}”；应写作 article 24(2)、local_rule A9 或 civil_code 203",
                echo(text)
            ))
        }
    })
}
