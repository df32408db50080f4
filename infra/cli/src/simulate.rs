//! `dunlin simulate`: seeds of the simulation, or every crash point, in threads beside each other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::anyhow;
use dunlin_aws::Clock;
use dunlin_simulation::crashes::{Counts, STORIES};
use dunlin_simulation::house::Unbuilt;
use dunlin_simulation::judge::Violation;
use dunlin_simulation::play::{Outcome as Played, play};
use dunlin_simulation::scenario::Scenario;

use crate::args;
use crate::run::Outcome;
use crate::say;

/// Plays what is asked for.
pub(crate) fn simulate(asked: &args::Simulate) -> anyhow::Result<Outcome> {
    if asked.crashes { crashes(asked) } else { seeds(asked) }
}

/// What all seeds came to.
#[derive(Default)]
struct Sum {
    seeds: u64,
    calls: u64,
    mails: u64,
    requests: u64,
    faults: BTreeMap<String, u64>,
    bad: u64,
}

impl Sum {
    fn add(&mut self, played: &Played) {
        self.seeds += 1;
        self.calls += played.calls;
        self.mails += played.mails;
        self.requests += u64::try_from(played.asked.len()).unwrap_or(0);
        for (name, count) in &played.faults {
            *self.faults.entry(name.clone()).or_default() += count;
        }
        if !played.violations.is_empty() {
            self.bad += 1;
            let scenario = played.scenario.name();
            say::line(format!("{} seed {} ({scenario}), trace {}", say::red("NO"), played.seed, played.trace));
            played.violations.iter().for_each(tell);
        }
    }
}

fn tell(violation: &Violation) {
    say::line(format!("   {}: {}", violation.rule, violation.what));
}

fn seeds(asked: &args::Simulate) -> anyhow::Result<Outcome> {
    let started = Clock::System.now();
    let mut sum = Sum::default();
    for played in beside(asked) {
        sum.add(&played?);
        if sum.seeds.is_multiple_of(500) {
            say::aside(format!("{} seeds", sum.seeds));
        }
    }
    let took = Clock::System.now().duration_since(started).as_secs_f64().max(0.001);
    let each = |n: u64| n as f64 / sum.seeds.max(1) as f64;
    say::line(format!(
        "{} seeds in {took:.0} s, {:.0} a minute; {} calls, {} mails, {} requests to AWS",
        sum.seeds,
        sum.seeds as f64 * 60.0 / took,
        sum.calls,
        sum.mails,
        sum.requests
    ));
    let faults: u64 = sum.faults.values().sum();
    say::line(format!("{faults} faults, {:.0} a seed:", each(faults)));
    for (name, count) in &sum.faults {
        say::line(format!("   {name:<24} {count:>9}  {:.1} a seed", each(*count)));
    }
    if sum.bad == 0 {
        say::line(say::green("every promise held"));
        return Ok(Outcome::Well);
    }
    say::line(say::red(format!("{} seeds broke a promise", sum.bad)));
    say::line(say::dim("one again: dunlin simulate --seeds 1 --from SEED"));
    Ok(Outcome::Unwell)
}

/// Every seed's story, as threads come to its end.
fn beside(asked: &args::Simulate) -> Receiver<Result<Played, Unbuilt>> {
    let (told, heard) = channel();
    let next = std::sync::Arc::new(AtomicU64::new(asked.from));
    let end = asked.from.saturating_add(asked.seeds);
    for _ in 0..asked.threads.max(1) {
        let (told, next, scenario) = (told.clone(), std::sync::Arc::clone(&next), asked.scenario);
        thread::spawn(move || {
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                // Nobody listens any more once a story could not be played.
                if seed >= end || told.send(play(seed, scenario.unwrap_or(Scenario::of(seed)))).is_err() {
                    return;
                }
            }
        });
    }
    heard
}

fn crashes(asked: &args::Simulate) -> anyhow::Result<Outcome> {
    let threads = asked.threads.max(1);
    let mut well = true;
    say::line(say::dim(format!("{:<50} awaits  points    pairs  unknown  broken", "story")));
    for story in STORIES.into_iter().filter(|story| story.name.contains(&asked.story)) {
        let pairs = !asked.single;
        let parts = (0..threads).map(|part| thread::spawn(move || story.enumerate(pairs, part, threads)));
        let parts: Vec<_> = parts.collect();
        let mut counts = Counts::default();
        for part in parts {
            counts.add(part.join().map_err(|_| anyhow!("a story panicked"))??);
        }
        let Counts { awaits, points, pairs, unknown, violations } = counts;
        let broken = violations.len();
        say::line(format!("{:<50} {awaits:>6} {points:>7} {pairs:>8} {unknown:>8} {broken:>7}", story.name));
        for (deaths, violation) in violations.iter().take(20) {
            say::line(format!("   deaths at {deaths:?}"));
            tell(violation);
        }
        well &= violations.is_empty();
    }
    Ok(if well { Outcome::Well } else { Outcome::Unwell })
}
