//! Figures of the working-day calendar, one JSON line each: `cargo bench --bench calendar`.

use std::hint::black_box;
use std::time::Instant as Stopwatch;

use duban_core::calendar::{Calendar, Edition, Unit, Within};
use duban_core::time::{Day, Instant};

/// Runs per figure; the best shows what the code can do, the median what to expect.
const RUNS: usize = 15;
/// Operations per run: long enough that the stopwatch does not matter.
const OPERATIONS: usize = 4_000_000;
/// Inputs, in turn: more than fit the first cache, so that the tables are not hit in order.
const INPUTS: usize = 1 << 16;

fn main() {
    let calendar = duban_shipped::calendar();
    let edition = calendar.latest();
    let days = days();
    measure("add_working_days", "known years 2018-2026, n -60..=60 without 0", |index| {
        let (day, n) = days[index % INPUTS];
        edition.add_working_days(day, n).map_or(0, |day| i64::from(day.number()))
    });
    measure("working_days_between", "known years 2018-2026", |index| {
        let (day, n) = days[index % INPUTS];
        i64::from(edition.working_days_between(day, day.plus(n)))
    });
    due(edition);
    due_known_at(&calendar);
    whole_calendar();
}

/// A fixed sequence of numbers without pattern (xorshift).
fn numbers() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

fn days() -> Vec<(Day, i32)> {
    let first = Day::from_ymd(2018, 3, 1).map_or(0, Day::number);
    let pick = |number: u64, below: u64| i32::try_from(number % below).unwrap_or(0);
    let numbers = numbers().take(INPUTS);
    numbers
        .map(|number| {
            let n = pick(number >> 32, 60) + 1;
            let n = if number & 1 == 0 { n } else { -n };
            (Day::from_number(first + pick(number >> 8, 3_100)), n)
        })
        .collect()
}

fn starts() -> Vec<(Instant, Within)> {
    let days = days().into_iter().zip(numbers());
    days.map(|((day, n), number)| {
        let ms = i64::from(day.number()) * 86_400_000 + i64::try_from(number >> 40).unwrap_or(0);
        (Instant::from_ms(ms), Within { amount: n, unit: Unit::WorkingDays })
    })
    .collect()
}

fn due(edition: &Edition) {
    let starts = starts();
    measure("due", "instant to due, firm, known years 2018-2026", |index| {
        let (start, within) = starts[index % INPUTS];
        edition.due(start, within).map_or(0, |due| due.at.ms())
    });
}

fn due_known_at(calendar: &Calendar) {
    let starts = starts();
    measure("due_known_at", "instant to due by what was known at the start", |index| {
        let (start, within) = starts[index % INPUTS];
        calendar.known_at(start).due(start, within).map_or(0, |due| due.at.ms())
    });
}

fn whole_calendar() {
    let begun = Stopwatch::now();
    let calendar = duban_shipped::calendar();
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    let editions = calendar.publications().count();
    println!(r#"{{"figure":"load","editions":{editions},"ms":{ms:.2}}}"#);
}

fn measure(figure: &str, conditions: &str, operation: impl Fn(usize) -> i64) {
    let mut seconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = Stopwatch::now();
            let mut sum = 0_i64;
            for index in 0..OPERATIONS {
                sum = sum.wrapping_add(black_box(operation(black_box(index))));
            }
            black_box(sum);
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a count of a few millions")]
    let per_second = |seconds: f64| OPERATIONS as f64 / seconds / 1e6;
    let (best, median) = (per_second(seconds[0]), per_second(seconds[RUNS / 2]));
    println!(
        r#"{{"figure":"{figure}","conditions":"{conditions}, one thread, {RUNS} runs of {OPERATIONS}","best_millions_per_s":{best:.1},"median_millions_per_s":{median:.1}}}"#
    );
}
