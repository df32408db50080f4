//! `stale_reads_2023`: a shard from which user properties were read fell out of sync, so that what waited for consistency
//! stalled; and the queries behind mail delays became slow. Here: every read that may lag answers what was a minute ago,
//! and the timers grow from ten thousand to ten million.

use std::collections::BTreeMap;

use dunlin_aws::resources::TIMERS;
use dunlin_aws::timers::{SHARDS, Timer, Timers};
use dunlin_core::ids::{ProjectId, RunId, digest};
use dunlin_local::{Fault, FaultKind, Service, Usage, When};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::stage::{PREFIX, Stage};
use super::{Asked, Report};
use crate::house::House;

/// Timers that wait, at the least and at the most.
const FEW: usize = 10_000;
const MANY: usize = 10_000_000;
/// What finding due timers may cost more among many than among few.
const RATIO: f64 = 1.2;
/// Timers that are due within the minutes that are measured, in either case.
const DUE: usize = 1_000;
/// Minutes that are measured, a sweep each.
const MINUTES: i64 = 30;
/// Timers put into the table at a time.
const CHUNK: usize = 50_000;
/// People whose properties change before every event.
const PEOPLE: usize = 300;
/// Changes of each.
const ROUNDS: usize = 5;
/// Between two changes: less than reads lag.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// The most that a mail may be late: the queues' whole seconds.
const LATE: SignedDuration = SignedDuration::from_secs(2);
/// How long the run of the second campaign waits.
const WAIT: SignedDuration = SignedDuration::from_mins(20);

/// A mail at once, to those whose plan is the event's; and one after a wait.
const CAMPAIGNS: [&str; 2] = [
    "
id: cmp_now
name: Now
kind: behavioural
trigger: {event: Changed}
conditions:
  - {property: user.fresh, equals: now}
message: {subject: 'now {{ event.round }} {{ user.round }}', text: 'x {{ url.unsubscribe_link }}'}
",
    "
id: cmp_later
name: Later
kind: behavioural
trigger: {event: Waits}
wait: 20 minutes
message: {subject: 'later {{ user.round }}', text: 'x {{ url.unsubscribe_link }}'}
",
];

fn start() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().expect("an instant")
}

/// Plays it.
pub(super) async fn play(asked: Asked) -> Report {
    let mut report = Report::default();
    fresh(&asked, &mut report).await;
    due(&asked, &mut report).await;
    report
}

/// Every read that may lag, lags; every decision is made of what was accepted before its event.
async fn fresh(asked: &Asked, report: &mut Report) {
    let stage = Stage::starting(start(), asked.seed);
    let tenant = stage.tenant("larkspur", &CAMPAIGNS.map(str::to_owned)).await;
    let stale = Fault::new(FaultKind::StaleRead, When::Chance(1.0)).at(Service::DynamoDb);
    stage.world.cloud().faults().set(vec![stale]);
    let people = ((PEOPLE as f64 * asked.fraction).ceil() as usize).max(20);
    let mut accepted = 0;
    for round in 1..=ROUNDS {
        for person in 0..people {
            accepted += change(&stage, &tenant, person, round).await;
        }
        stage.world.advance(PAUSE).await;
    }
    // The last change comes while the run waits, and a second before it ends.
    stage.world.advance(WAIT - PAUSE * 5 - SignedDuration::from_secs(1)).await;
    for person in 0..people {
        let body = json!({"id": id(person), "data": {"round": "last"}});
        accepted += u64::from(stage.call(&tenant, "/users/track", body).await);
    }
    stage.world.advance(WAIT).await;
    judge_fresh(&stage, people, accepted, report).await;
}

fn id(person: usize) -> String {
    format!("p{person}@example.com")
}

/// Whether a person has unsubscribed, right before the last event.
fn unsubscribes(person: usize) -> bool {
    person % 10 == 3
}

/// New properties, and right behind them an event that asks for them; how many calls were taken.
async fn change(stage: &Stage, tenant: &House, person: usize, round: usize) -> u64 {
    let id = id(person);
    let track = |event: &str| json!({"identity": {"id": id}, "event_name": event, "data": {"round": round}});
    // Only those of this round may be mailed: in the round before, the property said something else.
    let fresh = if (round + person).is_multiple_of(2) { "now" } else { "before" };
    let mut calls = vec![("/users/track", json!({"id": id, "data": {"round": round, "fresh": fresh}}))];
    if round == ROUNDS && unsubscribes(person) {
        calls.push(("/users/unsubscribe", json!({ "id": id })));
    }
    calls.push(("/events/track", track("Changed")));
    if round == 1 {
        calls.push(("/events/track", track("Waits")));
    }
    let mut taken = 0;
    for (path, body) in calls {
        taken += u64::from(stage.call(tenant, path, body).await);
        // Each on its own, so that every one reads what the one before has written.
        stage.world.settle().await;
    }
    taken
}

async fn judge_fresh(stage: &Stage, people: usize, accepted: u64, report: &mut Report) {
    let mut expected: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
    for person in 0..people {
        for round in (1..=ROUNDS).filter(|round| (round + person).is_multiple_of(2)) {
            if round < ROUNDS || !unsubscribes(person) {
                let at = start() + PAUSE * i32::try_from(round - 1).unwrap_or(0);
                expected.insert((id(person), format!("now {round} {round}")), at);
            }
        }
        if !unsubscribes(person) {
            expected.insert((id(person), "later last".to_owned()), start() + WAIT);
        }
    }
    let (mut unexpected, mut late, wanted) = (0, SignedDuration::ZERO, expected.len());
    let mails = stage.mails();
    for mail in &mails {
        match expected.remove(&(mail.to.join(","), mail.subject.clone())) {
            Some(at) => late = late.max(mail.at.duration_since(at)),
            None => unexpected += 1,
        }
    }
    let calls = (people * (ROUNDS * 2 + 2)) as u64 + (0..people).filter(|person| unsubscribes(*person)).count() as u64;
    let stale = stage.world.cloud().faults().injected().len();
    let (queued, parked) = (stage.queued_anywhere(), stage.parked().await);
    let used = stage.world.cloud().meter().snapshot();
    let reads: u64 =
        ["GetItem", "BatchGetItem", "Query"].map(|read| used.get(Service::DynamoDb, read).requests).iter().sum();
    report.tell(
        "every read that may lag, lags by up to a minute",
        format!("{stale} of {reads} reads answered something old: the others ask for consistency"),
    );
    report.promise("every call is taken", format!("{accepted} of {calls}"), accepted == calls);
    report.promise(
        "an event is evaluated, and a mail rendered, with every update accepted before",
        format!("{wanted} mails expected, {} missing, {unexpected} others", expected.len()),
        expected.is_empty() && unexpected == 0,
    );
    report.promise(
        "nothing waits for replication",
        format!("a mail is {:.1} s late at most", late.as_secs_f64()),
        late <= LATE,
    );
    report.promise(
        "at rest, nothing is left over",
        format!("{queued} queued, {parked} parked"),
        queued == 0 && parked == 0,
    );
}

/// What half an hour of sweeps costs among few timers and among many, the same number of them due.
async fn due(asked: &Asked, report: &mut Report) {
    let many = ((MANY as f64 * asked.fraction).ceil() as usize).max(FEW);
    let few = sweeps(asked.seed, FEW).await;
    let all = sweeps(asked.seed, many).await;
    let ratio = |of: fn(&Swept) -> f64| of(&all) / of(&few);
    let shown = |swept: &Swept| format!("{} requests, {} read units", swept.requests, swept.read_units);
    report.tell(
        format!("{DUE} timers due in {MINUTES} minutes, among {FEW}, and among {many}"),
        format!("{}; {}", shown(&few), shown(&all)),
    );
    for (what, ratio) in [("requests", ratio(|s| s.requests)), ("read units", ratio(|s| s.read_units))] {
        report.promise(
            format!("finding due timers costs by what is due: {what}, ratio under {RATIO}"),
            format!("{ratio:.3}"),
            ratio < RATIO,
        );
    }
    report.promise(
        "all that are due are found",
        format!("{} and {} of {DUE}", few.found, all.found),
        few.found == DUE as u64 && all.found == DUE as u64,
    );
}

/// What sweeps used and found.
struct Swept {
    requests: f64,
    read_units: f64,
    found: u64,
}

/// Sweeps for half an hour over this many timers.
async fn sweeps(seed: u64, timers: usize) -> Swept {
    let stage = Stage::starting(start(), seed);
    let now = stage.now();
    // The first sweep of a table looks back an hour: not one of those measured.
    stage.world.sweep().await;
    let first = row(&stage, &timer(0, now + SignedDuration::from_hours(48))).await;
    let mut random = StdRng::seed_from_u64(seed);
    let minutes = SignedDuration::from_mins(MINUTES);
    let month = 31 * 86_400_000;
    let mut left = timers - 1;
    while left > 0 {
        let count = left.min(CHUNK);
        let rows = (left - count..left).map(|number| {
            let after = if number < DUE {
                // Behind what the first sweep has seen, ahead of what the last one will see.
                random.random_range(15 * 60_000..minutes.as_millis() as i64 + 14 * 60_000)
            } else if number % 2 == 0 {
                random.random_range(86_400_000..month)
            } else {
                random.random_range(86_400_000..120 * month)
            };
            let number = u64::try_from(number + 1).unwrap_or(0);
            first.of(&timer(number, now + SignedDuration::from_millis(after)))
        });
        let table = format!("{PREFIX}{}", TIMERS.name);
        stage.world.cloud().import(&table, rows.collect()).expect("timers");
        left -= count;
    }
    let (meter, mut swept) = (stage.world.cloud().meter(), Swept { requests: 0.0, read_units: 0.0, found: 0 });
    for minute in 1..=MINUTES {
        stage.world.cloud().clock().advance_to(now + SignedDuration::from_mins(minute));
        let before = meter.snapshot();
        stage.world.sweep().await;
        let used: Usage = meter.snapshot().difference(&before);
        let tables = used.total(Service::DynamoDb);
        swept.requests += tables.requests as f64;
        swept.read_units += tables.read_units;
    }
    swept.found = stage.queued(&dunlin_aws::resources::STEPS);
    swept
}

fn timer(number: u64, due_at: Timestamp) -> Timer {
    let run = RunId::derive(&["waits", &number.to_string()]);
    Timer { project: ProjectId::derive(&["larkspur"]), run, moves: 0, due_at }
}

/// How a timer is stored, learnt from one that was.
struct Row {
    version: Value,
    kept_seconds: i64,
}

/// Stores a timer as functions do, and learns its row.
async fn row(stage: &Stage, timer: &Timer) -> Row {
    Timers::new(stage.world.clients(), PREFIX).put(timer).await.expect("a timer");
    let table = format!("{PREFIX}{}", TIMERS.name);
    let scanned = stage.world.clients().dynamodb.scan().table_name(table).send().await.expect("a scan");
    let item = scanned.items().iter().find(|item| item.contains_key("ttl")).expect("the timer").clone();
    let json = item.iter().map(|(name, value)| {
        let value = match (value.as_s(), value.as_n()) {
            (Ok(text), _) => json!({ "S": text }),
            (_, Ok(number)) => json!({ "N": number }),
            _ => Value::Null,
        };
        (name.clone(), value)
    });
    let stored: Value = json.collect::<serde_json::Map<_, _>>().into();
    let ttl: i64 = stored["ttl"]["N"].as_str().and_then(|seconds| seconds.parse().ok()).expect("a ttl");
    let row = Row { version: stored["v"].clone(), kept_seconds: ttl - timer.due_at.as_second() };
    assert_eq!(row.of(timer), stored, "rows are made as functions make them");
    row
}

impl Row {
    fn of(&self, timer: &Timer) -> Value {
        let millis = timer.due_at.as_millisecond();
        let hex = digest(&[timer.run.as_str()]);
        let shard = hex.get(..4).and_then(|start| u32::from_str_radix(start, 16).ok()).unwrap_or(0) % SHARDS;
        json!({
            "pk": {"S": format!("{}#{shard:02}", millis.div_euclid(86_400_000))},
            "sk": {"S": format!("{millis:013}#{}#{}", timer.run, timer.moves)},
            "b": {"S": serde_json::to_string(timer).expect("json")},
            "v": self.version,
            "ttl": {"N": (timer.due_at.as_second() + self.kept_seconds).to_string()},
        })
    }
}
