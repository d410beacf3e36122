//! One random life, lived beside the oracle.

use crate::choose;
use crate::coverage::Coverage;
use crate::life::Life;
use crate::play::{Failure, Player};
use crate::random::Random;
use crate::setting::Settings;
use crate::shrink;

/// Lives one life, choosing each deed as the ticket stands; gives the number of its events.
pub(crate) fn live(
    settings: &Settings,
    seed: u64,
    coverage: &mut Coverage,
) -> (Life, Result<usize, Failure>) {
    let mut random = Random::new(seed);
    let (mut life, manner) = choose::beginning(&mut random, seed, settings);
    let setting = settings.of(&life);
    let mut player = match Player::open(setting, &life, coverage) {
        Ok(player) => player,
        Err(failure) => return (life, Err(failure)),
    };
    for _ in 0..manner.deeds {
        if player.instance.step == *"archived" && random.chance(70) {
            break;
        }
        let deed = choose::next(&mut random, manner, &player);
        life.deeds.push(deed.clone());
        life.until = player.now.max(deed.recorded_at);
        if let Err(failure) = player.act(&deed, coverage) {
            return (life, Err(failure));
        }
    }
    life.until = player.now + random.below(70) * 86_400_000;
    if let Err(failure) = player.end(life.until, coverage) {
        return (life, Err(failure));
    }
    let same = shrink::same_without_the_lane(setting, &life, &player);
    (life, same.map(|()| player.events.len()))
}
