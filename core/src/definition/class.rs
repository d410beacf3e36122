//! What a review is about (第八条), in a word. Must never hide a class that has no word here.

/// The classes of the regulation.
const CLASSES: [(&str, &str); 4] = [
    ("matter", "事项差评"),
    ("business", "业务差评"),
    ("system", "系统差评"),
    ("staff", "人员差评"),
];

/// What a class is called; itself where it is another.
#[must_use]
pub fn class_title(class: &str) -> &str {
    CLASSES.iter().find(|(name, _)| *name == class).map_or(class, |(_, title)| title)
}
