#![doc = include_str!("../README.md")]

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::batch::{Fates, each, read_as};
use dunlin_aws::clients::Warm;
use dunlin_aws::queues::{Outgoing, Queue};
use dunlin_aws::settings::Setting;
use dunlin_aws::web::{Reply, Web};
use dunlin_aws::{Chance, Clients, Clock, Error, Hold, Settings, resources};
use dunlin_core::hook::{Fault, next_try};
use dunlin_core::task::{Hook, Step, VERSION, from_text};
use jiff::Timestamp;
use tokio::sync::OnceCell;

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] = &[Setting::Region, Setting::Prefix, Setting::Queues];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: None, queue: Some(resources::HOOKS) };

/// What `hook` may touch: its queue, the dead letters of it, the steps queue, the web.
#[derive(Clone, Debug)]
pub struct Caller {
    web: Web,
    hooks: Queue,
    steps: Queue,
    dead_letters: Queue,
    hold: Hold,
    chance: Chance,
    clock: Clock,
}

/// A task, and what came of its request: while our queues are away it is put there again, not asked for again.
struct Call {
    task: Hook,
    reply: OnceCell<Reply>,
}

impl Caller {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        let queue = |url| Queue::new(&clients.sqs, url);
        Self {
            web: Web::new(clients),
            hooks: queue(settings.queue_url(resources::HOOKS)),
            steps: queue(settings.queue_url(resources::STEPS)),
            dead_letters: queue(settings.dead_letter_url(resources::HOOKS)),
            hold: Hold::new(clients, settings),
            chance: clients.chance.clone(),
            clock: clients.clock.clone(),
        }
    }

    /// Handles a batch of requests, all of them beside each other: they cost nothing but waiting, so no project's keep
    /// another's from being made.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        let (now, mut fates) = (self.clock.now(), Fates::of(resources::HOOKS));
        let parse = |text: &str| from_text::<Hook>(text).map(|task| Call { task, reply: OnceCell::new() });
        let records = read_as(event, &self.dead_letters, now, &mut fates, parse).await;
        let work = |record| self.call(record, now);
        each(&records, (&self.dead_letters, &self.hold), now, &mut fates, |record| work(&record.task)).await;
        fates.response(&self.hold).await
    }

    /// Makes a request and hands over what came of it: to a later try, or to the run.
    async fn call(&self, Call { task, reply }: &Call, started: Timestamp) -> Result<(), Error> {
        let Reply { answer, asked } = reply
            .get_or_try_init(|| async {
                self.hold.in_time(started)?;
                Ok::<_, Error>(self.ask(task).await)
            })
            .await?;
        let (now, tries) = (self.clock.now(), task.tries);
        let again = Some(answer).filter(|answer| answer.may_be_better_later());
        if let Some(at) = again.and_then(|_| next_try(tries, *asked, (now, task.until), self.chance.next())) {
            let next = Hook { tries: tries.saturating_add(1), ..task.clone() };
            return self.hooks.put(&[Outgoing::at(&task.project, &next, at, now)?]).await;
        }
        let step = Step {
            look: false,
            slot: None,
            v: VERSION,
            project: task.project.clone(),
            run: task.run.clone(),
            moves: task.moves,
            due_at: now,
            answer: Some(Box::new(answer.clone())),
        };
        self.steps.put(&[Outgoing::now(&task.project, &step)?]).await
    }

    /// Makes a request, unless the time for it is over; one line of log, without the address and what was said.
    async fn ask(&self, task: &Hook) -> Reply {
        let reply = if self.clock.now() > task.until {
            Reply::from(Fault::Expired)
        } else {
            self.web.call(&task.request).await
        };
        let (status, error) = (reply.answer.status, reply.answer.error.as_deref());
        tracing::info!(project.id = %task.project, run.id = %task.run, hook.tries = task.tries, hook.status = status, hook.error = error, "webhook called");
        reply
    }
}
