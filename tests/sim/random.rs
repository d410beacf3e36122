//! Chance that can be repeated: splitmix64 from a seed. Must never draw from anywhere else.

/// A generator of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above zero.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end).expect("above zero");
        i64::try_from(self.next() % end).expect("below an i64")
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let index = self.below(i64::try_from(list.len()).expect("a short list"));
        &list[usize::try_from(index).expect("not negative")]
    }

    /// One of a list, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, list: &[(i64, T)]) -> T {
        let mut left = self.below(list.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in list {
            if left < *weight {
                return *one;
            }
            left -= weight;
        }
        list[0].1
    }
}
