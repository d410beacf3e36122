//! Names of steps, actions, deadlines, agencies and people's subjects: short, shared, cheap to
//! copy. Must never hold personal data or free text.

use std::borrow::Borrow;

use crate::echo::echo;
use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The longest name of ours: names stand in every event, on every card and in column titles.
const BYTES_MAX: usize = 40;

/// An identifier out of a definition, a code table or a token. Short ones lie in place, so that
/// reading and copying a ticket costs no allocation for each of its many names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(SmolStr);

impl Name {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is a code of somebody's table: short, of letters, digits and a few marks.
    #[must_use]
    pub fn is_code(&self) -> bool {
        let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        (1..=BYTES_MAX).contains(&self.as_str().len()) && self.as_str().bytes().all(is_fit)
    }

    /// A name of ours: lower case, digits and underscores.
    ///
    /// # Errors
    /// Any other text, with what a name should look like.
    pub fn ours(text: &str) -> Result<Self, String> {
        let good = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= BYTES_MAX
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            Ok(text.into())
        } else {
            Err(format!("不是名称：“{}”；应以小写字母开头，只含小写字母、数字和下划线", echo(text)))
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
