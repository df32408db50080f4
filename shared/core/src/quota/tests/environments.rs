//! One to five hundred environments of Lambda, each with its own eyes: what they see of a flood together.

use super::*;

/// Ordinary projects.
const ORDINARY: usize = 50;
/// Calls a second of each of them; the flood sends a thousand times as many.
const RATE: u64 = 5;
/// How many seconds of ordinary traffic come before the flood, and how many with it.
const SECONDS: (i64, i64) = (10, 20);
/// How long a call keeps an environment, in microseconds: 5 to 10 ms a call.
const BUSY: i64 = 7_000;

/// How Lambda gives a request to one of the environments that are free.
#[derive(Clone, Copy, Debug)]
enum Routing {
    /// To the one that was free last, as Lambda does.
    LatestFirst,
    /// To the one that has been free for longest, so that all see the same.
    Evenly,
}

/// A stream of chance, the same each time (Knuth's MMIX generator).
struct Stream(u64);

impl Stream {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What became of a flood.
#[derive(Debug, Default)]
struct Told {
    /// Seconds until the first second in which 99 of 100 calls of the flood were moved.
    seconds: Option<i64>,
    /// Calls of the flood that were taken, and those moved.
    flood: (u64, u64),
    /// Calls of the others that were moved.
    others_moved: u64,
    /// Environments that had anything to do.
    used: usize,
}

fn play(environments: usize, routing: Routing) -> Told {
    let mut stream = Stream(42);
    let projects: Vec<ProjectId> = (0..=ORDINARY).map(project).collect();
    let mut traffic = vec![(0_u64, Traffic::new(Quota::of_environment())); environments];
    let mut free: std::collections::VecDeque<usize> = (0..environments).collect();
    let mut busy: std::collections::VecDeque<(i64, usize)> = std::collections::VecDeque::new();
    let mut told = Told::default();
    for second in 0..SECONDS.0 + SECONDS.1 {
        let has_flood = second >= SECONDS.0;
        let ordinary = RATE * ORDINARY as u64;
        let calls = ordinary + if has_flood { RATE * 1_000 } else { 0 };
        let mut this_second = (0, 0);
        for call in 0..calls {
            let micros = second * 1_000_000 + (call * 1_000_000 / calls).cast_signed();
            while let Some((_, environment)) = busy.pop_front_if(|(until, _)| *until <= micros) {
                free.push_back(environment);
            }
            let whose = stream.below(calls);
            let whose = if whose < ordinary { 1 + usize::try_from(whose % ORDINARY as u64).expect("small") } else { 0 };
            // Where all are busy, Lambda refuses the call, whosever it is.
            let Some(environment) = (match routing {
                Routing::LatestFirst => free.pop_back(),
                Routing::Evenly => free.pop_front(),
            }) else {
                continue;
            };
            busy.push_back((micros + BUSY, environment));
            let (count, traffic) = &mut traffic[environment];
            *count += 1;
            let (standing, _) = traffic.take(&projects[whose], 1, at(micros / 1_000));
            let moved = u64::from(standing != Standing::Within);
            if whose == 0 {
                this_second = (this_second.0 + 1, this_second.1 + moved);
            } else {
                told.others_moved += moved;
            }
        }
        told.flood = (told.flood.0 + this_second.0, told.flood.1 + this_second.1);
        if has_flood && told.seconds.is_none() && this_second.1 * 100 >= this_second.0 * 99 {
            told.seconds = Some(second - SECONDS.0 + 1);
        }
    }
    told.used = traffic.iter().filter(|(count, _)| *count > 0).count();
    told
}

#[test]
fn a_flood_is_moved_within_seconds_and_nobody_else_by_any_number_of_environments() {
    println!(
        "| environments (used) | routing | seconds until moved | share moved | others moved |\n|---|---|---|---|---|"
    );
    for routing in [Routing::LatestFirst, Routing::Evenly] {
        for environments in [1, 2, 5, 10, 25, 50, 100, 200, 350, 500] {
            let told = play(environments, routing);
            let seconds = told.seconds.unwrap_or_else(|| panic!("never, by {environments}, {routing:?}: {told:?}"));
            let share = 100.0 * told.flood.1 as f64 / told.flood.0 as f64;
            println!(
                "| {environments} ({}) | {routing:?} | {seconds} | {share:.1} % | {} |",
                told.used, told.others_moved
            );
            assert!(seconds <= 10, "{environments}, {routing:?}: {told:?}");
            assert_eq!(told.others_moved, 0, "{environments}, {routing:?}");
        }
    }
}
