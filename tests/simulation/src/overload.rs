//! Overload: a stretch in which far more calls come than the readers can take, and what must be true once it is over. A
//! system that stays down although the load is gone (redeliveries, retries and held batches keep it busy) shows here.

use dunlin_local::{Fault, FaultKind, Service, When};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::judge::{LATE, Violation};
use crate::observed::Seen;
use crate::play::{Plan, Played, START};
use crate::scenario::{Phase, Scenario, usual};
use crate::sim::Conduct;
use crate::workload::{self, PROJECTS, Person, Planned, What};

/// Within this time after an overload all is well again: a reader that was too slow is found out (20 s), its messages come
/// back (120 s), a batch that was given back comes again (60 s), a client makes its call again (64 s); 36 s for
/// the work itself.
const RECOVERY: SignedDuration = SignedDuration::from_secs(20 + 120 + 60 + 64 + 36);
/// Then it is watched for this long.
const WATCHED: SignedDuration = SignedDuration::from_mins(10);
/// Seconds between calls once the overload is over.
const STEADY: i64 = 20;
/// Of what is offered then, so many in a hundred are done in time.
const GOODPUT: usize = 95;

/// What a seed makes of an overload: everybody is identified; then, for one to four minutes, 60 to 120 events of all
/// projects, or of one alone, while one or two environments read each queue, a message or two at a time, and each request
/// takes 0.5 to 6 s, which lets readers take 10 calls a minute or fewer; half of the time something is throttled, too.
/// Afterwards three events a minute.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut chance = StdRng::seed_from_u64(seed);
    let waits = workload::waits(&mut chance);
    let from = START + SignedDuration::from_mins(2);
    let end = from + SignedDuration::from_secs(chance.random_range(60..=240));
    let overloaded = Conduct {
        concurrency: Some(chance.random_range(1..=2)),
        batch: chance.random_range(1..=2),
        drag: chance.random_range(0.6..=1.0),
        ..usual(Scenario::Overload, &mut chance)
    };
    let calm = usual(Scenario::Overload, &mut chance);
    let phase = |at, faults, conduct: &Conduct, is_calm| Phase { at, faults, conduct: conduct.clone(), is_calm };
    let phases = vec![phase(from, throttles(&mut chance), &overloaded, false), phase(end, Vec::new(), &calm, true)];
    let calls = calls(from, end, &mut chance);
    Plan {
        seed,
        scenario: Scenario::Overload,
        projects: PROJECTS,
        waits,
        calls,
        conduct: calm,
        phases,
        visits: Vec::new(),
    }
}

fn throttles(chance: &mut StdRng) -> Vec<Fault> {
    let services = [Service::DynamoDb, Service::SqsFifo, Service::SqsStandard, Service::Ses];
    let throttle = |service, strength| Fault::new(FaultKind::Throttle, When::Chance(strength)).at(service);
    let all = services.map(|service| throttle(service, chance.random_range(0.05..0.5)));
    if chance.random_bool(0.5) { all.into_iter().filter(|_| chance.random_bool(0.5)).collect() } else { Vec::new() }
}

fn calls(from: Timestamp, end: Timestamp, chance: &mut StdRng) -> Vec<Planned> {
    let mut calls: Vec<(Timestamp, Person, What)> = workload::identified(START, chance);
    let people: Vec<Person> = Person::all().collect();
    let alone =
        chance.random_bool(0.5).then(|| people.get(chance.random_range(0..people.len())).map(|one| one.project));
    let rushing: Vec<Person> =
        people.iter().copied().filter(|one| alone.flatten().is_none_or(|project| one.project == project)).collect();
    let mut event = |of: &[Person], at: Timestamp, chance: &mut StdRng| {
        let person = of.get(chance.random_range(0..of.len())).copied();
        calls.extend(person.map(|person| (at, person, workload::event(chance))));
    };
    let lasts = end.duration_since(from).as_secs();
    for _ in 0..chance.random_range(60..=120) {
        event(&rushing, from + SignedDuration::from_secs(chance.random_range(0..lasts)), chance);
    }
    for second in (0..(RECOVERY + WATCHED).as_secs()).step_by(usize::try_from(STEADY).unwrap_or(1)) {
        event(&people, end + SignedDuration::from_millis(second * 1_000 + chance.random_range(0..1_000)), chance);
    }
    workload::numbered(1, calls, |_| false)
}

/// When the overload of a story was over.
fn over(played: &Played) -> Option<Timestamp> {
    let is_overload = played.scenario == Scenario::Overload;
    played.troubles.last().filter(|_| is_overload).map(|(_, end)| *end)
}

/// Calls that waited on a queue when the overload was over: without any it was none.
#[must_use]
pub fn waiting(played: &Played, seen: &Seen) -> usize {
    let Some(end) = over(played) else { return 0 };
    let waits = |queued: Option<Timestamp>, done: Option<Timestamp>| {
        queued.is_some_and(|at| at <= end) && done.is_none_or(|at| at > end)
    };
    seen.accepted.iter().filter(|one| waits(one.queued_at, one.done_at)).count()
}

/// What is wrong after an overload.
pub(crate) fn check(played: &Played, seen: &Seen) -> Vec<Violation> {
    let mut violations = Vec::new();
    let Some(end) = over(played) else { return violations };
    let well = end + RECOVERY;
    if !seen.emptied.iter().any(|at| (end..=well).contains(at)) {
        let what = format!("over at {end}, and no queue of calls or mails was empty by {well}");
        violations.push(Violation { rule: "queues are empty soon after an overload", what });
    }
    let is_watched = |planned: &&Planned| planned.at >= well && planned.at < well + WATCHED;
    let offered: Vec<&Planned> = played.offered.iter().filter(is_watched).collect();
    let done = offered
        .iter()
        .filter(|planned| seen.done(planned.person, planned.number).is_some_and(|at| at <= planned.at + LATE));
    let done = done.count();
    if done * 100 < offered.len() * GOODPUT {
        let what = format!("over at {end}; from {well} on {} calls offered, {done} done in time", offered.len());
        violations.push(Violation { rule: "goodput is back after an overload", what });
    }
    violations
}
