//! Why a deadline ended or a card was revoked: a word of duban's own, or one of the definition.
//! Must never let the two be taken for each other: the words of ours are reserved.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::name::Name;

/// Declares a set of reserved words beside the names of a definition, written as one text.
macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $title:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A word of the definition: an event, a flag or an action.
            Of(Name),
        }

        impl $name {
            /// The words that no definition may use for its own.
            pub const RESERVED: &[&str] = &[$($word),+];

            /// The word as history writes it.
            #[must_use]
            pub fn word(&self) -> &str {
                match self { $(Self::$variant => $word,)+ Self::Of(name) => name.as_str() }
            }

            /// The word as officials read it; none for those of the definition.
            #[must_use]
            pub const fn title(&self) -> Option<&'static str> {
                match self { $(Self::$variant => Some($title),)+ Self::Of(_) => None }
            }
        }

        impl From<Name> for $name {
            fn from(name: Name) -> Self {
                match name.as_str() { $($word => Self::$variant,)+ _ => Self::Of(name) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Name::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

reasons! {
    /// Why a deadline is no longer owed.
    EndReason {
        /// The agency gave its ticket back.
        Released = "released", "退单";
        /// The ticket was closed.
        Closed = "closed", "工单办结";
        /// The new class does not have it.
        Reclassified = "reclassified", "变更类别";
    }
}

reasons! {
    /// Why a card no longer counts.
    RevokeReason {
        /// It was issued while an extension was asked for, which was granted.
        ExtensionPending = "extension_pending", "延期申请审核期间所发";
    }
}
