//! Overloads that stay: what would keep a system down after its load is gone is put beside it, and the judge sees it.

use dunlin_local::{Fault, FaultKind, When};
use dunlin_simulation::play::{Outcome, Plan, perform};
use dunlin_simulation::scenario::{Phase, Scenario};
use jiff::SignedDuration;

/// Longer than the judge watches after an overload.
const WATCHED: SignedDuration = SignedDuration::from_mins(20);

/// Plays a seed's overload; for some time behind it, `stay` changes what should be calm.
fn played(seed: u64, stay: impl Fn(&Phase, Phase) -> Phase) -> Outcome {
    let mut plan = Plan::drawn(seed, Scenario::Overload);
    let phases = plan.phases.split_off(0);
    let [overload, calm] = <[Phase; 2]>::try_from(phases).expect("an overload and a calm");
    let later = Phase { at: calm.at + WATCHED, ..calm.clone() };
    let after = stay(&overload, calm);
    plan.phases = vec![overload, after, later];
    perform(plan).expect("a story")
}

fn rules(outcome: &Outcome) -> Vec<&'static str> {
    outcome.violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn an_overload_leaves_calls_waiting_and_no_promise_broken() {
    for seed in 0..2 {
        let outcome = played(seed, |_, calm| calm);
        assert!(outcome.waiting >= 10, "seed {seed} is no overload: {} calls waited", outcome.waiting);
        assert_eq!(outcome.violations, [], "seed {seed}");
    }
}

#[test]
fn readers_that_stay_slow_after_an_overload_are_noticed() {
    let outcome = played(0, |overload, calm| Phase { conduct: overload.conduct.clone(), ..calm });
    let rules = rules(&outcome);
    assert!(rules.contains(&"goodput is back after an overload"), "{rules:?}");
}

#[test]
fn messages_that_come_back_for_ever_after_an_overload_are_noticed() {
    let kept = || Fault::new(FaultKind::LostDelete, When::Chance(1.0));
    let outcome = played(0, |_, calm| Phase { faults: vec![kept()], ..calm });
    let rules = rules(&outcome);
    assert!(rules.contains(&"queues are empty soon after an overload"), "{rules:?}");
}
