//! Floor 1: logs, measures and traces. Must never be given personal data: what is logged are codes,
//! identities and our own words.

pub mod traces;

use std::io::IsTerminal;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use traces::Traces;

/// What says what is logged.
const VARIABLE: &str = "DUBAN_LOG";

/// What is logged where nobody says otherwise.
const FILTER: &str = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,apalis_core=warn";

/// Starts logging to the error stream: for people on a terminal, as JSON otherwise; and tracing,
/// where traces go somewhere.
pub fn log(traces: Option<&Traces>) {
    let asked = std::env::var_os(VARIABLE);
    let found = asked.as_ref().and_then(|asked| filter(asked.to_str()?));
    let is_wrong = asked.is_some() && found.is_none();
    let filter = found.unwrap_or_else(|| EnvFilter::new(FILTER));
    // Spans are for a collector; a line is the same whether there is one or not.
    let filter = filter.and(filter_fn(|of| !of.is_span()));
    let registry = tracing_subscriber::registry().with(traces.map(Traces::layer));
    // A second start in one process (tests) keeps the first.
    let _ = if std::io::stderr().is_terminal() {
        let people = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        registry.with(people.with_target(false).with_filter(filter)).try_init()
    } else {
        let programs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        registry.with(programs.json().flatten_event(true).with_filter(filter)).try_init()
    };
    if is_wrong {
        tracing::warn!(
            variable = VARIABLE,
            "is no filter (such as info, or info,duban=debug); the usual one holds"
        );
    }
}

/// What somebody wants logged; none where it is no filter: a word alone is a level, or a slip that
/// would silence everything.
fn filter(asked: &str) -> Option<EnvFilter> {
    let parts = asked.split(',').map(str::trim);
    let mut words = parts.filter(|part| !part.contains(['=', '[']));
    let are_levels = words.all(|word| word.parse::<LevelFilter>().is_ok());
    are_levels.then(|| EnvFilter::try_new(asked).ok()).flatten()
}

/// What a fault of the program says of itself may hold what somebody wrote: only where it was is
/// logged.
pub fn quiet_faults() {
    std::panic::set_hook(Box::new(|fault| {
        let place = fault.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a fault of the program");
    }));
}

/// Starts measuring; the handle renders `/metrics`.
///
/// # Errors
/// The buckets are none.
pub fn measure() -> Result<PrometheusHandle, BuildError> {
    use metrics_exporter_prometheus::Matcher;
    let seconds = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 6.0, 10.0, 60.0, 600.0, 3_600.0];
    let counts = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0];
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &seconds)?
        .set_buckets_for_metric(Matcher::Suffix("_tickets".to_owned()), &counts)?
        .set_buckets_for_metric(Matcher::Suffix("_coalesced".to_owned()), &counts)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // A second start in one process (tests) measures nothing of its own.
    let _ = metrics::set_global_recorder(recorder);
    describe();
    Ok(handle)
}

/// How often what was measured is summed up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Sums up what was measured, for ever: else every single value is kept until somebody asks.
pub async fn keep(measures: PrometheusHandle) {
    let mut turns = tokio::time::interval(UPKEEP);
    loop {
        turns.tick().await;
        measures.run_upkeep();
    }
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_histogram!("duban_timer_lag_seconds", "How long after it was due a batch was begun.");
    describe_histogram!("duban_commit_seconds", "How long a commit took.");
    describe_histogram!("duban_commit_tickets", "Tickets in a commit.");
    describe_counter!("duban_commits_total", "Commits tried, by outcome.");
    describe_gauge!("duban_database_up", "Whether the database answered when this was asked.");
    describe_histogram!("duban_commands_coalesced", "Requests that shared a commit.");
    describe_gauge!("duban_outbox_age_seconds", "How old the oldest waiting message is.");
    describe_gauge!("duban_timer_overdue_seconds", "How long the longest due ticket has been due.");
    describe_gauge!("duban_redis_up", "Whether Redis answers; absent where none is set.");
    describe_gauge!("duban_clock_skew_seconds", "How far the clock is behind the database's.");
    describe_counter!("duban_rate_limited_total", "Requests that were too many for their token.");
    describe_counter!("duban_commands_total", "Requests by outcome.");
    describe_counter!("duban_deliveries_total", "Attempts to deliver, by outcome.");
    describe_counter!("duban_incidents_total", "Tickets that could not be decided on.");
    describe_gauge!("duban_incidents_open", "Incidents that nobody has resolved.");
    describe_histogram!("duban_http_seconds", "How long a request took, by route and status.");
}

#[cfg(test)]
mod tests {
    /// What dashboard and page name is measured and described.
    #[test]
    fn measures_that_are_named_are_there() {
        let described = include_str!("mod.rs");
        let mut named = 0;
        for text in [
            include_str!("../../deploy/grafana.json"),
            include_str!("../../docs/operations.md"),
            include_str!("../../docs/operations.zh-CN.md"),
        ] {
            for word in text.split(|char: char| !char.is_ascii_lowercase() && char != '_') {
                let Some(_) = word.strip_prefix("duban_").filter(|rest| rest.len() > 9) else {
                    continue;
                };
                let name = word.trim_end_matches("_bucket").trim_end_matches("_count");
                assert!(described.contains(&format!("(\"{name}\", ")), "{name}");
                named += 1;
            }
        }
        assert!(named > 20, "{named}");
    }
}
