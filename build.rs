//! Tells cargo that the embedded folders are sources: the macro that embeds them does not.

fn main() {
    for folder in ["calendars", "workflows"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
