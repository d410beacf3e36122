//! How far one ticket may grow, each limit with its reason. Must never be reached by a lawful
//! ticket: what reaches one runs in a circle, or somebody feeds it. An action is then refused; what
//! time brings about stands still as an incident, which people look into.

/// Events of a ticket. The longest lawful life, three returns and a rework, has about two hundred;
/// a supervisor who urges daily for a year adds as many again.
pub const EVENTS_MAX: u64 = 10_000;

/// Events after which no more actions are taken: what is left belongs to time, so that nobody can
/// talk a ticket out of its deadlines.
pub const EVENTS_OF_ACTIONS_MAX: u64 = 9_000;

/// Runs of all deadlines of a ticket. Each return, refusal and reopening starts at most a dozen.
pub const RUNS_MAX: usize = 1_000;

/// Marks of one tally. Definitions count to twenty at most; more are remembered, not needed.
pub const MARKS_MAX: usize = 1_000;

/// Firings in one decision: a month without the lane has a few dozen.
pub const FIRINGS_MAX: usize = 1_000;

/// Messages of one decision: a firing tells at most three audiences.
pub const MESSAGES_MAX: usize = 4_000;

/// Transitions that may follow one another by themselves. Real definitions need two.
pub const SETTLING_MAX: usize = 16;

/// Faults told of one form: a person mends these first.
pub const FAULTS_MAX: usize = 100;

/// Events after which nothing is noted down any more that changes nothing: notes and papers must
/// not use up the room of those who decide.
pub const EVENTS_OF_NOTES_MAX: u64 = 5_000;

/// Bytes of a filled-in form, about as JSON: its texts have limits of their own, their sum has this one.
pub const FORM_BYTES_MAX: usize = 64 * 1024;
