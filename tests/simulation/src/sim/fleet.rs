//! The fleet: which environment takes an invocation, and how one ends.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use dunlin_aws::resources::Queue;
use dunlin_aws::web::Way;
use dunlin_aws::{Chance, Clients, Clock};
use dunlin_local::{Message, connector, http_client, world};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use rand::RngExt;
use tower::ServiceExt as _;

use super::environment::{Environment, Held, Invocation, Role, Subject, bad_gateway, instant, time_out};
use super::gate::Ended;
use super::{Answered, Befallen, Event, Returned, Sim};

/// How long Lambda keeps an environment that nobody uses, in milliseconds: minutes, as seen in practice.
const IDLE: i64 = 10 * 60_000;

impl Sim {
    /// A call reaches its function.
    pub(super) fn take_call(&mut self, number: u64, role: Role, request: Request<Bytes>) {
        self.trace.note(self.millis(), number, &["call", request.uri().path()]);
        let environment = self.environment(role);
        let Some(Held::Door(router)) = self.environments.get(&environment).map(|one| one.held.clone()) else { return };
        let board = self.board.clone();
        let task = tokio::spawn(async move {
            let answer = answer(router.oneshot(request.map(Body::from)).await).await;
            board.end(environment, Returned::Answer(answer));
        });
        self.begin(environment, Subject::Call { number }, task.abort_handle());
    }

    /// A batch reaches its function.
    pub(super) fn take_batch(&mut self, role: Role, queue: &'static Queue, name: &str, messages: Vec<Message>) {
        let environment = self.environment(role);
        let held = self.environments.get(&environment).map(|one| one.held.clone());
        let Some(Held::Handler(handler)) = held else { return };
        let (board, event) = (self.board.clone(), world::event(name, messages.clone()));
        let task = tokio::spawn(async move {
            let response = handler.handle(event).await;
            board.end(environment, Returned::Batch(response));
        });
        self.begin(environment, Subject::Batch { queue, messages }, task.abort_handle());
    }

    /// The schedule invokes the sweep.
    pub(super) async fn begin_sweep(&mut self) {
        self.sweeps.begin(self.millis(), &self.looking, &self.settings.prefix).await;
        let environment = self.environment(Role::Sweep);
        let Some(Held::Sweep(sweep)) = self.environments.get(&environment).map(|one| one.held.clone()) else { return };
        let board = self.board.clone();
        let task = tokio::spawn(async move {
            let swept = sweep.handle().await.is_ok();
            board.end(environment, Returned::Sweep(swept));
        });
        self.begin(environment, Subject::Sweep, task.abort_handle());
    }

    /// An idle environment, the one used last first, as Lambda does; else a cold start.
    fn environment(&mut self, role: Role) -> u64 {
        let now = self.millis();
        self.environments.retain(|_, one| !one.is_idle() || now - one.used_at < IDLE);
        let idle = self.environments.iter().filter(|(_, one)| one.role == role && one.is_idle());
        if let Some((number, _)) = idle.max_by_key(|(number, one)| (one.used_at, **number)) {
            return *number;
        }
        self.counted += 1;
        let (number, skew) = (self.counted, self.conduct.skew_millis);
        let skew = if skew > 0 { self.chance.random_range(-skew..=skew) } else { 0 };
        let chance = Chance::seeded(self.seed ^ number.rotate_left(32));
        let clock = Clock::stepped_at(instant(now + skew));
        let clients = Clients::in_process(http_client(self.board.gate(number)), clock, chance);
        let clients = clients.reaching(Way::InProcess(connector(self.web.clone())));
        let started = Environment::start(role, &clients, &self.settings, now, skew);
        self.environments.insert(number, started);
        number
    }

    fn begin(&mut self, number: u64, subject: Subject, task: tokio::task::AbortHandle) {
        let (now, fate) = (self.millis(), self.conduct.fate(&mut self.chance));
        self.counted += 1;
        let invocation = self.counted;
        self.put(now + time_out(&subject), Event::Deadline { environment: number, invocation });
        if let Some(environment) = self.environments.get_mut(&number) {
            environment.used_at = now;
            environment.tick(now);
            environment.work = Some(Invocation { number: invocation, subject, task, fate, requests: 0 });
        }
    }

    /// An invocation returned.
    pub(super) fn finish(&mut self, ended: Ended<Returned>) {
        let now = self.millis();
        let Some(environment) = self.environments.get_mut(&ended.environment) else { return };
        environment.used_at = now;
        let Some(invocation) = environment.work.take() else { return };
        let name = environment.role.name();
        match (ended.result, invocation.subject) {
            (Returned::Answer(answer), Subject::Call { number }) => {
                self.trace.note(now, ended.environment, &[name, answer.status().as_str()]);
                self.answered.push_back(Answered { number, at: instant(now), answer });
            }
            (Returned::Batch(response), Subject::Batch { queue, messages }) => {
                let failed = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str());
                let failed: Vec<&str> = failed.collect();
                let done = messages.iter().filter(|message| !failed.contains(&message.id.as_str()));
                let done: Vec<&Message> = done.collect();
                self.trace.note(now, ended.environment, &[name, &format!("{} of {}", done.len(), messages.len())]);
                for watcher in &mut self.watchers {
                    done.iter().for_each(|message| watcher.done(instant(now), queue, &message.body));
                }
                let receipts: Vec<String> = done.iter().map(|message| message.receipt.clone()).collect();
                self.cloud.sqs().delete(&format!("{}{}", self.settings.prefix, queue.name()), &receipts);
            }
            (Returned::Sweep(swept), _) => {
                self.trace.note(now, ended.environment, &[name, if swept { "swept" } else { "failed" }]);
                self.sweeps.ended(swept);
            }
            _ => {}
        }
        self.watchers.iter_mut().for_each(|watcher| watcher.ended(instant(now), &self.cloud));
    }

    /// An environment dies: nothing of it goes on, and what it had asked for may still come to pass.
    pub(super) fn kill(&mut self, number: u64, what: &'static str) {
        let Some(environment) = self.environments.remove(&number) else { return };
        let now = self.millis();
        self.trace.note(now, number, &[environment.role.name(), what]);
        self.befallen.push(Befallen { at: instant(now), role: environment.role, what });
        let Some(invocation) = environment.work else { return };
        invocation.task.abort();
        match invocation.subject {
            Subject::Call { number } => {
                self.answered.push_back(Answered { number, at: instant(now), answer: bad_gateway() });
            }
            Subject::Sweep => self.sweeps.ended(false),
            Subject::Batch { .. } => {}
        }
    }

    /// Lambda ends an invocation that takes too long. Who stood still gets its time from when it went on.
    pub(super) fn deadline(&mut self, number: u64, invocation: u64) {
        let Some(environment) = self.environments.get(&number) else { return };
        let Some(work) = environment.work.as_ref().filter(|work| work.number == invocation) else { return };
        match environment.frozen_until {
            Some(until) => {
                let at = until + time_out(&work.subject);
                self.put(at, Event::Deadline { environment: number, invocation });
            }
            None => self.kill(number, "timed out"),
        }
    }
}

async fn answer(answered: Result<Response<Body>, Infallible>) -> Response<Bytes> {
    let Ok(answer) = answered;
    let (parts, body) = answer.into_parts();
    match body.collect().await {
        Ok(body) => Response::from_parts(parts, body.to_bytes()),
        Err(_) => bad_gateway(),
    }
}
