//! `store_outage_2018`: the store could not be reached for 50 minutes after maintenance. The ingestion API stayed up; what
//! it had taken was worked off in 20 minutes. Here: every table away for 50 minutes (connections refused, then time-outs,
//! then throttling on return) at ten times the normal traffic, in simulated AWS.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_local::{Fault, FaultKind, Mail, Service, When};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::traffic::Traffic;
use super::{Asked, Report};
use crate::house::House;
use crate::play::START;

/// Calls in a minute, normally.
const NORMAL: f64 = 60.0;
/// Times as many while the tables are away.
const BUSY: f64 = 10.0;
/// Minutes before, and after.
const AROUND: i64 = 12;
/// How the tables are away, and for how many minutes: fifty in all.
const AWAY: [(FaultKind, f64, i64); 3] =
    [(FaultKind::Unreachable, 1.0, 25), (FaultKind::TimeoutNotApplied, 1.0, 20), (FaultKind::Throttle, 0.8, 5)];
/// Within this after the return everything must be in real time again: an eighth of the outage, and a minute.
const REAL_TIME: SignedDuration = SignedDuration::from_secs(50 * 60 / 8 + 60);
/// What is later than this is not in real time.
const LATE: SignedDuration = SignedDuration::from_secs(5);
/// Below this fraction, one batch of each queue is handled at once, in place of what the template says: load and
/// capacity shrink together.
const WHOLE: f64 = 0.5;
/// Within this the status page names what is away: a minute until the next sweep, ten seconds that a page is kept, five
/// between two looks at it.
const NAMED: SignedDuration = SignedDuration::from_secs(75);
/// Within this after real time it says that all is well: what a component did last is remembered for two minutes.
const WELL: SignedDuration = SignedDuration::from_mins(3);
/// People who call, at least; and the calls of each, at most: so few that nothing is taken for a loop. An even number:
/// each either buys or looks, since within one person's calls nothing may come first.
const PEOPLE: usize = 98;
/// See [`PEOPLE`].
const CALLS_EACH: f64 = 16.0;

const CAMPAIGNS: [&str; 2] = [
    "
id: cmp_receipt
name: Receipt
kind: transactional
trigger: {event: Bought}
message: {subject: 'receipt {{ event.n }}', text: 'thank you'}
",
    "
id: cmp_nudge
name: Nudge
kind: behavioural
trigger: {event: Looked}
message: {subject: 'nudge {{ event.n }}', text: 'see {{ url.unsubscribe_link }}'}
",
];

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// A call: every other one ends in a transactional mail.
struct Called {
    at: Timestamp,
    subject: String,
}

/// Calls at a rate through a stretch of time.
fn call(
    traffic: &mut Traffic,
    (house, people): (&House, usize),
    called: &mut Vec<Called>,
    from: Timestamp,
    per_minute: f64,
    length: i64,
) {
    let count = (per_minute * length as f64) as usize;
    for one in 0..count {
        let at = from + SignedDuration::from_secs_f64(one as f64 * 60.0 / per_minute);
        let n = called.len();
        let (event, mail) = if n.is_multiple_of(2) { ("Bought", "receipt") } else { ("Looked", "nudge") };
        let person = format!("p{}@example.com", n % people);
        let body = json!({"identity": {"id": person}, "event_name": event, "data": {"n": n}});
        traffic.call(at, house, "/events/track", body);
        called.push(Called { at, subject: format!("{mail} {n}") });
    }
}

/// Plays it.
pub(super) async fn play(asked: Asked) -> Report {
    let normal = (NORMAL * asked.fraction).max(2.0);
    let readers = (asked.fraction < WHOLE).then_some(1);
    // Right after a sweep, so that the next one is a minute away.
    let start = START + SignedDuration::from_secs(1);
    let mut traffic = Traffic::new(start, readers, asked.seed);
    let house = traffic.house("larkspur", &CAMPAIGNS).await;
    let away: i64 = AWAY.iter().map(|(_, _, length)| length).sum();
    let calls = normal * (2.0 * AROUND as f64 + BUSY * away as f64);
    let people = PEOPLE.max((calls / CALLS_EACH) as usize).next_multiple_of(2);
    let mut called = Vec::new();
    let mut unequal = 0;
    call(&mut traffic, (&house, people), &mut called, start, normal, AROUND);
    let away = start + minutes(AROUND);
    traffic.until(away).await;
    let mut now = away;
    for (kind, chance, length) in AWAY {
        let away = Fault::new(kind, When::Chance(chance)).at(Service::DynamoDb);
        traffic.sim.cloud().faults().set(vec![away]);
        call(&mut traffic, (&house, people), &mut called, now, normal * BUSY, length);
        for _ in 0..length {
            now += minutes(1);
            traffic.until(now).await;
            unequal += usize::from(!is_equal(&traffic));
        }
    }
    let back = now;
    let before = traffic.mails().len();
    traffic.sim.cloud().faults().clear();
    call(&mut traffic, (&house, people), &mut called, back, normal, AROUND);
    traffic.until(back + minutes(AROUND * 2)).await;

    let mut report = Report::default();
    report.tell(
        "tables away for 50 minutes, refused, timed out, throttled; 10 times the traffic",
        format!("{} calls, {:.0} a minute; {before} mails left before the return", called.len(), normal * BUSY),
    );
    judge(&traffic, &called, back, unequal, &mut report).await;
    judge_status(&traffic, away, back, &mut report);
    report
}

/// Whether what was accepted is processed or queued: nothing is parked. What is queued and not answered yet may be more.
fn is_equal(traffic: &Traffic) -> bool {
    let (_, accepted) = traffic.taken();
    let there = traffic.processed() + traffic.queued_calls();
    // Calls under way at this very instant.
    there >= accepted && there - accepted <= 5
}

fn judge_status(traffic: &Traffic, away: Timestamp, back: Timestamp, report: &mut Report) {
    for component in ["evaluation", "scheduling", "transactional_mail", "triggered_mail"] {
        let took = traffic.named(component, away).map(|at| at.duration_since(away));
        report.promise(
            format!("the status page names {component} within {} s", NAMED.as_secs()),
            took.map_or_else(|| "never".to_owned(), |took| format!("{:.0} s", took.as_secs_f64())),
            took.is_some_and(|took| took <= NAMED),
        );
    }
    let ingestion = traffic.named("ingestion", away);
    report.promise("it never calls ingestion unwell", format!("{ingestion:?}"), ingestion.is_none());
    let took = traffic.last_unwell().map_or(SignedDuration::ZERO, |at| at.duration_since(back));
    let most = REAL_TIME + WELL;
    report.promise(
        format!("it says by itself that all is well, within {} s of the return", most.as_secs()),
        format!("{:.0} s", took.as_secs_f64()),
        took <= most,
    );
}

async fn judge(traffic: &Traffic, called: &[Called], back: Timestamp, unequal: usize, report: &mut Report) {
    let (calls, taken) = traffic.taken();
    report.promise("every valid call gets 200", format!("{taken} of {calls}"), calls == taken);
    let (dead, parked) = (traffic.dead(), traffic.parked().await);
    report.promise(
        "nothing in a dead-letter queue, nothing parked",
        format!("{dead}, {parked}"),
        dead == 0 && parked == 0,
    );
    let mails = traffic.mails();
    let subjects: BTreeSet<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    let lost = called.iter().filter(|call| !subjects.contains(call.subject.as_str())).count();
    report.promise(
        "nothing is lost",
        format!("{lost} of {} mails", called.len()),
        lost == 0 && traffic.processed() == calls,
    );
    let twice = mails.len() - subjects.len();
    report.promise("nothing is sent twice", format!("{twice} mails"), twice == 0);
    let at: BTreeMap<&str, Timestamp> = called.iter().map(|call| (call.subject.as_str(), call.at)).collect();
    let lag = |mail: &Mail| at.get(mail.subject.as_str()).map(|at| mail.at.duration_since(*at)).unwrap_or_default();
    let evaluated = traffic.evaluated().into_iter().filter(|one| one.lag() > LATE).map(|one| one.done_at).max();
    let mailed = mails.iter().filter(|mail| lag(mail) > LATE).map(|mail| mail.at).max();
    for (what, last) in [("evaluation", evaluated), ("mail", mailed)] {
        let took = last.map_or(SignedDuration::ZERO, |last| last.duration_since(back).max(SignedDuration::ZERO));
        report.promise(
            format!("{what} in real time again within {} s of the return", REAL_TIME.as_secs()),
            format!("{:.0} s", took.as_secs_f64()),
            took <= REAL_TIME,
        );
    }
    let mean = |kind: &str| {
        let late = mails
            .iter()
            .filter(|mail| mail.at >= back && mail.subject.starts_with(kind))
            .filter(|mail| lag(mail) > LATE);
        let after: Vec<f64> = late.map(|mail| mail.at.duration_since(back).as_secs_f64()).collect();
        after.iter().sum::<f64>() / after.len().max(1) as f64
    };
    let (receipts, nudges) = (mean("receipt"), mean("nudge"));
    let figures = format!("{receipts:.0} s after the return on the mean, others {nudges:.0} s");
    report.promise("transactional mail first", figures, receipts < nudges);
    report.promise(
        "accepted = processed + queued + parked, at each minute",
        format!("unequal at {unequal} of 50 minutes"),
        unequal == 0,
    );
    let queued = traffic.queued();
    report.promise("no operator action: at rest by itself", format!("{queued} messages left"), queued == 0);
}
