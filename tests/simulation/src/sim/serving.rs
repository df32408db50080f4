//! Requests on their way through the gate: how long they take, what befalls who asks, and who watches.

use bytes::Bytes;
use dunlin_aws::resources::Queue;
use dunlin_local::faults::Side;
use dunlin_local::{Broken, Cloud, FaultKind, Service};
use http::Request;
use jiff::Timestamp;

use super::conduct::{Fate, latency};
use super::environment::{Role, instant, word};
use super::gate::{Outcome, Waiting};
use super::{Befallen, Event, Sim, Then, hand_over};

/// A request that AWS saw.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// When it had its effect.
    pub at: Timestamp,
    /// The environment that asked, by its number.
    pub environment: u64,
    /// Who asked; none when the environment is gone by then.
    pub role: Option<Role>,
    /// The service.
    pub service: Service,
    /// The operation, as the service names it.
    pub operation: &'a str,
    /// What was asked.
    pub request: &'a Request<Bytes>,
    /// What was answered.
    pub outcome: &'a Outcome,
    /// Whether it had its effect, whatever was answered.
    pub worked: bool,
    /// Whether the answer reaches whoever asked.
    pub is_heard: bool,
}

/// Somebody who sees every request.
pub trait Watcher {
    /// A request was answered.
    fn see(&mut self, sighting: &Sighting<'_>);

    /// A message was acknowledged: its function reported no failure.
    fn done(&mut self, _at: Timestamp, _queue: &Queue, _body: &str) {}

    /// An invocation is over: a call was answered, or a batch was handled and what it acknowledged is gone.
    fn ended(&mut self, _at: Timestamp, _cloud: &Cloud) {}
}

impl Sim {
    /// A request comes to the gate.
    pub(super) fn arrive(&mut self, waiting: Waiting) {
        let now = self.millis();
        let Some(environment) = self.environments.get_mut(&waiting.environment) else { return };
        self.requests += 1;
        let (service, _) = Cloud::asked(&waiting.request);
        self.asked.push((environment.role, service));
        let mut takes = latency(service, &mut self.chance);
        let mut fate = Fate::Live;
        if let Some(work) = &mut environment.work {
            work.requests += 1;
            fate = match work.fate {
                Fate::Die { at, .. } | Fate::Freeze { at, .. } if at != work.requests => Fate::Live,
                fate => fate,
            };
        }
        if let Some((_, side)) = self.conduct.deaths.iter().find(|(at, _)| *at == self.requests) {
            fate = Fate::Die { at: 0, side: *side };
        }
        let then = match fate {
            Fate::Live => Then::Answer,
            Fate::Drag { millis } => {
                takes = millis;
                Then::Answer
            }
            Fate::Die { side: Side::Before, .. } => return self.kill(waiting.environment, "killed"),
            Fate::Die { side: Side::After, .. } => Then::Die,
            Fate::Freeze { side: Side::After, millis, .. } => Then::Freeze(millis),
            Fate::Freeze { side: Side::Before, millis, .. } => {
                self.freeze(waiting.environment, millis);
                takes += millis;
                Then::Answer
            }
        };
        self.put(now + takes, Event::Serve(waiting, then));
    }

    fn freeze(&mut self, number: u64, millis: i64) {
        let until = self.millis() + millis;
        let Some(environment) = self.environments.get_mut(&number) else { return };
        environment.frozen_until = Some(until);
        let (role, what) = (environment.role, "frozen");
        self.befallen.push(Befallen { at: self.now(), role, what });
        self.put(until, Event::Thaw(number));
    }

    /// A request has its effect.
    pub(super) async fn serve(&mut self, waiting: Waiting, then: Then) {
        let Waiting { environment, request, answer } = waiting;
        let now = self.millis();
        // In memory AWS answers at once; nothing here waits for anybody.
        let outcome = self.cloud.answer(request.clone()).await;
        let (service, operation) = Cloud::asked(&request);
        let worked = match &outcome {
            Ok(answer) => answer.status().is_success(),
            Err(Broken::Unreachable) => false,
            Err(Broken::TimedOut | Broken::Reset) => {
                let kind = self.cloud.faults().latest().map(|fault| fault.kind);
                matches!(kind, Some(FaultKind::TimeoutApplied | FaultKind::ResetApplied))
            }
        };
        if worked {
            self.sweeps.see(service, &operation, &request);
        }
        self.trace.note(now, environment, &[&operation, &word(&outcome)]);
        let role = self.environments.get(&environment).map(|one| one.role);
        if let Some(role) = role.filter(|_| answer.is_closed()) {
            self.befallen.push(Befallen { at: instant(now), role, what: "gave up waiting" });
        }
        // Who was slow enough may have given up waiting.
        let (at, is_heard) = (instant(now), role.is_some() && then != Then::Die && !answer.is_closed());
        for watcher in &mut self.watchers {
            let (operation, request, outcome) = (operation.as_str(), &request, &outcome);
            watcher.see(&Sighting { at, environment, role, service, operation, request, outcome, worked, is_heard });
        }
        match then {
            Then::Die => return self.kill(environment, "killed"),
            Then::Freeze(millis) => self.freeze(environment, millis),
            Then::Answer => {}
        }
        if matches!(outcome, Err(Broken::TimedOut)) {
            // No answer ever comes: whoever waits for it gives up by its own time-out.
            return;
        }
        let Some(environment) = self.environments.get_mut(&environment) else { return };
        if environment.frozen_until.is_some() {
            environment.mail.push((answer, outcome));
        } else {
            hand_over(answer, outcome);
        }
    }
}
