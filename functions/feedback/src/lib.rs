#![doc = include_str!("../README.md")]

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::batch::{Fates, each, read_as};
use dunlin_aws::clients::Warm;
use dunlin_aws::deliveries::Deliveries;
use dunlin_aws::parked::Parked;
use dunlin_aws::profiles::{Profiles, Suppression};
use dunlin_aws::pulses::Pulses;
use dunlin_aws::settings::Setting;
use dunlin_aws::{Clients, Clock, Error, Hold, Kind, Settings, resources};
use dunlin_core::delivery::{Delivery, Reason, State};
use dunlin_core::email::Email;
use dunlin_core::feedback::{Arrival, Feedback, FeedbackKind, Interaction, InteractionKind};
use dunlin_core::ids::{DeliveryId, ProjectId};

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] = &[Setting::Region, Setting::Prefix, Setting::Queues];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::DELIVERIES), queue: None };

/// Times an event is written down again at once when somebody else stored the delivery in between.
const CONFLICTS: usize = 8;

/// What `feedback` may touch: deliveries and suppressions; it parks poison.
#[derive(Clone, Debug)]
pub struct Home {
    profiles: Profiles,
    deliveries: Deliveries,
    parked: Parked,
    hold: Hold,
    pulses: Pulses,
    clock: Clock,
}

impl Home {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        let profiles = Profiles::new(clients, &settings.prefix);
        Self {
            deliveries: Deliveries::new(clients, &settings.prefix, &profiles),
            profiles,
            parked: Parked::new(clients, &settings.prefix),
            hold: Hold::new(clients, settings),
            pulses: Pulses::new(clients, &settings.prefix),
            clock: clients.clock.clone(),
        }
    }

    /// Handles a batch of what SES and the recipients say.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        self.pulses.around(event, |event| self.batch(event)).await
    }

    async fn batch(&self, event: SqsEvent) -> SqsBatchResponse {
        let (now, mut fates) = (self.clock.now(), Fates::of(resources::FEEDBACK));
        let records = read_as(event, &self.parked, now, &mut fates, |text| Arrival::parse(text, now)).await;
        each(&records, (&self.parked, &self.hold), now, &mut fates, |record| self.arrival(&record.task)).await;
        fates.response(&self.hold).await
    }

    async fn arrival(&self, arrival: &Arrival) -> Result<(), Error> {
        match arrival {
            Arrival::Interaction(interaction) => {
                let note = |delivery: &mut Delivery| follow(delivery, interaction);
                self.update(&interaction.project, &interaction.delivery, note).await
            }
            Arrival::Ses(feedback) => {
                let (Some(project), Some(delivery)) = (&feedback.project, &feedback.delivery) else {
                    tracing::info!(feedback.kind = logged(&feedback.kind), "feedback about no mail of ours");
                    return Ok(());
                };
                self.suppress(project, delivery, feedback).await?;
                self.update(project, delivery, |delivery| take(delivery, feedback)).await
            }
        }
    }

    /// Suppresses the addresses that the event names and the one we mailed: a bounce may name the end of a forwarding.
    async fn suppress(&self, project: &ProjectId, delivery: &DeliveryId, feedback: &Feedback) -> Result<(), Error> {
        let Some(reason) = feedback.suppresses() else { return Ok(()) };
        let mailed = self.deliveries.get(project, delivery).await?.and_then(|stored| stored.state.to);
        let named = feedback.recipients.iter().filter_map(|text| Email::parse(text).ok());
        for email in mailed.into_iter().chain(named) {
            self.profiles.suppress(project, &email, &Suppression { reason, at: feedback.at }).await?;
        }
        Ok(())
    }

    /// Changes a delivery, if `change` says that it did.
    async fn update(
        &self,
        project: &ProjectId,
        id: &DeliveryId,
        change: impl Fn(&mut Delivery) -> bool,
    ) -> Result<(), Error> {
        for _ in 0..CONFLICTS {
            let Some(mut stored) = self.deliveries.get(project, id).await? else {
                tracing::warn!(project.id = %project, delivery.id = %id, "feedback about an unknown mail");
                return Ok(());
            };
            if !change(&mut stored.state) {
                return Ok(());
            }
            match self.deliveries.put(&stored, self.clock.now()).await {
                Err(error) if error.kind == Kind::Conflict => {}
                result => return result,
            }
        }
        Err(Error::bare(Kind::Conflict, "write feedback down"))
    }
}

/// An event's name as a log may show it: one that is new to us is whatever text the record holds.
fn logged(kind: &FeedbackKind) -> &str {
    match kind {
        FeedbackKind::Unknown { .. } => "unknown",
        kind => kind.name(),
    }
}

/// Takes an event of SES into a delivery; whether that changed it.
fn take(delivery: &mut Delivery, feedback: &Feedback) -> bool {
    let settled = feedback.kind.proves_acceptance() && delivery.confirm(feedback.at, &feedback.ses_message_id);
    let refused = match &feedback.kind {
        FeedbackKind::Reject { reason } => refuse(delivery, feedback, reason),
        FeedbackKind::RenderingFailure { error, .. } => refuse(delivery, feedback, error),
        _ => false,
    };
    let noted = match &feedback.kind {
        // The ledger notes the send itself; SES's word only settles what was open.
        FeedbackKind::Send => settled && delivery.note(feedback.at, "sent", "as SES reports"),
        kind => delivery.note(feedback.at, said(kind), &detail(kind)),
    };
    settled || refused || noted
}

fn refuse(delivery: &mut Delivery, feedback: &Feedback, why: &str) -> bool {
    if matches!(delivery.state, State::NotSent { .. }) {
        return false;
    }
    delivery.state = State::NotSent { at: feedback.at, reason: Reason::Refused(why.to_owned()) };
    true
}

fn follow(delivery: &mut Delivery, interaction: &Interaction) -> bool {
    match interaction.kind {
        InteractionKind::Open => delivery.note(interaction.at, "opened", ""),
        InteractionKind::Unsubscribe => delivery.note(interaction.at, "unsubscribed", ""),
        InteractionKind::Click => {
            delivery.note(interaction.at, "clicked", interaction.url.as_deref().unwrap_or_default())
        }
    }
}

/// An event in the words of a delivery's history.
fn said(kind: &FeedbackKind) -> &str {
    match kind {
        FeedbackKind::Delivery { .. } => "delivered",
        FeedbackKind::Bounce(_) => "bounced",
        FeedbackKind::Complaint(_) => "complained",
        FeedbackKind::Reject { .. } => "rejected",
        FeedbackKind::Open { .. } => "opened",
        FeedbackKind::Click { .. } => "clicked",
        FeedbackKind::DeliveryDelay { .. } => "delayed",
        FeedbackKind::RenderingFailure { .. } => "not rendered",
        FeedbackKind::Subscription(_) => "subscription changed",
        FeedbackKind::Send => "sent",
        FeedbackKind::Unknown { name } => name,
    }
}

fn detail(kind: &FeedbackKind) -> String {
    match kind {
        FeedbackKind::Bounce(bounce) => {
            let (kind, subtype) = bounce.kind.names();
            let words = [Some(kind), Some(subtype), bounce.status.as_deref(), bounce.diagnostic.as_deref()];
            words.into_iter().flatten().collect::<Vec<_>>().join(" · ")
        }
        FeedbackKind::Click { link, .. } => link.clone(),
        FeedbackKind::Reject { reason } => reason.clone(),
        _ => String::new(),
    }
}
