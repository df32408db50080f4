//! Carries out what a run decided. Everything here may be done again: ids are derived, rows are the same rows.

use dunlin_core::ids::DeliveryId;
use dunlin_core::run::{Command, Run};
use dunlin_core::task::{Lane, Send, Step, VERSION};
use jiff::Timestamp;

use crate::clients::Clients;
use crate::error::Result;
use crate::queues::{Outgoing, Queue};
use crate::resources;
use crate::settings::Settings;
use crate::timers::{NEAR, Timer, Timers};

/// Where commands go: the timers table, the steps queue, the lanes of mails.
#[derive(Clone, Debug)]
pub struct Commands {
    timers: Timers,
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

    /// Carries out the commands of a run: mails first, then the timer, so that a timer proves that the mails are on their
    /// way. `stored` says whether the run has a row that a mail can name.
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
            Command::Send { delivery, step, .. } => {
                Some(Outgoing::now(&run.project, &mail(run, delivery, step, stored)))
            }
            Command::Wake { .. } => None,
        });
        self.lane(run.lane).put(&mails.collect::<Result<Vec<_>>>()?).await?;
        for command in commands {
            let Command::Wake { due_at, moves } = command else { continue };
            let timer = Timer { project: run.project.clone(), run: run.id.clone(), moves: *moves, due_at: *due_at };
            self.timers.put(&timer).await?;
            // Read the clock after the row is there: only then is a sweep sure to find it, or it is near.
            let now = now();
            if *due_at < now + NEAR {
                self.wake(std::slice::from_ref(&timer), now).await?;
            }
        }
        Ok(())
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

fn mail(run: &Run, delivery: &DeliveryId, step: &str, stored: bool) -> Send {
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
    }
}

fn hint(timer: &Timer) -> Step {
    Step {
        v: VERSION,
        project: timer.project.clone(),
        run: timer.run.clone(),
        moves: timer.moves,
        due_at: timer.due_at,
        answer: None,
    }
}
