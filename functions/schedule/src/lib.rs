#![doc = include_str!("../README.md")]

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::batch::{Fates, each, read};
use dunlin_aws::catalog::{Catalog, Live};
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::control::Control;
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::pulses::Pulses;
use dunlin_aws::runs::{Runs, tell};
use dunlin_aws::settings::Setting;
use dunlin_aws::slots::Slots;
use dunlin_aws::{Clients, Clock, Error, Hold, Kind, Settings, planted, resources};
use dunlin_core::condition::Facts;
use dunlin_core::run::{Advance, Run, RunState, Slot, Transition, Turn};
use dunlin_core::status::LATE;
use dunlin_core::task::Step;
use jiff::{SignedDuration, Timestamp};

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] = &[Setting::Region, Setting::Prefix, Setting::Queues];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::CONTROL), queue: Some(resources::SENDS) };

/// How often a run that its paused campaign holds looks again: what SQS can hold back.
const HOLD: SignedDuration = SignedDuration::from_mins(15);

/// Times a run is advanced again at once when somebody else moved it in between.
const CONFLICTS: usize = 4;

/// What `schedule` may touch: runs, timers, the steps queue, the lanes of mails; it reads profiles and campaigns and parks poison.
#[derive(Clone, Debug)]
pub struct Schedule {
    profiles: Profiles,
    runs: Runs,
    commands: Commands,
    slots: Slots,
    catalog: Catalog,
    parked: Parked,
    hold: Hold,
    pulses: Pulses,
    clock: Clock,
}

impl Schedule {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            profiles: Profiles::new(clients, &settings.prefix),
            runs: Runs::new(clients, &settings.prefix),
            commands: Commands::new(clients, settings),
            slots: Slots::new(clients, &settings.prefix),
            catalog: Catalog::new(Control::new(clients, &settings.prefix), clients.clock.clone()),
            parked: Parked::new(clients, &settings.prefix),
            hold: Hold::new(clients, settings),
            pulses: Pulses::new(clients, &settings.prefix),
            clock: clients.clock.clone(),
        }
    }

    /// Handles a batch of hints.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        self.pulses.around(event, |event| self.batch(event)).await
    }

    async fn batch(&self, event: SqsEvent) -> SqsBatchResponse {
        let (now, mut fates) = (self.clock.now(), Fates::of(resources::STEPS));
        let records = read::<Step>(event, &self.parked, now, &mut fates).await;
        each(&records, (&self.parked, &self.hold), now, &mut fates, |record| self.step(&record.task)).await;
        fates.response(&self.hold).await
    }

    /// Advances a run; decides again at once when somebody else, or a lost answer of ours, moved it in between.
    async fn step(&self, step: &Step) -> Result<(), Error> {
        for _ in 0..CONFLICTS {
            match self.attempt(step).await {
                Err(error) if error.kind == Kind::Conflict => {}
                result => return result,
            }
        }
        Err(Error::bare(Kind::Conflict, "advance a run"))
    }

    /// Advances a run, if the hint is right: the row decides.
    async fn attempt(&self, step: &Step) -> Result<(), Error> {
        let Some(stored) = self.runs.get(&step.project, &step.run).await? else { return Ok(()) };
        let (run, now) = (stored.state, self.clock.now());
        let now = run.due_at().filter(|due| planted!(EarlyStepTaken) && *due > now).unwrap_or(now);
        if step.moves < run.moves {
            // The move was made, by whoever died before its commands were carried out, for all this hint can tell: only
            // doing them again makes sure. What is older was carried out before the timer of the next move was set.
            return if step.moves.saturating_add(1) == run.moves {
                self.commands.carry_out_again(&run, || self.clock.now()).await
            } else {
                Ok(())
            };
        }
        let live = self.catalog.live(&run.project).await?;
        if live.is_deleted(&run.campaign, run.started_at) {
            return self.runs.put(&run.withdrawn(now), stored.version).await;
        }
        // A date that is reached while its campaign is paused enters nobody, as an event does: `evaluate` sees to that.
        if live.is_paused(&run.campaign) && !run.is_expected() {
            // An answer is kept, so that it is there before any hint that says that none came.
            if let Some(answer) = step.answer.clone().filter(|_| run.answer.is_none()) {
                self.runs.put(&Run { answer: Some(answer), ..run }, stored.version).await?;
            }
            return self.commands.put_back(step, now + HOLD, now).await;
        }
        if let Some(slot) = self.slot(step, &run, &live, now).await? {
            return self.commands.put_back(&Step { slot: Some(slot), ..step.clone() }, slot.at, now).await;
        }
        if !step.look && step.answer.is_none() {
            tell_lateness(&run, now);
        }
        let campaign = match live.campaigns.get(&run.campaign).filter(|_| run.is_expected()) {
            Some(newest) => Arc::clone(&newest.campaign),
            None => self.catalog.version(&run.project, &run.campaign, run.version).await?,
        };
        let profile = self.profiles.get(&run.project, &run.user).await?;
        let since = match &run.state {
            RunState::Waiting { meant, .. } if planted!(PastUnheard) => meant.as_ref().map_or(now, |meant| meant.since),
            _ => run.event.at,
        };
        let past = match profile.state.has_past(campaign.sought(), since) {
            true => self.profiles.past(&run.project, &profile.state, since).await?,
            false => Vec::new(),
        };
        let facts =
            Facts { past: &past, answer: step.answer.as_deref(), ..Facts::new(&profile.state, &run.event, now) };
        match run.advance(&campaign, &facts, &live.zone) {
            // What was to be looked for has not come; the timer is set.
            Advance::NotDue { .. } if step.look || step.answer.is_some() => Ok(()),
            Advance::NotDue { due_at } => self.commands.put_back(step, due_at, now).await,
            Advance::Ended => Ok(()),
            Advance::Moved(transition) => {
                tell(&transition);
                let Transition { run, commands, .. } = *transition;
                self.runs.put(&run, stored.version).await?;
                self.commands.carry_out(&run, &commands, true, || self.clock.now()).await
            }
        }
    }

    /// The turn that a hint has to wait for: it was due while its campaign was paused. A look was due when it was asked for.
    async fn slot(&self, step: &Step, run: &Run, live: &Live, now: Timestamp) -> Result<Option<Slot>, Error> {
        let (Some(resumed), Some(due_at)) = (live.resumed(&run.campaign), run.due_at()) else { return Ok(None) };
        let due_at = if step.look { step.due_at } else { due_at };
        let turn = match resumed.turn(due_at, step.slot, now) {
            Turn::Unknown => {
                let number = self.slots.draw((&run.project, &run.campaign), &resumed, now).await?;
                resumed.turn(due_at, Some(resumed.slot(number)), now)
            }
            known => known,
        };
        Ok(if let Turn::At(slot) = turn { Some(slot) } else { None })
    }
}

/// One line of log when a run moves later than promised; the template's alarm looks for it. A run that its paused
/// campaign held is late, too.
fn tell_lateness(run: &Run, now: Timestamp) {
    if let (RunState::Waiting { .. }, Some(due_at)) = (&run.state, run.due_at()) {
        let late = now.duration_since(due_at);
        if late > LATE {
            tracing::warn!(project.id = %run.project, run.id = %run.id, late.seconds = late.as_secs(), "run moves late");
        }
    }
}
