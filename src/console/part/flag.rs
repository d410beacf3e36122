//! What is remarkable about a ticket, in a word. Must never hide a flag that has no word here.

use maud::{Markup, html};

use crate::console::words::Lang;

/// Every flag of the shipped workflows.
const FLAGS: &[(&str, &str, &str)] = &[
    ("anonymous", "匿名", "Anonymous"),
    ("hotline_self", "涉热线", "About the hotline"),
    ("ruled", "热线督导指派", "Assigned by ruling"),
    ("supervised", "督办", "Supervised"),
    ("unreachable", "联系不上", "Unreachable"),
    ("ordered_to_correct", "已责令改正", "Ordered to correct"),
    ("self_criticised", "已书面检讨", "Self-criticism filed"),
];

/// A flag's word.
pub(in crate::console) fn title(lang: Lang, flag: &str) -> &str {
    let found = FLAGS.iter().find(|(name, ..)| *name == flag);
    found.map_or(flag, |(_, chinese, english)| lang.of(chinese, english))
}

/// All of them, for a choice.
pub(in crate::console) fn all(lang: Lang) -> impl Iterator<Item = (&'static str, &'static str)> {
    FLAGS.iter().map(move |(name, chinese, english)| (*name, lang.of(chinese, english)))
}

/// Flags as a row of a list shows them.
pub(in crate::console) fn flags(lang: Lang, flags: &[String]) -> Markup {
    html! { @for flag in flags { " " span.tag { (title(lang, flag)) } } }
}

#[cfg(test)]
mod tests {
    use duban_core::definition::FLAGS_FROM_OUTSIDE;

    use super::FLAGS;
    use crate::catalog::{Source, shelf};

    #[test]
    fn every_flag_of_the_shipped_workflows_has_its_word() {
        let shelf = shelf(&Source::Embedded).expect("the shelf");
        let set = shelf.newest().flat_map(|one| one.flags_set().map(ToString::to_string));
        for flag in set.chain(FLAGS_FROM_OUTSIDE.iter().map(ToString::to_string)) {
            assert!(FLAGS.iter().any(|(name, ..)| *name == flag), "{flag}");
        }
    }
}
