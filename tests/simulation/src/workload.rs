//! The workload: what people of several projects do, drawn from a seed.

use dunlin_local::Door;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::house::{House, Unbuilt};
use crate::{entries, journeys};

/// Projects.
pub const PROJECTS: usize = 3;
/// People in each.
pub const PEOPLE: usize = 4;
/// Seconds of the waits that welcome series are drawn from: both sides of every limit on the way, up to ten years.
const WAITS: [i64; 16] =
    [1, 20, 300, 839, 841, 899, 900, 901, 959, 961, 3_600, 86_399, 1_209_600, 2_592_000, 31_622_400, 315_360_000];

/// A person, by project and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Person {
    /// The project's place.
    pub project: usize,
    /// The person's place in it.
    pub place: usize,
}

impl Person {
    /// What the client calls them.
    #[must_use]
    pub fn id(self) -> String {
        format!("person-{}", self.place)
    }

    /// Their address. The last of each project has one that bounces.
    #[must_use]
    pub fn email(self) -> String {
        if self.place + 1 == PEOPLE {
            return format!("bounce+{}-{}@simulator.amazonses.com", self.project, self.place);
        }
        format!("person-{}@people-{}.example", self.place, self.project)
    }

    /// Everybody.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..PROJECTS).flat_map(|project| (0..PEOPLE).map(move |place| Self { project, place }))
    }
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The person is there, on this plan.
    Identify {
        /// `free` or `pro`.
        plan: &'static str,
    },
    /// Another plan.
    Edit {
        /// `free` or `pro`.
        plan: &'static str,
    },
    /// A tag is added or removed.
    Tag {
        /// Whether it is added.
        add: bool,
    },
    /// Something happened.
    Track {
        /// Which event.
        event: &'static str,
    },
    /// Something happened that is only to be remembered: a passive event.
    Remember {
        /// Which event.
        event: &'static str,
    },
    /// The day on which they were born becomes known, or is no longer.
    Born {
        /// Whether it is known.
        is_known: bool,
    },
    /// No marketing mail any more.
    Unsubscribe,
    /// Marketing mail again.
    Resubscribe,
    /// Everything about the person is to go.
    Delete,
    /// So many things happened to the person that no campaign asks for: a batch of the Segment API.
    Flood {
        /// How many, up to 1,000.
        events: u64,
    },
}

/// A call that a client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its number, which it carries where it can.
    pub number: u64,
    /// When the client wants to make it.
    pub at: Timestamp,
    /// About whom.
    pub person: Person,
    /// What for.
    pub what: What,
    /// Whether the client makes it a second time although it was answered.
    pub twice: bool,
}

/// The seconds between the mails of each project's welcome series.
pub type Waits = [[i64; 2]; PROJECTS];

/// Draws the waits of the welcome series.
#[must_use]
pub fn waits(chance: &mut StdRng) -> Waits {
    let mut one = || WAITS.get(chance.random_range(0..WAITS.len())).copied().unwrap_or(1);
    std::array::from_fn(|_| [one(), one()])
}

/// The campaigns of a project: transactional at once, behavioural with a filter at the door, behavioural with a wait and a
/// condition, and a series that asks in between.
#[must_use]
pub fn campaigns(waits: [i64; 2]) -> Vec<String> {
    let [first, second] = waits;
    let receipt = "{id: cmp_receipt, name: Receipt, kind: transactional, trigger: {event: Bought},
      message: {subject: 'receipt {{ event.n }} {{ user.plan }}', text: 'Thank you'}}";
    let upgrade = "{id: cmp_upgrade, name: Upgrade, kind: behavioural,
      trigger: {event: Looked, filters: [{property: user.plan, equals: free}]},
      message: {subject: 'upgrade {{ event.n }} {{ user.plan }}', text: 'See {{ url.unsubscribe_link }}'}}";
    let nudge = "{id: cmp_nudge, name: Nudge, kind: behavioural, trigger: {event: Left cart}, wait: 20 minutes,
      conditions: [{no_tag: vip}],
      message: {subject: 'nudge {{ event.n }} {{ user.plan }}', text: 'See {{ url.unsubscribe_link }}'}}";
    let welcome = format!(
        "{{id: cmp_welcome, name: Welcome, kind: workflow, trigger: {{event: Signed up}},
          messages: {{
            one: {{subject: 'welcome-one {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
            two: {{subject: 'welcome-two {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}},
            three: {{subject: 'welcome-three {{{{ event.n }}}} {{{{ user.plan }}}}', text: '{{{{ url.unsubscribe_link }}}}'}}}},
          steps: [{{send: one}}, {{wait: {first} seconds}}, {{send: two}}, {{wait: {second} seconds}},
            {{filter: [{{property: user.plan, equals: free}}]}}, {{send: three}}]}}"
    );
    vec![receipt.to_owned(), upgrade.to_owned(), nudge.to_owned(), welcome]
}

/// Draws `count` calls over some hours after `start`. Everybody is identified first.
#[must_use]
pub fn calls(start: Timestamp, count: usize, chance: &mut StdRng) -> Vec<Planned> {
    let people: Vec<Person> = Person::all().collect();
    let mut calls = identified(start, chance);
    for _ in 0..count {
        // Bursts and lulls: some minutes see much, some hours little.
        let hour = SignedDuration::from_mins(60 * chance.random_range(0..4));
        let within = SignedDuration::from_millis(chance.random_range(60_000..600_000));
        let person = people.get(chance.random_range(0..people.len())).copied();
        calls.extend(person.map(|person| (start + hour + within, person, what(chance))));
    }
    numbered(1, calls, |what| is_twice(what, chance))
}

/// Whether a client makes this call a second time although it was answered, which one in ten does that starts something:
/// only events carry a key by which a repetition is known (Track API).
pub(crate) fn is_twice(what: &What, chance: &mut StdRng) -> bool {
    matches!(what, What::Track { .. }) && chance.random_bool(0.1)
}

/// Everybody is identified, within a minute.
pub(crate) fn identified(start: Timestamp, chance: &mut StdRng) -> Vec<(Timestamp, Person, What)> {
    let identify = |person| {
        let at = start + SignedDuration::from_millis(chance.random_range(0..60_000));
        (at, person, What::Identify { plan: plan(chance) })
    };
    Person::all().map(identify).collect()
}

/// Calls in their order, numbered from `first` on; `twice` says which of them a client makes a second time although they
/// were answered.
pub(crate) fn numbered(
    first: u64,
    mut calls: Vec<(Timestamp, Person, What)>,
    mut twice: impl FnMut(&What) -> bool,
) -> Vec<Planned> {
    calls.sort_by_key(|(at, person, _)| (*at, *person));
    let planned = (first..).zip(calls).map(|(number, (at, person, what))| {
        let twice = twice(&what);
        Planned { number, at, person, what, twice }
    });
    planned.collect()
}

fn plan(chance: &mut StdRng) -> &'static str {
    if chance.random_bool(0.6) { "free" } else { "pro" }
}

/// Of a hundred calls, those that are events.
const EVENTS: u32 = 68;

fn track(roll: u32) -> What {
    let event = match roll {
        0..22 => "Bought",
        22..40 => "Looked",
        40..55 => "Left cart",
        _ => "Signed up",
    };
    What::Track { event }
}

/// An event, each as often as among all calls.
pub(crate) fn event(chance: &mut StdRng) -> What {
    track(chance.random_range(0..EVENTS))
}

fn what(chance: &mut StdRng) -> What {
    match chance.random_range(0..100) {
        roll @ 0..EVENTS => track(roll),
        EVENTS..76 => What::Edit { plan: plan(chance) },
        76..82 => What::Identify { plan: plan(chance) },
        82..88 => What::Tag { add: chance.random_bool(0.6) },
        88..93 => What::Unsubscribe,
        93..97 => What::Resubscribe,
        _ => What::Delete,
    }
}

impl Planned {
    /// The call as HTTP, as a client of the project writes it.
    ///
    /// # Errors
    /// When it is no request; every planned call is one.
    pub fn request(&self, house: &House) -> Result<Request<bytes::Bytes>, Unbuilt> {
        let (id, email, n) = (self.person.id(), self.person.email(), self.number);
        let zone = journeys::zone(self.person, self.at);
        let (method, path, mut body) = match &self.what {
            What::Identify { plan } => {
                let renews = entries::renews(plan).to_string();
                let data = json!({"plan": plan, "n": n, "ianaTimezone": zone, "renews": renews});
                (Method::POST, "/users/track", json!({"id": id, "email": email, "data": data}))
            }
            What::Edit { plan } => (Method::PUT, "/users/edit", json!({"id": id, "changes": {"plan": plan, "n": n}})),
            What::Tag { add: true } => (Method::PUT, "/users/tags/edit", json!({"id": id, "add": ["vip"]})),
            What::Tag { add: false } => (Method::PUT, "/users/tags/edit", json!({"id": id, "remove": ["vip"]})),
            What::Track { event } | What::Remember { event } => {
                let identity = json!({"id": id, "email": email, "ianaTimezone": zone});
                let extras = json!({"passive": matches!(self.what, What::Remember { .. })});
                let data = journeys::data(event, n);
                let body = json!({"identity": identity, "event_name": event, "data": data, "extras": extras});
                (Method::POST, "/events/track", body)
            }
            What::Born { is_known } => {
                let changes = json!({"born": is_known.then(|| entries::BORN.to_string()), "n": n});
                (Method::PUT, "/users/edit", json!({"id": id, "changes": changes}))
            }
            What::Unsubscribe => (Method::POST, "/users/unsubscribe", json!({"id": id})),
            What::Resubscribe => (Method::POST, "/users/resubscribe", json!({"id": id})),
            What::Delete => (Method::POST, "/users/delete", json!({"id": id})),
            What::Flood { events } => {
                // The first carries the call's number, the others what no other call carries.
                let number = |event: u64| if event == 0 { n } else { n * 1_000 + event };
                let item = |event| {
                    let n = number(event);
                    let (kind, name, data) = ("track", "Seen", json!({"n": n}));
                    json!({"type": kind, "messageId": format!("{id} {n}"), "userId": id, "event": name, "properties": data})
                };
                (Method::POST, "/batch", json!({"batch": (0..*events).map(item).collect::<Vec<_>>()}))
            }
        };
        let (base, credential) = match self.what {
            What::Flood { .. } => ("/v1", "writeKey"),
            _ => ("/api/v2", "auth_token"),
        };
        if let Value::Object(fields) = &mut body {
            fields.insert(credential.to_owned(), json!(house.token));
        }
        let request = Request::builder().method(method).uri(format!("{base}{path}"));
        Ok(request.header("content-type", "application/json").body(body.to_string().into())?)
    }

    /// The door it goes to.
    #[must_use]
    pub const fn door() -> crate::sim::Role {
        crate::sim::Role::Door(Door::Intake)
    }
}
