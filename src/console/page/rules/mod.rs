//! What tickets are worked by: the calendar and the definitions.

pub(in crate::console) mod calendar;
mod ways;
pub(in crate::console) mod workflows;
