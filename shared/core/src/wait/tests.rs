mod kinds;
mod oracle;
mod people;
mod properties;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect(name)
}

fn wait(form: Value) -> Wait {
    serde_json::from_value(form.clone()).unwrap_or_else(|error| panic!("{form}: {error}"))
}

fn start<'a>(from: &str, zone: &'a Zone, value: Option<&'a Value>) -> Start<'a> {
    Start { at: at(from), zone, value, seed: &["run_1", "pause", "0"] }
}

/// Where a wait ends that starts then in Berlin.
fn in_berlin(form: Value, from: &str, value: Option<Value>) -> Timestamp {
    let zone = zone("Europe/Berlin");
    wait(form).ends(&start(from, &zone, value.as_ref())).expect("a date").at
}
