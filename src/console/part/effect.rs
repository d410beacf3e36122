//! What a message does, in words. Must never hide one that has no word here.

use duban_core::definition::EffectKind;

use crate::console::words::Lang;

/// An effect's word.
pub(in crate::console) fn title(lang: Lang, effect: &str) -> &str {
    let found = EffectKind::ALL.iter().find(|one| one.word() == effect);
    found.map_or(effect, |one| lang.of(one.title(), one.word()))
}
