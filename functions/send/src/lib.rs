#![doc = include_str!("../README.md")]

mod decide;
mod mail;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::batch::{Fates, each, read, source};
use dunlin_aws::catalog::Catalog;
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::control::Control;
use dunlin_aws::copies::Copies;
use dunlin_aws::deliveries::{Claimed, Deliveries};
use dunlin_aws::mailer::{Mailer, Outcome};
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::Profiles;
use dunlin_aws::pulses::Pulses;
use dunlin_aws::settings::Setting;
use dunlin_aws::turns::Turns;
use dunlin_aws::{Clients, Clock, Error, Hold, Kind, Settings, Stored, planted, resources};
use dunlin_core::delivery::{Delivery, Next, Reason, State};
use dunlin_core::task::{Lane, Send as Task};
use dunlin_core::token::Keyring;
use jiff::{SignedDuration, Timestamp};

use crate::decide::Decided;
use crate::mail::Mail;

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] =
    &[Setting::Region, Setting::Prefix, Setting::Queues, Setting::Bucket, Setting::Public, Setting::SigningKeys];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::DELIVERIES), queue: None };

/// How long after its claim a mail may still be handed to SES. Later, somebody else may think it lost: well within
/// `delivery::CLAIM`, less the time SES may take to answer.
const FRESH: SignedDuration = SignedDuration::from_secs(60);
/// How long a mail waits when SES is over a limit; transactional mail asks four times while others ask once, so that it
/// has most of what SES takes.
const fn later(lane: Lane) -> SignedDuration {
    match lane {
        Lane::Transactional => SignedDuration::from_secs(5),
        Lane::Triggered | Lane::Backlog => SignedDuration::from_secs(20),
    }
}
/// How long a mail waits when SES does not let the account send: until an operator has done something.
const PAUSED: SignedDuration = SignedDuration::from_mins(15);
/// Times a mail is decided again at once when a claim meets a change.
const CHANGES: usize = 4;

/// What `send` may touch: deliveries, SES, view-online copies, the lanes of mails; it reads profiles, suppressions and campaigns
/// and parks poison.
#[derive(Clone, Debug)]
pub struct Sender {
    profiles: Profiles,
    deliveries: Deliveries,
    catalog: Catalog,
    commands: Commands,
    mailer: Mailer,
    copies: Copies,
    parked: Parked,
    hold: Hold,
    pulses: Pulses,
    keyring: Keyring,
    public: String,
    clock: Clock,
}

impl Sender {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        let profiles = Profiles::new(clients, &settings.prefix);
        Self {
            deliveries: Deliveries::new(clients, &settings.prefix, &profiles),
            profiles,
            catalog: Catalog::new(Control::new(clients, &settings.prefix), clients.clock.clone()),
            commands: Commands::new(clients, settings),
            mailer: Mailer::new(clients, &settings.prefix),
            copies: Copies::new(clients.s3.clone(), settings.bucket.clone()),
            parked: Parked::new(clients, &settings.prefix),
            hold: Hold::new(clients, settings),
            pulses: Pulses::new(clients, &settings.prefix),
            keyring: settings.keyring.clone(),
            public: settings.public.clone(),
            clock: clients.clock.clone(),
        }
    }

    /// Handles a batch of mails.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        self.pulses.around(event, |event| self.batch(event)).await
    }

    async fn batch(&self, event: SqsEvent) -> SqsBatchResponse {
        let queue = source(&event).unwrap_or(resources::SENDS);
        let (now, mut fates) = (self.clock.now(), Fates::of(queue));
        let records = read::<Task>(event, &self.parked, now, &mut fates).await;
        let turns = Turns::of(records.iter().map(|record| &record.task.project));
        each(&records, (&self.parked, &self.hold), now, &mut fates, |record| {
            turns.take(Some(&record.task.project), async {
                self.hold.in_time(now)?;
                self.mail(&record.task).await
            })
        })
        .await;
        fates.response(&self.hold).await
    }

    async fn mail(&self, task: &Task) -> Result<(), Error> {
        for _ in 0..CHANGES {
            match self.attempt(task).await {
                Err(error) if error.kind == Kind::Conflict => {}
                result => return result,
            }
        }
        Err(Error::bare(Kind::Conflict, "send a mail"))
    }

    /// One attempt: the ledger says what may be done.
    async fn attempt(&self, task: &Task) -> Result<(), Error> {
        let (now, stored) = (self.clock.now(), self.deliveries.get(&task.project, &task.delivery).await?);
        let Some(mut stored) = stored else {
            return self
                .decide_and_send(task, Stored { state: first(task, State::Claimed { at: now }), version: 0 })
                .await;
        };
        match stored.state.next(now) {
            Next::Done => Ok(()),
            Next::Claim => self.decide_and_send(task, stored).await,
            Next::Wait(until) => self.commands.put_off(task, until, now).await,
            Next::Lost if planted!(ExpiredClaimReclaimed) => self.decide_and_send(task, stored).await,
            Next::Lost => {
                stored.state.state = State::Unknown { at: now };
                stored.state.note(now, "outcome unknown", "");
                tracing::warn!(project.id = %task.project, delivery.id = %task.delivery, "mail of unknown outcome");
                self.deliveries.put(&stored, now).await?;
                self.commands.put_off(task, now + dunlin_core::delivery::SILENCE, now).await
            }
            Next::Resolve => self.resolve(task, stored).await,
        }
    }

    /// SES stayed silent about an unknown outcome: a transactional mail goes again, since a receipt twice is better than
    /// none; any other stays unsent, since a second mail is worse than none.
    async fn resolve(&self, task: &Task, mut stored: Stored<Delivery>) -> Result<(), Error> {
        match self.catalog.version(&task.project, &task.campaign, task.version).await {
            Ok(campaign) if !campaign.ignores_unsubscribes() => self.not_sent(&mut stored, Reason::Unknown).await,
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => self.decide_and_send(task, stored).await,
        }
    }

    async fn decide_and_send(&self, task: &Task, mut stored: Stored<Delivery>) -> Result<(), Error> {
        match self.decide(task).await? {
            Decided::Not(reason) => self.not_sent(&mut stored, reason).await,
            Decided::Mail(mail) => self.claim_and_send(task, stored, *mail).await,
        }
    }

    async fn not_sent(&self, stored: &mut Stored<Delivery>, reason: Reason) -> Result<(), Error> {
        let now = self.clock.now();
        let (id, why, failure) = (&stored.state.id, reason.code(), reason.is_failure());
        if failure {
            tracing::warn!(delivery.id = %id, reason = why, failure, "mail not sent");
        } else {
            tracing::info!(delivery.id = %id, reason = why, failure, "mail not sent");
        }
        stored.state.state = State::NotSent { at: now, reason };
        self.deliveries.put(stored, now).await
    }

    async fn claim_and_send(&self, task: &Task, mut stored: Stored<Delivery>, mail: Mail) -> Result<(), Error> {
        self.mailer.ready()?;
        let claimed_at = self.clock.now();
        stored.state.state = State::Claimed { at: claimed_at };
        stored.state.attempts += 1;
        stored.state.to = Some(mail.to.clone());
        stored.state.subject.clone_from(&mail.subject);
        if let Some(html) = &mail.copy {
            self.copies.put(&task.project, &task.delivery, html).await?;
        }
        if self.deliveries.claim(&stored, &mail.profile, &mail.to, mail.marketing, claimed_at).await?
            == Claimed::Changed
        {
            return Err(Error::bare(Kind::Conflict, "claim"));
        }
        stored.version += 1;
        let outcome = if self.clock.now() < claimed_at + FRESH {
            let outcome = self.mailer.send(&mail.to, mail.mime, &mail.tags).await;
            self.pulses.heard(&outcome);
            outcome
        } else {
            Outcome::Later("the claim is too old".into())
        };
        self.commit(task, stored, outcome).await
    }

    /// Writes down what SES said. When this fails, the claim expires and the outcome is unknown.
    async fn commit(&self, task: &Task, mut stored: Stored<Delivery>, outcome: Outcome) -> Result<(), Error> {
        let claimed = stored.state.state.clone();
        for _ in 0..CHANGES {
            let now = self.clock.now();
            let until = take(&mut stored.state, &outcome, task.lane, now);
            tell(&stored.state, &outcome);
            match self.deliveries.put(&stored, now).await {
                Ok(()) if outcome == Outcome::Unreached => return Err(Error::bare(Kind::Unavailable, "reach ses")),
                Ok(()) => return self.later(task, until, now).await,
                Err(error) if error.kind != Kind::Conflict => return Err(error),
                Err(_) => {}
            }
            // Somebody wrote in between: our own write whose answer was lost, a reader's open, or SES's own event.
            let Some(there) = self.deliveries.get(&task.project, &task.delivery).await? else { return Ok(()) };
            if there.state.state != claimed {
                return self.later(task, waits(&there.state, task.lane, now), now).await;
            }
            stored = there;
        }
        Err(Error::bare(Kind::Conflict, "commit a mail"))
    }

    /// Looks at the mail again at that instant.
    async fn later(&self, task: &Task, until: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
        match until {
            Some(until) => self.commands.put_off(task, until, now).await,
            None => Ok(()),
        }
    }
}

/// One line of log for what SES said; the template's alarms look for those that warn.
fn tell(delivery: &Delivery, outcome: &Outcome) {
    let (id, project) = (&delivery.id, &delivery.project);
    match outcome {
        Outcome::Unknown(_) => tracing::warn!(project.id = %project, delivery.id = %id, "mail of unknown outcome"),
        Outcome::Paused(_) => tracing::error!(project.id = %project, delivery.id = %id, "sending is paused"),
        Outcome::Sent(_) => tracing::info!(project.id = %project, delivery.id = %id, "mail sent"),
        Outcome::Later(_) => tracing::info!(project.id = %project, delivery.id = %id, "mail put off"),
        Outcome::Refused(_) => tracing::warn!(project.id = %project, delivery.id = %id, "mail refused"),
        Outcome::Unreached => tracing::info!(project.id = %project, delivery.id = %id, "mail waits for ses"),
    }
}

/// Takes what SES said into the ledger's entry; when to look at the mail again, if ever.
fn take(delivery: &mut Delivery, outcome: &Outcome, lane: Lane, now: Timestamp) -> Option<Timestamp> {
    match outcome {
        Outcome::Sent(ses_id) => {
            delivery.note(now, "sent", "");
            delivery.state = State::Sent { at: now, ses_id: Some(ses_id.clone()) };
            None
        }
        Outcome::Refused(reason) => {
            delivery.state = State::NotSent { at: now, reason: Reason::Refused(reason.clone()) };
            None
        }
        Outcome::Later(reason) if planted!(ThrottledIsRefused) => {
            delivery.state = State::NotSent { at: now, reason: Reason::Refused(reason.clone()) };
            None
        }
        Outcome::Later(reason) | Outcome::Paused(reason) => {
            delivery.attempts -= 1;
            delivery.state = State::Again { at: now, reason: reason.clone() };
            Some(now + if matches!(outcome, Outcome::Paused(_)) { PAUSED } else { later(lane) })
        }
        Outcome::Unreached => {
            delivery.attempts -= 1;
            delivery.state = State::Again { at: now, reason: "ses was not reached".to_owned() };
            None
        }
        Outcome::Unknown(reason) => {
            delivery.note(now, "outcome unknown", reason);
            delivery.state = State::Unknown { at: now };
            waits(delivery, lane, now)
        }
    }
}

/// When to look again at a mail that stands like this.
fn waits(delivery: &Delivery, lane: Lane, now: Timestamp) -> Option<Timestamp> {
    match delivery.next(now) {
        Next::Claim => Some(now + later(lane)),
        Next::Wait(until) => Some(until),
        Next::Lost | Next::Resolve => Some(now),
        Next::Done => None,
    }
}

/// The ledger's first entry for a mail.
fn first(task: &Task, state: State) -> Delivery {
    Delivery {
        id: task.delivery.clone(),
        project: task.project.clone(),
        user: task.user.clone(),
        campaign: task.campaign.clone(),
        version: task.version,
        step: task.step.clone(),
        run: task.run.clone(),
        trigger: (task.event.id.clone(), task.event.name.clone()),
        to: None,
        subject: String::new(),
        state,
        attempts: 0,
        history: Vec::new(),
    }
}
