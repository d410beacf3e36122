//! Who owes something, and who is told of it, in words. Must never hide one that has no word here.

use duban_core::role::{Audience, Party};

use crate::console::shape::rules::Rules;
use crate::console::words::Lang;

/// A party's word.
pub(in crate::console) fn title(lang: Lang, party: &str) -> &str {
    let found = Party::ALL.iter().find(|one| one.word() == party);
    found.map_or(party, |one| lang.of(one.title(), one.word()))
}

/// To whom a message goes: an audience, and where there are many which of them.
pub(in crate::console) fn destination(lang: Lang, rules: &Rules, destination: &str) -> String {
    let (to, which) = destination.split_once(':').unwrap_or((destination, ""));
    let audience = Audience::ALL.iter().find(|one| one.word() == to);
    let to = audience.map_or(to, |one| lang.of(one.title(), one.word()));
    if which.is_empty() { to.to_owned() } else { format!("{to} {}", rules.agency(which)) }
}
