//! What a review is about (第八条), in a word. Must never hide a class that has no word here.

use crate::console::words::Lang;

const CLASSES: &[(&str, &str, &str)] = &[
    ("matter", "事项差评", "Matter"),
    ("business", "业务差评", "Business"),
    ("system", "系统差评", "System"),
    ("staff", "人员差评", "Staff"),
];

/// A class's word.
pub(in crate::console) fn title(lang: Lang, class: &str) -> &str {
    let found = CLASSES.iter().find(|(name, ..)| *name == class);
    found.map_or(class, |(_, chinese, english)| lang.of(chinese, english))
}

/// All of them, for a choice.
pub(in crate::console) fn all(lang: Lang) -> impl Iterator<Item = (&'static str, &'static str)> {
    CLASSES.iter().map(move |(name, chinese, english)| (*name, lang.of(chinese, english)))
}

#[cfg(test)]
mod tests {
    use super::CLASSES;
    use crate::catalog::{Source, shelf};

    #[test]
    fn every_class_of_the_shipped_workflows_has_its_word() {
        let shelf = shelf(&Source::Embedded).expect("the shelf");
        for class in shelf.newest().flat_map(|one| &one.classes) {
            assert!(CLASSES.iter().any(|(name, ..)| *name == class.as_str()), "{class}");
        }
    }
}
