//! In what role somebody is, in words. Must never hide one that has no word here.

use duban_core::role::Role;

use crate::console::words::Lang;

/// A role's word.
pub(in crate::console) fn title(lang: Lang, role: &str) -> &str {
    let found = Role::ALL.iter().find(|one| one.word() == role);
    found.map_or(role, |one| lang.of(one.title(), one.word()))
}
