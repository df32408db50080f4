//! Deeds: workflows whose steps act on the person and call a server, and the model of what must come of it. What one tracks,
//! and starts, starts others.

use dunlin_core::call::Action;
use serde_json::{Value, json};

use crate::model::Story;

/// The event that starts them.
pub const ACTED: &str = "Acted";
/// The event that one of them tracks, seconds later.
pub const ECHOED: &str = "Echoed";
/// The campaign that this starts.
pub const CAMPAIGN: &str = "cmp_echo";
/// How much the number of an echo is above that of its cause: above those of all calls.
const ABOVE: u64 = 1_000_000;

/// The campaign that another one starts.
pub const BEGUN: &str = "cmp_begun";
/// The campaign that mails what it was told.
pub const DEEDS: &str = "cmp_deeds";
/// The property that is updated, and the tag that is added.
pub const UPDATED: &str = "acted";
/// Where somebody answers webhooks, as [`Told`] says.
pub const ANSWERS: &str = "https://example.com/deeds";
/// Seconds before the webhook.
pub const PAUSE: i64 = 5;

/// What the server says to a webhook, by the number of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It answers.
    Good,
    /// It refuses.
    Bad,
    /// It answers when it is asked the third time.
    Late,
}

impl Told {
    /// What it says about an event.
    #[must_use]
    pub const fn of(number: u64) -> Self {
        // Numbers of these events are 3 and 6 above multiples of nine (`journeys::begin`).
        match number / 9 % 3 {
            0 => Self::Late,
            1 => Self::Good,
            _ => Self::Bad,
        }
    }
}

/// What it answers.
#[must_use]
pub const fn score(number: u64) -> u64 {
    number + 7
}

/// The campaigns as their files: one acts after a wait and calls a server, one starts another and calls a server that nobody
/// reaches, two mail.
#[must_use]
pub fn campaigns() -> [String; 4] {
    let deeds = format!(
        "{{id: {DEEDS}, name: Deeds, kind: workflow, trigger: {{event: {ACTED}}}, entry: {{total: 100000}},
          messages: {{
            told: {{subject: 'told {{{{ event.n }}}} {{{{ journey.crm.body.score }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
            untold: {{subject: 'untold {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{update: {{set: {{{UPDATED}: '{{{{ event.n }}}}'}}, add_tags: [{UPDATED}]}}}}, {{wait: {PAUSE} seconds}},
            {{track: {ECHOED}, data: {{n: '{{{{ event.echo }}}}'}}}},
            {{webhook: {{url: '{ANSWERS}', body: {{n: '{{{{ event.n }}}}'}}}}, as: crm, failed: untold}},
            {{name: told, send: told, next: over}}, {{name: untold, send: untold}}, {{name: over, exit: over}}]}}"
    );
    let asks = format!(
        "{{id: cmp_asks, name: Asks, kind: workflow, trigger: {{event: {ACTED}}}, messages: {{}},
          steps: [{{start: {BEGUN}, data: {{n: '{{{{ event.n }}}}'}}}}, {{webhook: {{url: 'https://example.com/asks'}}}}, {{exit: over}}]}}"
    );
    let [echo, begun] = [(CAMPAIGN, "echo", format!("event: {ECHOED}")), (BEGUN, "begun", "api: true".to_owned())].map(
        |(id, word, trigger)| {
            format!(
                "{{id: {id}, name: Mails, kind: behavioural, trigger: {{{trigger}}},
                  message: {{subject: '{word} {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}}"
            )
        },
    );
    [deeds, asks, echo, begun]
}

/// The properties of an event: its number, and that of its echo.
#[must_use]
pub fn data(number: u64) -> Value {
    json!({"n": number, "echo": number + ABOVE})
}

/// What is wrong with what steps did to a person: each thing once for each cause, unless somebody was deleted, and none
/// without.
#[must_use]
pub fn wrong(story: &Story<'_>) -> Option<String> {
    let deleted = story.calls.iter().any(|one| matches!(one.call.action, Action::Delete));
    let numbers = |of: fn(&Action) -> Option<u64>| {
        let mut numbers: Vec<u64> = story.calls.iter().filter_map(|one| of(&one.call.action)).collect();
        numbers.sort_unstable();
        numbers
    };
    let causes = numbers(|action| tracked(action, ACTED));
    let deeds: [(&str, Vec<u64>); 3] = [
        ("echoed by", numbers(|action| tracked(action, ECHOED).map(|echo| echo.saturating_sub(ABOVE)))),
        ("written down by", numbers(updated)),
        ("begun by", numbers(entered)),
    ];
    // An event that a client repeats after five minutes is another cause.
    let is_right = |done: &[u64]| if deleted { done.iter().all(|one| causes.contains(one)) } else { *done == causes };
    let wrong = deeds.iter().find(|(_, done)| !is_right(done));
    wrong.map(|(how, done)| format!("{causes:?} were {how} {done:?}"))
}

/// The number of an event of that name.
fn tracked(action: &Action, event: &str) -> Option<u64> {
    match action {
        Action::Track { name, data, .. } if name.as_str() == event => data.get("n")?.as_u64(),
        _ => None,
    }
}

/// The number of the event that a step wrote down.
#[must_use]
pub fn updated(action: &Action) -> Option<u64> {
    match action {
        Action::Edit { changes } => changes.get(UPDATED)?.as_u64(),
        _ => None,
    }
}

/// The number of the event by which a step started another campaign.
#[must_use]
pub fn entered(action: &Action) -> Option<u64> {
    match action {
        Action::Enter { data, .. } => data.get("n")?.as_u64(),
        _ => None,
    }
}
