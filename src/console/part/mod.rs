//! What pages are put together from. Must never ask anybody for anything: a part shows what it is given.

pub(super) mod basis;
pub(super) mod chart;
pub(super) mod choice;
pub(super) mod class;
pub(super) mod effect;
pub(super) mod flag;
pub(super) mod form;
pub(super) mod light;
pub(super) mod number;
pub(super) mod party;
pub(super) mod pips;
pub(super) mod role;
pub(super) mod when;
