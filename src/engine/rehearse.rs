//! What would become of commands if they were carried out now. Must never commit anything.

use std::sync::Arc;

use duban_core::instance::Instance;

use super::desk::{Decided, Desk};
use super::request::{Request, Task, Work};
use super::{Arrival, Declined, Engine};

/// How often it is tried again once something has settled.
const ATTEMPTS_MAX: usize = 3;

impl Engine {
    /// Decides on each of these as it would be decided, one after another on the state that the one
    /// before would leave; the tickets afterwards. Nothing is committed, and no incident noted.
    pub async fn rehearse(
        &self,
        arrival: &Arrival<'_>,
        tasks: Vec<Task>,
    ) -> Vec<Result<Arc<Instance>, Declined>> {
        let requests =
            tasks.into_iter().map(|task| Request { arrived_at: arrival.at, task, key: None });
        let works: Vec<Work> = requests.map(Work::new).collect();
        let inner = &self.inner;
        for _ in 0..ATTEMPTS_MAX {
            let loaded = match inner.load(&works).await {
                Ok(loaded) => loaded,
                Err(error) => return all(&works, &Declined::Store(error)),
            };
            let at = inner.clock.now();
            let mut desk = match inner.desk(&works, loaded, 0).await {
                Ok(desk) => desk,
                Err(error) => return all(&works, &Declined::Store(error)),
            };
            let places = works.iter().enumerate();
            let decided: Vec<Decided> =
                places.map(|(place, work)| desk.decide(inner, place, work, at)).collect();
            let settled = decided.iter().filter_map(|one| match one {
                Decided::Wait(until) => Some(*until),
                _ => None,
            });
            match settled.max() {
                Some(until) => inner.clock.sleep_until(until).await,
                None => return decided.into_iter().map(|one| outcome(&desk, one)).collect(),
            }
        }
        all(&works, &Declined::Busy)
    }
}

fn outcome(desk: &Desk, decided: Decided) -> Result<Arc<Instance>, Declined> {
    match decided {
        Decided::Changed { ticket, .. } => {
            let change = desk.tickets.get(&ticket).and_then(|one| one.as_ref().ok());
            change.map(|change| Arc::clone(&change.instance)).ok_or(Declined::NoSuchTicket)
        }
        Decided::Declined(declined) => Err(declined),
        Decided::Before(_) | Decided::Wait(_) => Err(Declined::Busy),
    }
}

fn all(works: &[Work], declined: &Declined) -> Vec<Result<Arc<Instance>, Declined>> {
    works.iter().map(|_| Err(declined.clone())).collect()
}
