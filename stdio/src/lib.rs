//! Whether there was a standard output when the program was started. Must never do anything else:
//! it is the one crate that asks for something to be done before `main`.
//!
//! The language's own start opens `/dev/null` in place of a standard stream that is closed (`>&-`),
//! so that a file opened later does not take its number. From then on a result that nobody can get
//! looks like one that somebody has thrown away, and only an earlier look tells them apart.

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether the program was started without a standard output. Always false where the system does
/// not tell.
#[must_use]
pub fn output_was_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
mod early {
    use std::fs::symlink_metadata;
    use std::sync::atomic::Ordering;

    /// Must not count on anything that the language's start has yet to prepare.
    extern "C" fn look() {
        let is_there = |path: &str| symlink_metadata(path).is_ok();
        let is_closed = is_there("/proc/self/fd") && !is_there("/proc/self/fd/1");
        super::CLOSED.store(is_closed, Ordering::Relaxed);
    }

    #[expect(unsafe_code, reason = "the only way to run before the language's own start")]
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
