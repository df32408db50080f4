//! `traffic_flood_2022`: one unusual pattern of heavy traffic delayed everybody for almost five hours. Here: one project
//! calls a thousand times as often as normally, in five patterns one after the other, while fifty others behave; in
//! simulated AWS with so few readers that the flood alone keeps a good part of them busy.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::traffic::{Traffic, percentile};
use super::{Asked, Report};
use crate::house::House;
use crate::play::START;

/// Projects that behave.
const OTHERS: usize = 50;
/// Calls of a project in a minute, normally.
const NORMAL: usize = 2;
/// Times as many of the project that floods.
const FLOOD: usize = 1_000;
/// Seconds of a flood.
const SECONDS: f64 = 3_600.0;
/// The shortest that says something.
const LEAST: i64 = 36;
/// Batches of each queue that are handled at once.
const READERS: u32 = 1;
/// How long a flood may take to be worked off.
const DRAIN: SignedDuration = SignedDuration::from_hours(2);
/// What the others' 99th percentile may rise by, and what it must stay under.
const RISE: f64 = 1.2;
const LONGEST: SignedDuration = SignedDuration::from_secs(3);
/// Calls of the others from which on a 99th percentile can be compared: of fewer it is the worst one, which came before
/// the flood was noticed.
const ENOUGH: usize = 1_000;
/// How often one person may start one campaign in an hour that is not transactional.
const STARTS: usize = 20;
/// People of the flood, where there are many.
const PEOPLE: usize = 400;
/// People in the loop.
const LOOPING: usize = 20;
/// Properties of a huge map: with their values, about what a call may hold.
const PROPERTIES: usize = 250;

/// The unusual patterns.
const PATTERNS: [Pattern; 5] =
    [Pattern::HotUser, Pattern::HotEvent, Pattern::HugeMaps, Pattern::IdentifyStorm, Pattern::Loop];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    HotUser,
    HotEvent,
    HugeMaps,
    IdentifyStorm,
    Loop,
}

const CAMPAIGNS: [&str; 3] = [
    "
id: cmp_nudge
name: Nudge
kind: behavioural
trigger: {event: Looked}
message: {subject: nudge, text: 'see {{ url.unsubscribe_link }}'}
",
    "
id: cmp_series
name: Series
kind: workflow
trigger: {event: Went}
messages:
  later: {subject: later, text: 'see {{ url.unsubscribe_link }}'}
steps:
  - wait: 3 days
  - send: later
",
    "
id: cmp_round
name: Round
kind: behavioural
trigger: {event: Clicked}
message: {subject: round, text: 'click {{ url.unsubscribe_link }}'}
",
];

impl Pattern {
    fn name(self) -> &'static str {
        match self {
            Self::HotUser => "one hot user",
            Self::HotEvent => "one hot event that starts workflows",
            Self::HugeMaps => "huge property maps",
            Self::IdentifyStorm => "identify storms",
            Self::Loop => "a loop of mail and click",
        }
    }

    /// The n-th call of the flood.
    fn call(self, n: usize) -> (&'static str, Value) {
        let person = |of: usize| format!("flood-{}@example.com", n % of);
        let track = |person: String, event: &str, data: Value| {
            ("/events/track", json!({"identity": {"id": person}, "event_name": event, "data": data}))
        };
        match self {
            Self::HotUser => track(person(1), "Seen", json!({ "n": n })),
            Self::HotEvent => track(person(PEOPLE), "Went", json!({ "n": n })),
            Self::HugeMaps => {
                let data: Map<String, Value> =
                    (0..PROPERTIES).map(|key| (format!("k{key}"), "v".repeat(90).into())).collect();
                track(person(PEOPLE), "Seen", json!({"n": n, "map": data}))
            }
            Self::IdentifyStorm => ("/users/track", json!({"id": person(PEOPLE), "data": {"n": n}})),
            Self::Loop => track(person(LOOPING), "Clicked", json!({ "n": n })),
        }
    }
}

/// What became of one pattern, or of a time without a flood.
struct Played {
    /// The others' 99th percentile from accepted to evaluated.
    p99: SignedDuration,
    others: usize,
    calls: u64,
    taken: u64,
    processed: u64,
    queued: u64,
    dead: u64,
    parked: usize,
    /// Mails to each person of the loop, at most.
    most_mails: usize,
    unequal: usize,
    /// What the status page said was not well.
    said: String,
    /// When it last said that anything was not, after the end of the flood.
    unwell: SignedDuration,
}

/// Plays it.
pub(super) async fn play(asked: Asked) -> Report {
    let seconds = ((SECONDS * asked.fraction) as i64).max(LEAST);
    let calm = flood(None, seconds, asked.seed).await;
    let mut report = Report::default();
    report.tell(
        format!(
            "{OTHERS} projects behave, one calls {FLOOD} times as often, for {seconds} s, {READERS} reader a queue"
        ),
        format!("calm: p99 {:.3} s of {} calls", calm.p99.as_secs_f64(), calm.others),
    );
    for pattern in PATTERNS {
        judge(pattern, &calm, &flood(Some(pattern), seconds, asked.seed).await, &mut report);
    }
    report
}

/// A time with a flood, or without, until all of it is worked off.
async fn flood(pattern: Option<Pattern>, seconds: i64, seed: u64) -> Played {
    let mut traffic = Traffic::new(START, Some(READERS), seed);
    let hot = traffic.house("hot", &CAMPAIGNS).await;
    let mut others = Vec::new();
    for n in 0..OTHERS {
        others.push(traffic.house(&format!("other-{n}"), &CAMPAIGNS[..1]).await);
    }
    let (mut made, mut mailed, mut unequal) = (0, 0, 0);
    for second in 0..seconds {
        let at = START + SignedDuration::from_secs(second);
        behave(&mut traffic, &others, at, second);
        if let Some(pattern) = pattern {
            let due = usize::try_from(second + 1).unwrap_or(0) * NORMAL * FLOOD / 60;
            let count = due - made;
            for n in 0..count {
                let (path, body) = pattern.call(made + n);
                let within = SignedDuration::from_micros((n * 1_000_000 / count) as i64);
                traffic.call(at + within, &hot, path, body);
            }
            made = due;
            if pattern == Pattern::Loop {
                mailed = click(&mut traffic, &hot, at, mailed);
            }
        }
        traffic.until(at + SignedDuration::from_secs(1)).await;
        let (_, taken) = traffic.taken();
        let there = traffic.processed() + traffic.queued_calls();
        unequal += usize::from(there < taken);
    }
    let end = START + SignedDuration::from_secs(seconds);
    let mut now = end;
    while traffic.queued() > 0 && now < end + DRAIN {
        now += SignedDuration::from_mins(1);
        traffic.until(now).await;
    }
    // As long as the status page may take to see it.
    traffic.until(now + SignedDuration::from_mins(5)).await;
    played(&traffic, &hot, unequal, now).await
}

/// The calls of the projects that behave in one second.
fn behave(traffic: &mut Traffic, others: &[House], at: Timestamp, second: i64) {
    let every = 60 / NORMAL;
    for (number, house) in others.iter().enumerate() {
        if usize::try_from(second).unwrap_or(0) % every == number % every {
            let person = format!("o{}@example.com", second % 7);
            let body = json!({"identity": {"id": person}, "event_name": "Seen", "data": {"second": second}});
            let within = SignedDuration::from_millis((number * 997 % 1_000) as i64);
            traffic.call(at + within, house, "/events/track", body);
        }
    }
}

/// Everybody clicks in every mail that came since, and the client tracks it: a mail's click triggers a mail.
fn click(traffic: &mut Traffic, hot: &House, at: Timestamp, mailed: usize) -> usize {
    let mails = traffic.mails();
    for (n, mail) in mails.iter().rev().enumerate().skip(mailed) {
        let identity = json!({ "id": mail.to.join(",") });
        let body = json!({"identity": identity, "event_name": "Clicked", "data": {"mail": n}});
        traffic.call(at + SignedDuration::from_millis(500), hot, "/events/track", body);
    }
    mails.len()
}

async fn played(traffic: &Traffic, hot: &House, unequal: usize, drained: Timestamp) -> Played {
    let lags = traffic.evaluated().into_iter().filter(|one| one.project != hot.id).map(|one| one.lag());
    let lags: Vec<SignedDuration> = lags.collect();
    let mut mails: BTreeMap<String, usize> = BTreeMap::new();
    for mail in traffic.mails() {
        *mails.entry(mail.to.join(",")).or_default() += 1;
    }
    let (calls, taken) = traffic.taken();
    Played {
        others: lags.len(),
        p99: percentile(lags, 99),
        calls,
        taken,
        processed: traffic.processed(),
        queued: traffic.queued_calls(),
        dead: traffic.dead(),
        parked: traffic.parked().await,
        most_mails: mails.into_values().max().unwrap_or(0),
        unequal,
        said: format!("{:?}", traffic.said()),
        unwell: traffic.last_unwell().map_or(SignedDuration::ZERO, |at| at.duration_since(drained)),
    }
}

fn judge(pattern: Pattern, calm: &Played, played: &Played, report: &mut Report) {
    let Played { p99, calls, taken, processed, queued, dead, parked, unequal, .. } = played;
    let name = pattern.name();
    report.promise(
        format!("{name}: all is kept and processed"),
        format!("{taken} of {calls} taken, {processed} processed, {queued} queued, {dead} dead, {parked} parked"),
        taken == calls && processed == taken && dead + queued == 0 && *parked == 0,
    );
    report.promise(
        format!("{name}: accepted = processed + queued + parked"),
        format!("unequal in {unequal} seconds"),
        *unequal == 0,
    );
    report.promise(
        format!("{name}: the status page says by itself that all is well, within 3 minutes"),
        if played.said == "{}" { "it named nothing".to_owned() } else { format!("it named {}", played.said) },
        played.unwell <= SignedDuration::from_mins(3),
    );
    let rise = p99.as_secs_f64() / calm.p99.as_secs_f64().max(0.001);
    let figures = format!("p99 {:.3} s, {rise:.2} times the calm one", p99.as_secs_f64());
    let promised = format!("{name}: the others' p99 stays under 3 s");
    report.promise(promised, format!("{:.3} s", p99.as_secs_f64()), *p99 < LONGEST);
    let promised = format!("{name}: the others' p99 rises by 20 % at most");
    if played.others >= ENOUGH {
        report.promise(promised, figures, rise <= RISE);
    } else {
        report.tell(promised, format!("not asked of {} calls: {figures}", played.others));
    }
    if pattern == Pattern::Loop {
        let figures = format!("{} mails to one person at most", played.most_mails);
        let promised = format!("{name}: cut at {STARTS} mails to one person in an hour");
        report.promise(promised, figures, played.most_mails <= STARTS);
    }
}
