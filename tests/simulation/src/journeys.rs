//! Journeys: workflows that wait by the clock, and the model of them; the other rooms of the scenario have their own
//! ([`crate::baskets`], [`crate::deeds`], [`crate::hopes`], [`crate::rounds`], [`crate::entries`]). One waits until nine
//! in the morning where people live and draws lots; one for the day before a date, which is looked at on its eve; one for a
//! random time and then for the day. The people of one project relocate in between. Apart from the product's own code:
//! times are jiff's own, the lots are as docs/campaigns.md has them.

use jiff::civil::{Date, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::play::START;
use crate::workload::{Person, Planned, What};
use crate::{baskets, deeds, entries, hopes, rounds};

/// The event that starts it.
pub const EVENT: &str = "Rose";
/// Its campaign.
pub const CAMPAIGN: &str = "cmp_morning";
/// The event that starts the other one, with a date.
pub const DATED: &str = "Tried";
/// Its campaign.
pub const TRIAL: &str = "cmp_trial";
/// The event that starts one which waits for a random time, and then for the day.
pub const STROLLED: &str = "Strolled";
/// Its campaign.
pub const STROLL: &str = "cmp_stroll";
/// Minutes for which it waits at least, and at most.
const STROLLS: [i64; 2] = [10, 180];
/// Hours of the day at which its window opens and closes.
const OPEN: [i8; 2] = [8, 18];
/// The date, a week after the beginning of every story.
const DATE: Date = date(2026, 1, 12);
/// Percent of the people who are held out.
const HELD_OUT: u64 = 20;
/// Percent of the others who get the red mail; all others get the blue one.
const RED: u64 = 30;
/// The zones of a project's people, by their place; who has none lives in the project's.
const ZONES: [Option<&str>; 4] = [Some("America/New_York"), Some("Asia/Kolkata"), None, Some("Australia/Lord_Howe")];
/// Where those of one project move to, east and west, while much of what they began waits for a time of day.
const NEW_HOMES: [Option<&str>; 4] =
    [Some("Europe/Berlin"), Some("America/Los_Angeles"), Some("Asia/Tokyo"), Some("America/St_Johns")];
/// The project whose people move.
const RELOCATES: usize = 1;
/// When they do, after the beginning of the story.
const RELOCATE_AFTER: SignedDuration = SignedDuration::from_mins(100);

/// The name of a zone; none is the project's.
pub type Zone<'a> = Option<&'a str>;

/// The campaigns as their files.
#[must_use]
pub fn campaigns() -> Vec<String> {
    let trial = format!(
        "{{id: {TRIAL}, name: Trial, kind: workflow, trigger: {{event: {DATED}}},
          messages: {{trial: {{subject: 'trial {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: {{date: event.until, before: 1 day, at: '18:30'}}}}, {{send: trial}}]}}"
    );
    let morning = format!(
        "{{id: {CAMPAIGN}, name: Morning, kind: workflow, trigger: {{event: {EVENT}}},
          messages: {{
            red: {{subject: 'red {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
            blue: {{subject: 'blue {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{name: apart, hold_out: {HELD_OUT}}}, {{wait: {{until: '9:00', if_passed: next_day}}}},
            {{branch: [{{when: [{{tag: vip}}], to: over}}]}},
            {{name: colour, split: [{{percent: {RED}, to: red}}, {{percent: {}, to: blue}}]}},
            {{name: red, send: red, next: over}}, {{name: blue, send: blue}}, {{name: over, exit: over}}]}}",
        100 - RED
    );
    let [least, most] = STROLLS;
    let [opens, closes] = OPEN;
    let stroll = format!(
        "{{id: {STROLL}, name: Stroll, kind: workflow, trigger: {{event: {STROLLED}}},
          messages: {{stroll: {{subject: 'stroll {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{wait: {{between: [{least} minutes, {most} minutes]}}}},
            {{wait: {{window: {{from: '{opens}:00', to: '{closes}:00'}}}}}}, {{send: stroll}}]}}"
    );
    let others = [morning, trial, stroll, baskets::campaign()].into_iter().chain(deeds::campaigns());
    others.chain(hopes::campaigns()).chain(entries::campaigns()).chain([rounds::campaign()]).collect()
}

/// The properties of an event: one of the second kind has a date.
#[must_use]
pub fn data(event: &str, number: u64) -> Value {
    match event {
        DATED => json!({"n": number, "until": DATE.to_string()}),
        baskets::FILLED | baskets::PAID => baskets::data(number),
        deeds::ACTED => deeds::data(number),
        entries::JOINED => entries::data(number),
        _ => json!({"n": number}),
    }
}

/// Turns most of the events into ones that start a journey.
pub fn begin(calls: &mut [Planned]) {
    for call in calls {
        if let What::Track { event } = &mut call.what {
            *event = match call.number % 9 {
                0 | 4 => EVENT,
                2 => DATED,
                3 | 6 => deeds::ACTED,
                5 => STROLLED,
                7 => entries::JOINED,
                _ => event,
            };
        }
    }
}

/// The zone that a person's calls of that time name.
#[must_use]
pub fn zone(person: Person, at: Timestamp) -> Option<&'static str> {
    let zones = if person.project == RELOCATES && at >= START + RELOCATE_AFTER { NEW_HOMES } else { ZONES };
    zones.get(person.place % zones.len()).copied().flatten()
}

/// The rules of a zone; who has none lives in the project's.
fn rules(zone: Zone<'_>) -> TimeZone {
    TimeZoneDatabase::bundled().get(zone.unwrap_or("UTC")).unwrap_or(TimeZone::UTC)
}

/// The evening before the date of [`DATED`] in a zone.
#[must_use]
pub fn trial(zone: Zone<'_>) -> Timestamp {
    eve(zone, DATE)
}

/// The evening before a date in a zone.
#[must_use]
pub fn eve(zone: Zone<'_>, date: Date) -> Timestamp {
    let evening = date.yesterday().map(|day| day.at(18, 30, 0, 0)).and_then(|evening| evening.to_zoned(rules(zone)));
    evening.map_or(Timestamp::MAX, |evening| evening.timestamp())
}

/// Nine in the morning of a birthday in a zone: that of who was born on a 29 February is on the 28th in other years.
#[must_use]
pub fn birthday(zone: Zone<'_>, born: Date, year: i16) -> Timestamp {
    let day = Date::new(year, born.month(), born.day()).or_else(|_| Date::new(year, born.month(), born.day() - 1));
    let nine = day.and_then(|day| day.at(9, 0, 0, 0).to_zoned(rules(zone)));
    nine.map_or(Timestamp::MAX, |nine| nine.timestamp())
}

/// When a stroll may begin that was asked for at `at`: at the earliest, and at the latest.
#[must_use]
pub fn strolls(zone: Zone<'_>, at: Timestamp) -> [Timestamp; 2] {
    STROLLS.map(|minutes| opens(zone, at + SignedDuration::from_mins(minutes)))
}

/// When it is day in a zone: then, or later.
#[must_use]
pub fn opens(zone: Zone<'_>, from: Timestamp) -> Timestamp {
    let [opens, closes] = OPEN;
    let local = from.to_zoned(rules(zone));
    if (opens..closes).contains(&local.hour()) {
        return from;
    }
    let day = if local.hour() < opens { Ok(local.date()) } else { local.date().tomorrow() };
    let opening = day.and_then(|day| day.at(opens, 0, 0, 0).to_zoned(rules(zone)));
    opening.map_or(Timestamp::MAX, |opening| opening.timestamp())
}

/// Nine in the morning of the day on which that comes next in the zone in which somebody lived when they began to wait: in
/// that zone, and in the one in which they live now where it is later there.
#[must_use]
pub fn morning(then: Zone<'_>, now: Zone<'_>, from: Timestamp) -> Timestamp {
    let nine =
        |day: Date, zone| day.at(9, 0, 0, 0).to_zoned(rules(zone)).map_or(Timestamp::MAX, |nine| nine.timestamp());
    let mut day = from.to_zoned(rules(then)).date();
    if nine(day, then) < from {
        day = day.tomorrow().unwrap_or(Date::MAX);
    }
    nine(day, then).max(nine(day, now))
}

/// Whether a person of a project gets the red mail (or else the blue one), if any.
#[must_use]
pub fn is_drawn(project: &str, person: Person, is_red: bool) -> bool {
    let lot = |seed: &str| {
        let mut hash = Sha256::new();
        for part in ["lot", project, CAMPAIGN, seed, &person.id()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let bytes = hash.finalize();
        bytes.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) % 10_000
    };
    lot("apart") >= HELD_OUT * 100 && (lot("colour") < RED * 100) == is_red
}
