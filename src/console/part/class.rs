//! What a review is about (第八条), in a word. Must never hide a class that has no word here.

use duban_core::definition::class_title;

use crate::console::words::Lang;

const CLASSES: &[(&str, &str)] =
    &[("matter", "Matter"), ("business", "Business"), ("system", "System"), ("staff", "Staff")];

/// A class's word.
pub(in crate::console) fn title(lang: Lang, class: &str) -> &str {
    let found = CLASSES.iter().find(|(name, _)| *name == class);
    lang.of(class_title(class), found.map_or(class, |(_, english)| english))
}

/// All of them, for a choice.
pub(in crate::console) fn all(lang: Lang) -> impl Iterator<Item = (&'static str, &'static str)> {
    CLASSES.iter().map(move |(name, _)| (*name, title(lang, name)))
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, class_title};
    use crate::catalog::{Source, shelf};

    #[test]
    fn every_class_of_the_shipped_workflows_has_its_word() {
        let shelf = shelf(&Source::Embedded).expect("the shelf");
        for class in shelf.newest().flat_map(|one| &one.classes) {
            assert!(CLASSES.iter().any(|(name, _)| *name == class.as_str()), "{class}");
            assert_ne!(class_title(class.as_str()), class.as_str());
        }
    }
}
