//! Campaigns: put, list, show, pause, resume. One that is refused leaves the published version as it is.

use std::num::NonZeroU32;

use axum::Json;
use axum::extract::State;
use dunlin_aws::control::Head;
use dunlin_core::campaign;
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::limits::{RESUME_RATE, RESUME_RATE_AT_MOST};
use dunlin_core::run;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures, Problem, Refused};
use crate::input::{Asked, Body, Place};
use crate::{Manage, Shared};

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, delete))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// A campaign, without its content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Campaign {
    /// Its id.
    #[schema(example = "cmp_welcome")]
    id: String,
    /// Its name in the newest version.
    name: String,
    /// The newest version.
    version: u32,
    /// When the first version was published.
    published_at: Timestamp,
    /// When the newest was.
    updated_at: Timestamp,
    /// Takes no entries; runs hold.
    paused: bool,
    /// When it was resumed last, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed: Option<Resumed>,
}

/// When a campaign was resumed, and how fast overdue runs go on.
#[derive(Debug, Serialize, ToSchema)]
struct Resumed {
    /// When.
    at: Timestamp,
    /// How many of the runs that were due by then go on in a minute.
    per_minute: u32,
}

/// How fast runs go on that were due while their campaign was paused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rate {
    /// So many in a minute: 1 to 60,000; 1,000 where it is missing.
    #[schema(minimum = 1, maximum = 60000)]
    per_minute: Option<u32>,
}

impl From<Head> for Campaign {
    fn from(head: Head) -> Self {
        let Head { id, name, version, published_at, updated_at, paused, resumed, subjects: _, deleted_at: _ } = head;
        let resumed = resumed.map(|run::Resumed { at, per_minute }| Resumed { at, per_minute: per_minute.get() });
        Self { id: id.into(), name, version, published_at, updated_at, paused, resumed }
    }
}

/// The campaigns of a project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Campaigns {
    /// By their ids.
    campaigns: Vec<Campaign>,
}

/// A campaign with the content of one version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignVersion {
    #[serde(flatten)]
    campaign: Campaign,
    /// The version that is shown.
    shown_version: u32,
    /// Its content, in the form in which campaigns are put.
    content: Value,
}

/// A campaign that was put.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Published {
    #[serde(flatten)]
    campaign: Campaign,
    /// Warnings: the campaign works; look at them all the same.
    problems: Vec<Problem>,
}

/// Which version.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Version {
    /// The version to show; the newest where it is missing.
    version: Option<u32>,
}

/// Where a campaign comes from.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Origin {
    /// The file it was read from, which problems then name.
    #[param(example = "welcome.yaml")]
    file: Option<String>,
}

/// List a project's campaigns
#[utoipa::path(
    get,
    operation_id = "list_campaigns",
    path = "/projects/{project}/campaigns",
    tag = "campaigns",
    params(("project" = String, Path, description = "The project's id")),
    responses((status = 200, body = Campaigns, description = "Done"), Failures)
)]
async fn list(State(manage): State<Shared>, Place(project): Place<ProjectId>) -> Answer<Campaigns> {
    manage.project(&project).await?;
    let heads = manage.control.heads(&project).await?;
    Ok(Json(Campaigns { campaigns: heads.into_iter().filter(|head| !head.is_deleted()).map(Campaign::from).collect() }))
}

/// Show a campaign with its content
#[utoipa::path(
    get,
    operation_id = "show_campaign",
    path = "/projects/{project}/campaigns/{campaign}",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        Version
    ),
    responses((status = 200, body = CampaignVersion, description = "Done"), Failures)
)]
async fn show(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
    Asked(asked): Asked<Version>,
) -> Answer<CampaignVersion> {
    let head = manage.head(&project, &campaign).await?;
    let shown_version = asked.version.unwrap_or(head.version);
    let content = manage.control.version(&project, &campaign, shown_version).await?;
    // A version beyond the head is what a publisher left behind when it died: it was never live.
    let content =
        content.filter(|_| shown_version <= head.version).ok_or_else(|| Failure::missing("version of the campaign"))?;
    let content = serde_json::to_value(&content).unwrap_or_default();
    Ok(Json(CampaignVersion { campaign: head.into(), shown_version, content }))
}

/// Publish a campaign
///
/// The body is the self-contained campaign: what a campaign's YAML file says, as JSON, with templates and partials
/// inside. The same content again is no new version. New runs take it within seconds; runs that have begun keep theirs.
#[utoipa::path(
    put,
    operation_id = "put_campaign",
    path = "/projects/{project}/campaigns/{campaign}",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        Origin
    ),
    request_body(content = Value, description = "The campaign"),
    responses(
        (status = 200, body = Published, description = "Done"),
        (status = 413, body = Refused, description = "The body is larger than 1 MiB"),
        (status = 422, body = Refused, description = "Refused, with all problems; the published version stays"),
        Failures
    )
)]
async fn put(
    State(manage): State<Shared>,
    Place((project, id)): Place<(ProjectId, CampaignId)>,
    Asked(origin): Asked<Origin>,
    Body(document): Body<Value>,
) -> Answer<Published> {
    manage.project(&project).await?;
    let within = |problems: Vec<campaign::Problem>| -> Vec<Problem> {
        let place = |problem: campaign::Problem| match &origin.file {
            Some(file) => problem.within(file),
            None => problem,
        };
        problems.into_iter().map(place).map(Problem::from).collect()
    };
    let (campaign, warnings) = read(&id, document).map_err(|problems| Failure::problems(within(problems)))?;
    let head = manage.control.publish(&project, &campaign, manage.clock.now()).await?;
    Ok(Json(Published { campaign: head.into(), problems: within(warnings) }))
}

impl Manage {
    /// The head of a campaign, which must be there.
    pub(crate) async fn head(&self, project: &ProjectId, campaign: &CampaignId) -> Result<Head, Failure> {
        let head = self.control.head(project, campaign).await?.map(|stored| stored.state);
        head.filter(|head| !head.is_deleted()).ok_or_else(|| Failure::missing("campaign"))
    }
}

/// A campaign that may be published, and its warnings; else everything that is wrong.
fn read(
    id: &CampaignId,
    mut document: Value,
) -> Result<(campaign::Campaign, Vec<campaign::Problem>), Vec<campaign::Problem>> {
    if let Value::Object(fields) = &mut document {
        fields.entry("id").or_insert_with(|| id.as_str().into());
    }
    let campaign = campaign::from_json(document)?;
    let mut problems = campaign::check(&campaign);
    if campaign.id != *id {
        let what = format!("the campaign is `{}`, but the path says `{id}`", campaign.id);
        problems.push(campaign::Problem::error("id", what, "use one id in both"));
    }
    if problems.iter().any(campaign::Problem::is_error) { Err(problems) } else { Ok((campaign, problems)) }
}

/// Delete a campaign: it takes no entries, and its runs end
///
/// A run ends when it is woken next; mails that are on their way leave. Published again, the campaign begins anew.
#[utoipa::path(
    delete,
    operation_id = "delete_campaign",
    path = "/projects/{project}/campaigns/{campaign}",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id")
    ),
    responses((status = 200, body = Campaign, description = "Done"), Failures)
)]
async fn delete(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
) -> Answer<Campaign> {
    Ok(Json(manage.control.delete(&project, &campaign, manage.clock.now()).await?.into()))
}

/// Pause a campaign: it takes no entries, and its runs hold
#[utoipa::path(
    post,
    operation_id = "pause_campaign",
    path = "/projects/{project}/campaigns/{campaign}/pause",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id")
    ),
    responses((status = 200, body = Campaign, description = "Done"), Failures)
)]
async fn pause(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
) -> Answer<Campaign> {
    Ok(Json(manage.control.pause(&project, &campaign, None).await?.into()))
}

/// Resume a campaign: its runs go on
///
/// Those that were due while it was paused go on at a rate, one after the other; those that are due later wait for nobody.
/// A campaign that is not paused stays as it is, with the rate it was resumed at.
#[utoipa::path(
    post,
    operation_id = "resume_campaign",
    path = "/projects/{project}/campaigns/{campaign}/resume",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id")
    ),
    request_body(content = Option<Rate>, description = "May be missing"),
    responses((status = 200, body = Campaign, description = "Done"), Failures)
)]
async fn resume(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
    Body(rate): Body<Option<Rate>>,
) -> Answer<Campaign> {
    let rate = rate.and_then(|rate| rate.per_minute).unwrap_or(RESUME_RATE);
    let per_minute = NonZeroU32::new(rate).filter(|rate| rate.get() <= RESUME_RATE_AT_MOST);
    let refused = || Failure::request(format!("`per_minute` is not from 1 to {RESUME_RATE_AT_MOST}"));
    let resumed = run::Resumed { at: manage.clock.now(), per_minute: per_minute.ok_or_else(refused)? };
    Ok(Json(manage.control.pause(&project, &campaign, Some(resumed)).await?.into()))
}
