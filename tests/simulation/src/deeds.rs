//! Deeds: workflows whose steps act on the person, and the model of what must come of it. What one tracks starts another.

use dunlin_core::call::Action;
use serde_json::{Value, json};

use crate::model::Story;
use crate::observed::Accepted;

/// The event that starts them.
pub const ACTED: &str = "Acted";
/// The event that one of them tracks, seconds later.
pub const ECHOED: &str = "Echoed";
/// The campaign that this starts.
pub const CAMPAIGN: &str = "cmp_echo";
/// How much the number of an echo is above that of its cause: above those of all calls.
const ABOVE: u64 = 1_000_000;

/// The campaigns as their files: one acts after a wait, one calls a server that nobody reaches, one mails.
#[must_use]
pub fn campaigns() -> [String; 3] {
    let deeds = format!(
        "{{id: cmp_deeds, name: Deeds, kind: workflow, trigger: {{event: {ACTED}}}, entry: {{total: 100000}}, messages: {{}},
          steps: [{{update: {{set: {{acted: '{{{{ event.n }}}}'}}, add_tags: [acted]}}}}, {{wait: 5 seconds}},
            {{track: {ECHOED}, data: {{n: '{{{{ event.echo }}}}'}}}},
            {{webhook: {{url: 'https://example.com/deeds'}}, as: told}}, {{exit: over}}]}}"
    );
    let asks = format!(
        "{{id: cmp_asks, name: Asks, kind: workflow, trigger: {{event: {ACTED}}}, messages: {{}},
          steps: [{{webhook: {{url: 'https://example.com/asks'}}}}, {{exit: over}}]}}"
    );
    let echo = format!(
        "{{id: {CAMPAIGN}, name: Echo, kind: behavioural, trigger: {{event: {ECHOED}}},
          message: {{subject: 'echo {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}}"
    );
    [deeds, asks, echo]
}

/// The properties of an event: its number, and that of its echo.
#[must_use]
pub fn data(number: u64) -> Value {
    json!({"n": number, "echo": number + ABOVE})
}

/// The event's number, where a call is one of that name.
fn number(call: &Accepted, event: &str) -> Option<u64> {
    match &call.call.action {
        Action::Track { name, data, .. } if name.as_str() == event => data.get("n")?.as_u64(),
        _ => None,
    }
}

/// What is wrong with a person's echoes: one for each cause, unless somebody was deleted, and none without.
#[must_use]
pub fn wrong(story: &Story<'_>) -> Option<String> {
    let deleted = story.calls.iter().any(|one| matches!(one.call.action, Action::Delete));
    let numbers = |event| {
        let mut numbers: Vec<u64> = story.calls.iter().filter_map(|one| number(one, event)).collect();
        numbers.sort_unstable();
        // An event that a client repeats after five minutes is another one.
        numbers.dedup();
        numbers
    };
    let (causes, echoes) = (numbers(ACTED), numbers(ECHOED));
    let expected: Vec<u64> = causes.iter().map(|number| number + ABOVE).collect();
    let right = if deleted { echoes.iter().all(|echo| expected.contains(echo)) } else { echoes == expected };
    (!right).then(|| format!("{causes:?} were echoed by {echoes:?}"))
}
