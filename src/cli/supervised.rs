//! What whoever started the service is told (systemd, `Type=notify`): that it is ready, that it is
//! alive, that it stops. Must never tell that it is alive when it is not working.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::engine::Engine;

/// Requests are answered from now on. Nobody may have asked.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// What is in hand is finished now.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that it is alive, for as long as it is: a watchdog that hears nothing starts it again.
pub(super) async fn alive(engine: Engine) {
    let Some(within) = sd_notify::watchdog_enabled().filter(|within| !within.is_zero()) else {
        return std::future::pending().await;
    };
    loop {
        // A database that does not answer is no reason to start again; committers that are gone are.
        if engine.is_working() {
            tell(&[NotifyState::Watchdog]);
        }
        tokio::time::sleep((within / 3).max(Duration::from_millis(100))).await;
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(error.kind = ?error.kind(), "whoever started the service cannot be told");
    }
}
