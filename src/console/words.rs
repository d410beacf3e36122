//! The two languages of the pages: Chinese, which officials read, and English beside it. What
//! definitions and the register say is Chinese in both. Must never change what is sent.

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lang {
    #[default]
    Chinese,
    English,
}

impl Lang {
    /// The words of this language.
    pub(super) const fn of<'w>(self, chinese: &'w str, english: &'w str) -> &'w str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// As documents name it.
    pub(super) const fn tag(self) -> &'static str {
        self.of("zh-CN", "en")
    }

    /// The language of a tag.
    pub(super) fn tagged(tag: &str) -> Option<Self> {
        [Self::Chinese, Self::English].into_iter().find(|lang| lang.tag() == tag)
    }

    /// The other one, by its own name.
    pub(super) const fn other(self) -> (Self, &'static str) {
        match self {
            Self::Chinese => (Self::English, "English"),
            Self::English => (Self::Chinese, "中文"),
        }
    }
}
