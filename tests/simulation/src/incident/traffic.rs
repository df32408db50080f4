//! Traffic over the simulator: calls of several projects, how each was answered, and when it was evaluated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use dunlin_aws::parked::Parked;
use dunlin_aws::resources::{QUEUES, Queue};
use dunlin_core::ids::{EventId, ProjectId};
use dunlin_core::task::{Calls, from_text};
use dunlin_local::{Door, Mail};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::stage::outbox;
use crate::house::{self, House};
use crate::sim::{Conduct, Role, Sighting, Sim, Watcher};

/// A call that was evaluated.
#[derive(Clone, Debug)]
pub(crate) struct Evaluated {
    /// Whose.
    pub(crate) project: ProjectId,
    /// When it was accepted.
    pub(crate) accepted_at: Timestamp,
    /// When its message was acknowledged.
    pub(crate) done_at: Timestamp,
}

impl Evaluated {
    /// From accepted to evaluated.
    pub(crate) fn lag(&self) -> SignedDuration {
        self.done_at.duration_since(self.accepted_at)
    }
}

/// Who sees what is evaluated; clones see the same.
#[derive(Clone, Default)]
struct Eyes(Rc<RefCell<BTreeMap<EventId, Evaluated>>>);

impl Watcher for Eyes {
    fn see(&mut self, _: &Sighting<'_>) {}

    fn done(&mut self, at: Timestamp, _: &Queue, body: &str) {
        // A message of another queue is no calls.
        let Ok(calls) = from_text::<Calls>(body) else { return };
        for call in calls.calls {
            let evaluated = Evaluated { project: call.project, accepted_at: call.accepted_at, done_at: at };
            self.0.borrow_mut().entry(call.id).or_insert(evaluated);
        }
    }
}

/// Dunlin in simulated AWS, and those who call it.
pub(crate) struct Traffic {
    /// The simulated AWS.
    pub(crate) sim: Sim,
    eyes: Eyes,
    calls: u64,
    /// Answers so far, by status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// When the status page is looked at next.
    look_at: Timestamp,
    looked: Vec<Looked>,
}

/// What the status page said once.
struct Looked {
    at: Timestamp,
    /// The components that were not operational, with how they were.
    unwell: BTreeMap<String, String>,
}

/// From here on, numbers of calls are looks at the status page.
const LOOKS: u64 = 1 << 40;
/// When the first sweep has taken readings: before, nothing is known.
const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(2);
/// Between two looks.
const BETWEEN_LOOKS: SignedDuration = SignedDuration::from_secs(5);

impl Traffic {
    /// Nobody calls yet. `readers` is how many batches of each queue are handled at once; none is what the template says.
    pub(crate) fn new(start: Timestamp, readers: Option<u32>, seed: u64) -> Self {
        let conduct = Conduct { concurrency: readers, ..Conduct::smooth() };
        let mut sim = Sim::new(start, house::settings().expect("settings"), conduct, seed).expect("a simulation");
        let eyes = Eyes::default();
        sim.watch(eyes.clone());
        sim.sweep_each_minute();
        Self { sim, eyes, calls: 0, answers: BTreeMap::new(), look_at: start + FIRST_LOOK, looked: Vec::new() }
    }

    /// A project with campaigns.
    pub(crate) async fn house(&self, name: &str, campaigns: &[&str]) -> House {
        let campaigns: Vec<String> = campaigns.iter().map(|text| (*text).to_owned()).collect();
        house::build(self.sim.cloud(), self.sim.settings(), name, &campaigns).await.expect("a project")
    }

    /// A call of the Track API, to come at `at`.
    pub(crate) fn call(&mut self, at: Timestamp, house: &House, path: &str, mut body: Value) {
        body["auth_token"] = Value::from(house.token.as_str());
        let request = Request::post(format!("/api/v2{path}")).header("content-type", "application/json");
        let request = request.body(Bytes::from(body.to_string())).expect("a request");
        self.calls += 1;
        self.sim.call(at, self.calls, Role::Door(Door::Intake), request);
    }

    /// Lets time pass, and looks at the status page.
    pub(crate) async fn until(&mut self, at: Timestamp) {
        while self.look_at <= at {
            let request = Request::get("/status.json").body(Bytes::new()).expect("a request");
            self.sim.call(self.look_at, LOOKS, Role::Door(Door::Manage), request);
            self.look_at += BETWEEN_LOOKS;
        }
        while let Some(answered) = self.sim.next(at).await {
            if answered.number == LOOKS {
                let shown: Value = serde_json::from_slice(answered.answer.body()).expect("the status page");
                self.looked.push(Looked { at: answered.at, unwell: unwell(&shown) });
            } else {
                *self.answers.entry(answered.answer.status().as_u16()).or_default() += 1;
            }
        }
    }

    /// When the status page first said that a component is not well, from an instant on.
    pub(crate) fn named(&self, component: &str, from: Timestamp) -> Option<Timestamp> {
        let looked = self.looked.iter().filter(|looked| looked.at >= from);
        looked.filter(|looked| looked.unwell.contains_key(component)).map(|looked| looked.at).next()
    }

    /// When the status page last said that anything is not well.
    pub(crate) fn last_unwell(&self) -> Option<Timestamp> {
        self.looked.iter().rev().find(|looked| !looked.unwell.is_empty()).map(|looked| looked.at)
    }

    /// Everything that the status page ever said was not well, with how.
    pub(crate) fn said(&self) -> BTreeMap<&str, &str> {
        self.looked.iter().flat_map(|looked| &looked.unwell).map(|(what, how)| (what.as_str(), how.as_str())).collect()
    }

    /// Calls made so far, and those of them that were answered with 200.
    pub(crate) fn taken(&self) -> (u64, u64) {
        (self.calls, self.answers.get(&200).copied().unwrap_or(0))
    }

    /// Every call that was evaluated.
    pub(crate) fn evaluated(&self) -> Vec<Evaluated> {
        self.eyes.0.borrow().values().cloned().collect()
    }

    /// How many calls were evaluated.
    pub(crate) fn processed(&self) -> u64 {
        self.eyes.0.borrow().len() as u64
    }

    /// Messages in the queues of calls.
    pub(crate) fn queued_calls(&self) -> u64 {
        QUEUES
            .iter()
            .filter(|queue| matches!(queue.stem, "events" | "backlog"))
            .map(|queue| self.depth(&queue.name()))
            .sum()
    }

    /// Messages that a queue has given up.
    pub(crate) fn dead(&self) -> u64 {
        QUEUES.iter().map(|queue| self.depth(&queue.dead_letter_name())).sum()
    }

    /// Messages anywhere.
    pub(crate) fn queued(&self) -> u64 {
        QUEUES.iter().map(|queue| self.depth(&queue.name())).sum::<u64>() + self.dead()
    }

    fn depth(&self, name: &str) -> u64 {
        self.sim.cloud().sqs().depth(&format!("{}{name}", self.sim.settings().prefix)).total()
    }

    /// Tasks that were parked.
    pub(crate) async fn parked(&self) -> usize {
        let clients = house::clients(self.sim.cloud());
        Parked::new(&clients, &self.sim.settings().prefix).list(None, 100).await.expect("the parked tasks").len()
    }

    /// Every mail that left, newest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        outbox(self.sim.cloud())
    }
}

/// The components that a status page calls other than operational.
fn unwell(shown: &Value) -> BTreeMap<String, String> {
    let all = shown.get("components").and_then(Value::as_array).into_iter().flatten();
    let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = all.map(|one| (text(one, "component"), text(one, "state")));
    named.filter(|(_, state)| state != "operational" && state != "not_offered").collect()
}

/// Of these, the one that so many in a hundred do not exceed; zero where there are none.
pub(crate) fn percentile(mut of: Vec<SignedDuration>, percent: usize) -> SignedDuration {
    of.sort_unstable();
    of.get((of.len() * percent / 100).min(of.len().saturating_sub(1))).copied().unwrap_or_default()
}
