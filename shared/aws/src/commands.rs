//! Carries out what a run decided. Everything here may be done again: ids are derived, rows are the same rows.

use dunlin_core::call::Call;
use dunlin_core::hook::Request;
use dunlin_core::ids::{DeliveryId, ProjectId, person};
use dunlin_core::run::{Command, Run};
use dunlin_core::task::{Calls, Hook, Lane, Send, Step, VERSION, to_text};
use jiff::{SignedDuration, Timestamp};

use crate::calls;
use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::queues::{Outgoing, Queue};
use crate::resources;
use crate::settings::Settings;
use crate::timers::{NEAR, Timer, Timers};
use crate::waiters::{Waiter, Waiters};

/// How long after a run has begun to listen it looks once more at the person's past: by then everybody who takes calls
/// knows that its campaign listens (`catalog`: five seconds), and tells it of what comes.
const LOOK: SignedDuration = SignedDuration::from_secs(6);

/// Where commands go: the queue of calls, the timers table, the waiters, the steps queue, the lanes of mails.
#[derive(Clone, Debug)]
pub struct Commands {
    timers: Timers,
    waiters: Waiters,
    calls: calls::Queue,
    hooks: Queue,
    steps: Queue,
    transactional: Queue,
    triggered: Queue,
    backlog: Queue,
}

impl Commands {
    /// The stage's timers and queues.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        let queue = |queue| Queue::new(&clients.sqs, settings.queue_url(queue));
        Self {
            timers: Timers::new(clients, &settings.prefix),
            waiters: Waiters::new(clients, &settings.prefix),
            calls: calls::Queue::new(clients.sqs.clone(), settings.queue_url(resources::EVENTS)),
            hooks: queue(resources::HOOKS),
            steps: queue(resources::STEPS),
            transactional: queue(resources::SENDS_TRANSACTIONAL),
            triggered: queue(resources::SENDS),
            backlog: queue(resources::SENDS_BACKLOG),
        }
    }

    /// The queue of a lane.
    fn lane(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Transactional => &self.transactional,
            Lane::Triggered => &self.triggered,
            Lane::Backlog => &self.backlog,
        }
    }

    /// Carries out the commands of a run: mails first, then the others in their order, the timer last, so that a timer
    /// proves that everything else is on its way. `stored` says whether the run has a row that a mail can name.
    ///
    /// # Errors
    /// When a table or queue does not answer; the whole may be done again.
    pub async fn carry_out(
        &self,
        run: &Run,
        commands: &[Command],
        stored: bool,
        now: impl Fn() -> Timestamp,
    ) -> Result<()> {
        let mails = commands.iter().filter_map(|command| match command {
            Command::Send { delivery, step, expires_at, .. } => {
                Some(Outgoing::now(&run.project, &mail(run, (delivery, step, *expires_at), stored)))
            }
            _ => None,
        });
        self.lane(run.lane).put(&mails.collect::<Result<Vec<_>>>()?).await?;
        for command in commands {
            match command {
                Command::Send { .. } => {}
                Command::Call { call } => self.call(call).await?,
                Command::Hook { request, moves, until } => {
                    let hook = hook(run, request, *moves, *until);
                    self.hooks.put(&[Outgoing::now(&run.project, &hook)?]).await?;
                }
                Command::Listen { topics, moves, until } => {
                    self.waiters.put(run, topics, *moves, *until).await?;
                    let waiter = Waiter { run: run.id.clone(), moves: *moves };
                    self.look(&run.project, [&waiter], now() + LOOK, now()).await?;
                }
                Command::StopListening { topics } => self.waiters.remove(run, topics).await?,
                Command::Wake { due_at, moves } => {
                    let (project, run) = (run.project.clone(), run.id.clone());
                    self.set(&Timer { project, run, moves: *moves, due_at: *due_at }, &now).await?;
                }
            }
        }
        Ok(())
    }

    /// Carries out the commands of a run's last move again: whoever made it may have died before. Requests on the web are not
    /// repeated where it can be helped: a timer that is set says that they are on their way.
    ///
    /// # Errors
    /// When a table or a queue does not answer; all may be repeated.
    pub async fn carry_out_again(&self, run: &Run, now: impl Fn() -> Timestamp) -> Result<()> {
        let wake = run.last_commands.iter().find_map(|command| match command {
            Command::Wake { due_at, moves } => Some((*due_at, *moves)),
            _ => None,
        });
        let asks = run.last_commands.iter().any(|command| matches!(command, Command::Hook { .. }));
        if let Some((due_at, moves)) = wake.filter(|_| asks) {
            let timer = Timer { project: run.project.clone(), run: run.id.clone(), moves, due_at };
            if self.timers.is_set(&timer, now()).await? {
                return Ok(());
            }
        }
        self.carry_out(run, &run.last_commands, true, now).await
    }

    async fn set(&self, timer: &Timer, now: impl Fn() -> Timestamp) -> Result<()> {
        self.timers.put(timer).await?;
        // Read the clock after the row is there: only then is a sweep sure to find it, or it is near.
        let now = now();
        if timer.due_at < now + NEAR {
            self.wake(std::slice::from_ref(timer), now).await?;
        }
        Ok(())
    }

    /// Puts a call of our own on its way, behind those of its person that are there.
    async fn call(&self, call: &Call) -> Result<()> {
        let encode = |error| Error::new(Kind::Invalid, "encode a call", error);
        let body = to_text(&Calls { v: VERSION, calls: vec![call.clone()] }).map_err(encode)?;
        let message = calls::Outgoing { group: person(&call.project, &call.user), dedup: call.id.to_string(), body };
        let unsent = |unsent: calls::Unsent| {
            let kind = unsent.messages.first().map_or(Kind::Unavailable, |(_, error)| error.kind);
            Error::new(kind, "put a call", unsent)
        };
        self.calls.put(vec![message]).await.map_err(unsent)
    }

    /// Has runs look at their person's past, at `at`.
    ///
    /// # Errors
    /// When the queue does not take all hints; all may be given again.
    pub async fn look(
        &self,
        project: &ProjectId,
        waiters: impl IntoIterator<Item = &Waiter>,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let hints = waiters.into_iter().map(|waiter| {
            let (run, moves) = (waiter.run.clone(), waiter.moves);
            Outgoing::at(
                project,
                &Step {
                    v: VERSION,
                    project: project.clone(),
                    run,
                    moves,
                    due_at: at,
                    look: true,
                    answer: None,
                    slot: None,
                },
                at,
                now,
            )
        });
        self.steps.put(&hints.collect::<Result<Vec<_>>>()?).await
    }

    /// Puts a step back until it is due.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn put_back(&self, step: &Step, until: Timestamp, now: Timestamp) -> Result<()> {
        self.steps.put(&[Outgoing::at(&step.project, step, until, now)?]).await
    }

    /// Puts a mail back into its lane until something is known.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn put_off(&self, send: &Send, until: Timestamp, now: Timestamp) -> Result<()> {
        self.lane(send.lane).put(&[Outgoing::at(&send.project, send, until, now)?]).await
    }

    /// Hands timers to the steps queue, each with what is left of its wait.
    ///
    /// # Errors
    /// When the queue does not take all of them; all may be handed over again.
    pub async fn wake(&self, timers: &[Timer], now: Timestamp) -> Result<()> {
        let steps = timers.iter().map(|timer| Outgoing::at(&timer.project, &hint(timer), timer.due_at, now));
        self.steps.put(&steps.collect::<Result<Vec<_>>>()?).await
    }
}

fn mail(run: &Run, (delivery, step, expires_at): (&DeliveryId, &str, Option<Timestamp>), stored: bool) -> Send {
    Send {
        v: VERSION,
        project: run.project.clone(),
        delivery: delivery.clone(),
        user: run.user.clone(),
        campaign: run.campaign.clone(),
        version: run.version,
        step: step.to_owned(),
        run: stored.then(|| run.id.clone()),
        event: run.event.clone(),
        lane: run.lane,
        journey: run.journey.clone(),
        expires_at,
    }
}

fn hook(run: &Run, request: &Request, moves: u32, until: Timestamp) -> Hook {
    let (project, run, request) = (run.project.clone(), run.id.clone(), request.clone());
    Hook { v: VERSION, project, run, moves, request, tries: 0, until }
}

fn hint(timer: &Timer) -> Step {
    Step {
        v: VERSION,
        project: timer.project.clone(),
        run: timer.run.clone(),
        moves: timer.moves,
        due_at: timer.due_at,
        look: false,
        answer: None,
        slot: None,
    }
}
