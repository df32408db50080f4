//! Seeds, played.
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "a story that fails fails the test")]

use dunlin_simulation::play::play;
use dunlin_simulation::scenario::Scenario;

#[test]
fn try_seeds() {
    let from: u64 = std::env::var("FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(14);
    for seed in from..from + n {
        let scenario = std::env::var("SC").ok().and_then(|s| Scenario::find(&s)).unwrap_or(Scenario::of(seed));
        let t = std::time::Instant::now();
        let outcome = play(seed, scenario).expect("played");
        println!(
            "{seed} {} {} {} {} {} {:?} {:?}",
            scenario.name(),
            outcome.calls,
            outcome.mails,
            outcome.asked.len(),
            outcome.trace,
            outcome.faults,
            t.elapsed()
        );
        for v in &outcome.violations {
            println!("   !! {}: {}", v.rule, v.what);
        }
    }
}

#[test]
fn try_crashes() {
    for story in dunlin_simulation::crashes::STORIES {
        let t = std::time::Instant::now();
        let counts = story.enumerate(false, 0, 1).expect("played");
        println!(
            "{} awaits {} points {} pairs {} unknown {} {:?}",
            story.name,
            counts.awaits,
            counts.points,
            counts.pairs,
            counts.unknown,
            t.elapsed()
        );
        for (deaths, v) in &counts.violations {
            println!("   !! {deaths:?} {}: {}", v.rule, v.what);
        }
    }
}
