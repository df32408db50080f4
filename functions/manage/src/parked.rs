//! Parked tasks: list, show, redrive, discard.

use axum::Json;
use axum::extract::State;
use dunlin_aws::parked;
use dunlin_core::ids::ParkedId;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures};
use crate::input::{self, Asked, Place};
use crate::{Manage, Shared};

/// Parked tasks that a listing looks at.
const LOOKED_AT: usize = 10_000;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, discard)).routes(routes!(redrive))
}

/// A task that could not be done as it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParkedTask {
    /// Its id.
    #[schema(example = "prk_1")]
    id: String,
    /// The queue it came from and goes back to.
    #[schema(example = "sends")]
    queue: String,
    /// The project, where the text still tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// Why it could not be done.
    reason: String,
    /// Since when it is parked; it is kept for 90 days.
    at: Timestamp,
    /// Bytes of its text.
    bytes: usize,
    /// The text as it was on the queue. Not in listings: it holds personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl From<parked::ParkedTask> for ParkedTask {
    fn from(task: parked::ParkedTask) -> Self {
        let parked::ParkedTask { id, queue, project, body, reason, at } = task;
        Self { id: id.into(), queue, project: project.map(String::from), reason, at, bytes: body.len(), body: None }
    }
}

/// Parked tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParkedTasks {
    /// Newest first.
    parked: Vec<ParkedTask>,
}

/// Which parked tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Entries at most: 1 to 1,000; 100 where it is missing.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only those of this queue: `events`, `steps`, `sends` or `feedback`.
    queue: Option<String>,
    /// Only those of this project.
    project: Option<String>,
}

impl Wanted {
    fn has(&self, task: &parked::ParkedTask) -> bool {
        let queue = self.queue.as_ref().is_none_or(|queue| *queue == task.queue);
        let project = |wanted: &String| task.project.as_ref().is_some_and(|project| project.as_str() == wanted);
        queue && self.project.as_ref().is_none_or(project)
    }
}

/// List parked tasks, newest first
#[utoipa::path(get, operation_id = "list_parked", path = "/parked", tag = "parked", params(Wanted), responses((status = 200, body = ParkedTasks, description = "Done"), Failures))]
async fn list(State(manage): State<Shared>, Asked(wanted): Asked<Wanted>) -> Answer<ParkedTasks> {
    let mut tasks = manage.parked.list(LOOKED_AT).await?;
    tasks.retain(|task| wanted.has(task));
    tasks.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    Ok(Json(ParkedTasks { parked: tasks.into_iter().take(input::limit(wanted.limit)).map(ParkedTask::from).collect() }))
}

/// Show a parked task with its text
#[utoipa::path(
    get,
    operation_id = "show_parked",
    path = "/parked/{parked}",
    tag = "parked",
    params(("parked" = String, Path, description = "The parked task's id")),
    responses((status = 200, body = ParkedTask, description = "Done"), Failures)
)]
async fn show(State(manage): State<Shared>, Place(id): Place<ParkedId>) -> Answer<ParkedTask> {
    let task = manage.parked_task(&id).await?;
    Ok(Json(ParkedTask { body: Some(task.body.clone()), ..task.into() }))
}

/// Redrive a parked task: its text goes back to its queue
///
/// The text stays the same, and so do all ids in it: what was done already is not done again. A task that fails
/// again is parked again, under another id.
#[utoipa::path(
    post,
    operation_id = "redrive_parked",
    path = "/parked/{parked}/redrive",
    tag = "parked",
    params(("parked" = String, Path, description = "The parked task's id")),
    responses((status = 200, body = ParkedTask, description = "On its queue, and parked no longer"), Failures)
)]
async fn redrive(State(manage): State<Shared>, Place(id): Place<ParkedId>) -> Answer<ParkedTask> {
    let task = manage.parked_task(&id).await?;
    manage.queues.redrive(&task, manage.clock.now()).await?;
    manage.parked.delete(&id).await?;
    Ok(Json(task.into()))
}

/// Discard a parked task for good
#[utoipa::path(
    delete,
    operation_id = "discard_parked",
    path = "/parked/{parked}",
    tag = "parked",
    params(("parked" = String, Path, description = "The parked task's id")),
    responses((status = 204, description = "It is gone"), Failures)
)]
async fn discard(State(manage): State<Shared>, Place(id): Place<ParkedId>) -> Result<StatusCode, Failure> {
    manage.parked_task(&id).await?;
    manage.parked.delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Manage {
    async fn parked_task(&self, id: &ParkedId) -> Result<parked::ParkedTask, Failure> {
        self.parked.get(id).await?.ok_or_else(|| Failure::missing("parked task"))
    }
}
