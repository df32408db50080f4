//! `long_delays_2017`: delays of more than 30 days failed to save, at certain hours of the day, by a library's time
//! zones. Here: waits of one second to ten years, started at each hour of a day, over every change of a clock in the two
//! years to come; virtual time runs over all of them.
//!
//! A change of a clock is an instant at which (and one second before and after which) waits end. "Until 9:00 local", in every
//! zone, is until 9:10 here, held against jiff; `tests/oracle` holds the computation itself against another program.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_aws::runs::Runs;
use dunlin_aws::timers::{SHARDS, Stretch, Timers};
use dunlin_core::run::RunState;
use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::stage::{PREFIX, Stage};
use super::{Asked, Report};
use crate::house::House;

/// Waits, as in the incident.
const WAITS: usize = 39_576;
/// Events that start no wait, for each that does: 1.5 % of the 7.9 million among which the waits were.
const BACKGROUND: usize = 2;
/// Hours of the day at which waits start.
const HOURS: usize = 24;
/// Zones that must take part.
const ZONES: usize = 40;
/// The longest that a wait may be late.
const LATE: SignedDuration = SignedDuration::from_secs(2);
/// Random lengths between a second and ten years.
const RANDOM: usize = 100;
const DAY: i64 = 86_400;
/// Ten years, as campaigns count them.
const LONGEST: i64 = 3_650 * DAY;
/// Lengths at which something may change: SQS's longest delay, its retention, a month, a year, the longest of all.
const EDGES: [i64; 14] =
    [1, 59, 899, 900, 901, 959, 960, 14 * DAY, 30 * DAY - 1, 30 * DAY, 31 * DAY, 365 * DAY, 366 * DAY, LONGEST];
/// A local time that is at no zone's full hour, and so never the very instant at which a wait begins.
const MORNING: (i8, i8) = (9, 10);
/// One person in so many unsubscribes while they wait.
const UNSUBSCRIBED: usize = 50;

/// What a wait is until.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// So many seconds from its start.
    Lasts(i64),
    /// This instant.
    Ends(Timestamp),
    /// [`MORNING`] in the zone of this place in the database.
    Morning(usize),
}

/// One wait of one person.
struct Wait {
    hour: usize,
    project: usize,
    event: String,
    person: String,
    due: Timestamp,
    zone: Option<String>,
    unsubscribes: bool,
}

fn start() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().expect("an instant")
}

fn after(hour: usize) -> Timestamp {
    start() + SignedDuration::from_hours(i64::try_from(hour).unwrap_or(0))
}

/// Every change of every zone's clock in the two years to come, and how many zones change.
fn changes() -> (BTreeSet<Timestamp>, usize) {
    let (first, last) = (start() + SignedDuration::from_hours(48), start() + SignedDuration::from_hours(2 * 366 * 24));
    let (mut instants, mut zones) = (BTreeSet::new(), 0);
    let database = TimeZoneDatabase::bundled();
    for name in database.available() {
        let zone = database.get(name.as_str()).expect("a zone of the database");
        let changes: Vec<_> = zone.following(first).map(|change| change.timestamp()).collect_until(last);
        zones += usize::from(!changes.is_empty());
        instants.extend(changes);
    }
    (instants, zones)
}

/// The changes up to an instant.
trait CollectUntil: Iterator<Item = Timestamp> + Sized {
    fn collect_until(self, last: Timestamp) -> Vec<Timestamp> {
        self.take_while(|at| *at <= last).collect()
    }
}

impl<T: Iterator<Item = Timestamp>> CollectUntil for T {}

fn items(seed: u64, changes: &BTreeSet<Timestamp>) -> Vec<Item> {
    let mut random = StdRng::seed_from_u64(seed);
    let second = SignedDuration::from_secs(1);
    let sides = changes.iter().flat_map(|at| [*at - second, *at, *at + second]).map(Item::Ends);
    let longest = (LONGEST as f64).ln();
    let lengths = (0..RANDOM).map(|_| Item::Lasts(random.random_range(0.0..longest).exp() as i64));
    let mornings = (0..TimeZoneDatabase::bundled().available().count()).map(Item::Morning);
    EDGES.into_iter().map(Item::Lasts).chain(sides).chain(lengths).chain(mornings).collect()
}

/// A campaign that waits and mails; its events are called by its number.
fn campaign(number: usize, wait: &str) -> String {
    format!(
        "
id: cmp_wait-{number}
name: Wait {number}
kind: behavioural
trigger: {{event: Wait {number}}}
wait: {wait}
message: {{subject: Now, text: 'now {{{{ url.unsubscribe_link }}}}'}}
"
    )
}

/// The next [`MORNING`] in a zone.
fn morning(zone: &str, from: Timestamp) -> Timestamp {
    let zone = TimeZoneDatabase::bundled().get(zone).expect("a zone of the database");
    let today = from.to_zoned(zone.clone()).date();
    let at = |day: jiff::civil::Date| {
        day.at(MORNING.0, MORNING.1, 0, 0).to_zoned(zone.clone()).expect("a local time").timestamp()
    };
    if at(today) >= from { at(today) } else { at(today.tomorrow().expect("a day")) }
}

/// The campaigns of each project, and the waits. A project has every item once, each at another hour; the next
/// project has them an hour later. All mornings are of one campaign: the person says where.
fn plan(waits: usize, items: &[Item]) -> (Vec<Vec<String>>, Vec<Wait>) {
    let zones: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
    let first_morning = items.iter().position(|item| matches!(item, Item::Morning(_))).unwrap_or(items.len());
    let mut projects: Vec<Vec<String>> = Vec::new();
    let mut planned = Vec::with_capacity(waits);
    for number in 0..waits {
        let (item, project) = (number % items.len(), number / items.len() % HOURS);
        let hour = (item + project) % HOURS;
        let zone = match items.get(item).expect("an item") {
            Item::Morning(place) => zones.get(*place).cloned(),
            _ => None,
        };
        let due = match (items.get(item).expect("an item"), &zone) {
            (Item::Lasts(seconds), _) => after(hour) + SignedDuration::from_secs(*seconds),
            (Item::Ends(at), _) => *at,
            (Item::Morning(_), zone) => morning(zone.as_deref().expect("a zone"), after(hour)),
        };
        let number_of = item.min(first_morning);
        if projects.len() <= project {
            projects.push(Vec::new());
        }
        if let Some(campaigns) = projects.get_mut(project).filter(|campaigns| campaigns.len() <= number_of) {
            let wait = match &zone {
                None => format!("{} seconds", due.duration_since(after(hour)).as_secs()),
                Some(_) => format!("{{until: '{}:{}', if_passed: next_day}}", MORNING.0, MORNING.1),
            };
            campaigns.push(campaign(number_of, &wait));
        }
        let person = format!("w{number}@example.com");
        let unsubscribes = number % UNSUBSCRIBED == 7;
        planned.push(Wait { hour, project, event: format!("Wait {number_of}"), person, due, zone, unsubscribes });
    }
    (projects, planned)
}

/// What was counted on the way.
#[derive(Default)]
struct Counted {
    accepted: u64,
    refused: u64,
    evaluated: u64,
    found: usize,
    /// Hours at which accepted was not evaluated and queued and parked.
    unequal: usize,
}

/// Plays it.
pub(super) async fn play(asked: Asked) -> Report {
    let (changes, zones) = changes();
    let items = items(asked.seed, &changes);
    let waits = ((WAITS as f64 * asked.fraction).ceil() as usize).max(items.len());
    let (projects, planned) = plan(waits, &items);
    let stage = Stage::starting(start(), asked.seed);
    let mut tenants = Vec::new();
    for (number, campaigns) in projects.iter().enumerate() {
        tenants.push(stage.tenant(&format!("larkspur{number}"), campaigns).await);
    }
    let mut counted = Counted::default();
    let mut waiting: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for hour in 0..HOURS {
        stage.world.advance_to(after(hour)).await;
        let batch: Vec<&Wait> = planned.iter().filter(|wait| wait.hour == hour).collect();
        start_waits(&stage, &tenants, &batch, &mut counted).await;
        for wait in &batch {
            *waiting.entry(wait.due).or_default() += 1;
        }
        let ends: BTreeSet<Timestamp> = batch.iter().map(|wait| wait.due).collect();
        for end in ends {
            let expected = waiting.get(&end).copied().unwrap_or(0);
            counted.found += usize::from(found(&stage, end).await == expected);
        }
    }
    let ends_found = planned.iter().map(|wait| (wait.hour, wait.due)).collect::<BTreeSet<_>>().len();
    let last = planned.iter().map(|wait| wait.due).max().expect("a wait");
    stage.world.advance_to(last + SignedDuration::from_mins(20)).await;

    let mut report = Report::default();
    report.tell(
        "waits among the 39,576 of the incident, with other events beside them",
        format!(
            "{waits} waits, {} other events, {} kinds of wait at each hour of the day",
            waits * BACKGROUND,
            items.len()
        ),
    );
    let mornings = planned.iter().filter(|wait| wait.zone.is_some()).count();
    report.tell(
        format!("\"until {}:{} local\" in every zone of the database", MORNING.0, MORNING.1),
        format!("{mornings} of the waits, {} zones", TimeZoneDatabase::bundled().available().count()),
    );
    report.promise(
        format!("both sides of every change of a clock in two years, in at least {ZONES} zones"),
        format!("{} changes, {zones} zones", changes.len()),
        zones >= ZONES,
    );
    judge(&stage, &planned, &counted, ends_found, &mut report).await;
    report
}

/// Starts the waits of an hour: their events between others, evaluated before time goes on.
async fn start_waits(stage: &Stage, tenants: &[House], batch: &[&Wait], counted: &mut Counted) {
    let before = counted.accepted;
    for wait in batch {
        let tenant = tenants.get(wait.project).expect("a project");
        let identity = json!({"id": wait.person, "ianaTimezone": wait.zone});
        let track = |event: &str, n: usize| json!({"identity": identity, "event_name": event, "data": {"n": n}});
        let mut calls = vec![("/events/track", track(&wait.event, 0))];
        calls.extend((0..BACKGROUND).map(|n| ("/events/track", track("Looked", n))));
        for (path, body) in calls {
            let taken = stage.call(tenant, path, body).await;
            counted.accepted += u64::from(taken);
            counted.refused += u64::from(!taken);
        }
    }
    counted.unequal += usize::from(counted.accepted - before != stage.events_queued());
    for wait in batch.iter().filter(|wait| wait.unsubscribes) {
        let tenant = tenants.get(wait.project).expect("a project");
        let taken = stage.call(tenant, "/users/unsubscribe", json!({"id": wait.person})).await;
        counted.refused += u64::from(!taken);
    }
    stage.world.settle().await;
    for wait in batch {
        counted.evaluated += stage.counted(tenants.get(wait.project).expect("a project"), &wait.person).await;
    }
    let parked = u64::try_from(stage.parked().await).unwrap_or(u64::MAX);
    counted.unequal += usize::from(counted.accepted != counted.evaluated + stage.events_queued() + parked);
}

/// Runs that wait for an instant, found as a sweep finds them: by the timers of that instant.
async fn found(stage: &Stage, due: Timestamp) -> usize {
    let (timers, runs) = (Timers::new(stage.world.clients(), PREFIX), Runs::new(stage.world.clients(), PREFIX));
    // Calls that are taken at one instant are told apart by microseconds: their waits end within this second.
    let (before, last) = (due - SignedDuration::from_millis(1), due + SignedDuration::from_millis(999));
    let stretch = Stretch::next(before, last).expect("a stretch");
    let mut found = 0;
    for shard in 0..SHARDS {
        let page = timers.list(stretch, shard, None, 1000).await.expect("timers");
        let keys: Vec<_> = page.timers.into_iter().map(|timer| (timer.project, timer.run)).collect();
        let waits = runs.list(&keys).await.expect("runs");
        found += waits
            .iter()
            .filter(|run| matches!(run.state, RunState::Waiting { due_at, .. } if due <= due_at && due_at <= last))
            .count();
    }
    found
}

/// Compares what left with what was to leave.
async fn judge(stage: &Stage, planned: &[Wait], counted: &Counted, ends: usize, report: &mut Report) {
    let mut left: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for mail in stage.mails() {
        left.entry(mail.to.join(",")).or_default().push(mail.at);
    }
    let (mut lost, mut twice, mut early, mut unwanted, mut most) = (0, 0, 0, 0, SignedDuration::ZERO);
    for wait in planned {
        let mails = left.get(&wait.person).map(Vec::as_slice).unwrap_or_default();
        unwanted += usize::from(wait.unsubscribes && !mails.is_empty());
        lost += usize::from(!wait.unsubscribes && mails.is_empty());
        twice += usize::from(mails.len() > 1);
        for at in mails {
            early += usize::from(*at < wait.due);
            most = most.max(at.duration_since(wait.due));
        }
    }
    let parked = stage.parked().await;
    let queued = stage.queued_anywhere();
    let Counted { accepted, refused, evaluated, found, unequal } = counted;
    report.promise("every event is taken", format!("{accepted} of {}", accepted + refused), *refused == 0);
    report.promise(
        "every wait is saved, and found while it waits",
        format!("{found} of {ends} ends, at every hour, with all their runs"),
        *found == ends,
    );
    report.promise("each fires", format!("{lost} did not"), lost == 0);
    report.promise("once", format!("{twice} twice"), twice == 0);
    report.promise("never early", format!("{early} early"), early == 0);
    report.promise("at most 2 s late", format!("{:.3} s at most", most.as_secs_f64()), most <= LATE);
    report.promise("no mail to who unsubscribed", format!("{unwanted} mails"), unwanted == 0);
    report.promise(
        "accepted = processed + queued + parked, at each hour",
        format!("{accepted} = {evaluated} + 0 + {parked}, unequal at {unequal} hours"),
        *unequal == 0,
    );
    report.promise(
        "at rest, nothing is left over",
        format!("{queued} queued, {parked} parked"),
        queued == 0 && parked == 0,
    );
}
