//! A mail, its history, and why it was not sent.

use axum::Json;
use axum::extract::State;
use dunlin_core::delivery::{self, Reason, State as Stand};
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::{DeliveryId, ProjectId};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Shared;
use crate::answer::{Answer, Failure, Failures};
use crate::input::{Asked, LISTED_AT_MOST, Listing, Person, Place};
use crate::profiles::ids;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// One mail to one person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    /// Its id.
    #[schema(example = "dlv_1")]
    id: String,
    /// The id of the user when the mail was decided.
    user: String,
    /// The campaign.
    campaign: String,
    /// The campaign's version.
    version: u32,
    /// The step in it.
    step: String,
    /// The run, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// The event that triggered it.
    event: Trigger,
    /// The address it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The subject as sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    /// `claimed` (a `send` is at it), `sent` (SES has it), `unknown` (SES may have it), `again` (it will be tried
    /// again) or `not_sent`.
    #[schema(example = "sent")]
    state: &'static str,
    /// Since when.
    at: Timestamp,
    /// Why it was not sent, or is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Because>,
    /// SES's message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    ses_id: Option<String>,
    /// Attempts so far.
    attempts: u32,
    /// What happened, in the order in which we heard of it.
    history: Vec<Entry>,
}

/// The event that triggered a mail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Trigger {
    /// The call it came with.
    id: String,
    /// Its name.
    name: String,
}

/// Why a mail was not sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
pub(crate) struct Because {
    /// A word for programs: `deleted`, `unsubscribed`, `no_address`, `suppressed`, `condition`, `empty`, `template`,
    /// `expired`, `no_campaign`, `refused`, `unknown`, `failed`.
    #[schema(example = "unsubscribed")]
    code: &'static str,
    /// A sentence for people.
    text: String,
    /// Whether something went wrong, rather than a rule deciding against the mail.
    is_failure: bool,
}

/// One entry of a mail's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// When it happened.
    at: Timestamp,
    /// What: `sent`, `delivered`, `bounced`, `complained`, `opened`, `clicked`, ….
    what: String,
    /// More about it: a bounce's diagnosis, a click's link.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

/// Mails to a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// The latest change first.
    deliveries: Vec<Delivery>,
}

impl From<delivery::Delivery> for Delivery {
    fn from(delivery: delivery::Delivery) -> Self {
        let (state, at, reason, ses_id) = stand(delivery.state);
        let (event, name) = delivery.trigger;
        let entry = |delivery::Entry { at, what, detail }| Entry { at, what, detail };
        Self {
            id: delivery.id.into(),
            user: delivery.user.to_string(),
            campaign: delivery.campaign.into(),
            version: delivery.version,
            step: delivery.step,
            run: delivery.run.map(String::from),
            event: Trigger { id: event.into(), name: name.to_string() },
            to: delivery.to.map(String::from),
            subject: delivery.subject,
            state,
            at,
            reason,
            ses_id,
            attempts: delivery.attempts,
            history: delivery.history.into_iter().map(entry).collect(),
        }
    }
}

fn stand(state: Stand) -> (&'static str, Timestamp, Option<Because>, Option<String>) {
    match state {
        Stand::Claimed { at } => ("claimed", at, None, None),
        Stand::Sent { at, ses_id } => ("sent", at, None, ses_id),
        Stand::Unknown { at } => ("unknown", at, None, None),
        Stand::Again { at, reason } => {
            ("again", at, Some(Because { code: "failed", text: reason, is_failure: true }), None)
        }
        Stand::NotSent { at, reason } => ("not_sent", at, Some(because(&reason)), None),
    }
}

fn because(reason: &Reason) -> Because {
    let text = match reason {
        Reason::Deleted => "there is no such profile any more".to_owned(),
        Reason::Unsubscribed => "the person has unsubscribed from marketing mail".to_owned(),
        Reason::NoAddress => "the profile has no valid address".to_owned(),
        Reason::Suppressed(SuppressionReason::HardBounce) => "the address bounced for good before".to_owned(),
        Reason::Suppressed(SuppressionReason::Complaint) => "the owner of the address complained before".to_owned(),
        Reason::Expired => "it came too late to be worth sending".to_owned(),
        Reason::Condition(which) => format!("a condition was not met: {which}"),
        Reason::Empty(what) => format!("the mail came out empty: {what}"),
        Reason::Template(why) => format!("the template failed for this person: {why}"),
        Reason::NoCampaign => "the campaign's version is gone".to_owned(),
        Reason::Refused(why) => format!("SES refused it for good: {why}"),
        Reason::Unknown => "its outcome stayed unknown, and a second mail would be worse than none".to_owned(),
    };
    Because { code: reason.code(), text, is_failure: reason.is_failure() }
}

/// List the mails to a profile under its present and former ids, the latest change first
///
/// Also of a person that was deleted. Of each id, a thousand mails are looked at.
#[utoipa::path(
    get,
    operation_id = "list_deliveries",
    path = "/projects/{project}/profiles/{user}/deliveries",
    tag = "deliveries",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("user" = String, Path, description = "The user's id, percent-encoded"),
        ("id" = Option<String>, Query, description = "The user's id, in place of the path's: for one with `/`, `?` or `%`"),
        Listing
    ),
    responses((status = 200, body = Deliveries, description = "Done"), Failures)
)]
async fn list(
    State(manage): State<Shared>,
    Person { project, user }: Person,
    Asked(listing): Asked<Listing>,
) -> Answer<Deliveries> {
    let profile = manage.profiles.get(&project, &user).await?.state;
    let mut found = Vec::new();
    for id in ids(&profile) {
        found.extend(manage.deliveries.list(&project, id, LISTED_AT_MOST).await?.into_iter().map(Delivery::from));
    }
    found.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    found.truncate(listing.limit());
    Ok(Json(Deliveries { deliveries: found }))
}

/// Show a mail with its history, and the reason when it was not sent
#[utoipa::path(
    get,
    operation_id = "show_delivery",
    path = "/projects/{project}/deliveries/{delivery}",
    tag = "deliveries",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("delivery" = String, Path, description = "The delivery's id")
    ),
    responses((status = 200, body = Delivery, description = "Done"), Failures)
)]
async fn show(
    State(manage): State<Shared>,
    Place((project, delivery)): Place<(ProjectId, DeliveryId)>,
) -> Answer<Delivery> {
    let found = manage.deliveries.get(&project, &delivery).await?.ok_or_else(|| Failure::missing("delivery"))?;
    Ok(Json(found.state.into()))
}
