//! Parked tasks: list, show, redrive, discard; one by one, or many by queue, project and reason.

use axum::Json;
use axum::extract::State;
use dunlin_aws::parked;
use dunlin_aws::resources::QUEUES;
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

/// Parked tasks in memory at once: a task's row has up to 400 KB (DynamoDB's limit), a function 256 MB.
const AT_ONCE: usize = 25;
/// Parked tasks that one request looks at, so that it ends in time: some seconds.
const LOOKED_AT: usize = 1_000;
/// Parked tasks that one request redrives or discards, so that it ends in time: each takes two requests of some 10 ms, one
/// after the other, and the function has 20 s.
const CHANGED: usize = 100;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, discard_many))
        .routes(routes!(redrive_many))
        .routes(routes!(show, discard))
        .routes(routes!(redrive))
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

/// A page of parked tasks.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ParkedTasks {
    /// Those that were asked for, in the order of their ids, which is none of time.
    parked: Vec<ParkedTask>,
    /// Where the next page begins, when there may be one: the query's `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which parked tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Entries at most: 1 to 1,000; 100 where it is missing. No more than 100 are redriven or discarded in a page.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Only those of this queue: `events`, `backlog`, `steps`, `sends`, `sends-transactional`, `sends-backlog` or `feedback`.
    queue: Option<String>,
    /// Only those of this project.
    project: Option<String>,
    /// Only those whose reason has this text.
    reason: Option<String>,
    /// Only those that were parked before this instant.
    before: Option<Timestamp>,
    /// Only those behind this id: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<ParkedId>,
}

impl Wanted {
    fn has(&self, task: &parked::ParkedTask) -> bool {
        let project = |wanted: &String| task.project.as_ref().is_some_and(|project| project.as_str() == wanted);
        self.queue.as_ref().is_none_or(|queue| *queue == task.queue)
            && self.project.as_ref().is_none_or(project)
            && self.reason.as_ref().is_none_or(|text| task.reason.contains(text.as_str()))
            && self.before.is_none_or(|before| task.at < before)
    }
}

impl Wanted {
    /// What was found; where nothing was, of a queue that is none, that is said. (Tasks may outlive their queue.)
    fn is_meant(&self, found: ParkedTasks) -> Result<ParkedTasks, Failure> {
        let unknown = self.queue.as_ref().filter(|queue| QUEUES.iter().all(|known| known.stem != **queue));
        match unknown {
            Some(queue) if found.parked.is_empty() => {
                let known: Vec<&str> = QUEUES.iter().map(|known| known.stem).collect();
                Err(Failure::request(format!("there is no queue `{queue}`; the queues are {}", known.join(", "))))
            }
            _ => Ok(found),
        }
    }
}

/// What is done to those that are wanted.
#[derive(Clone, Copy)]
enum Act {
    Show,
    Redrive,
    Discard,
}

/// List parked tasks, a page at a time
///
/// A page may hold fewer than `limit`, or none, and have a next one: only so many tasks are looked at for it.
#[utoipa::path(get, operation_id = "list_parked", path = "/parked", tag = "parked", params(Wanted), responses((status = 200, body = ParkedTasks, description = "Done"), Failures))]
async fn list(State(manage): State<Shared>, Asked(wanted): Asked<Wanted>) -> Answer<ParkedTasks> {
    Ok(Json(manage.page(wanted, Act::Show).await?))
}

/// Redrive a page of parked tasks: their texts go back to their queues
///
/// Ask again with `after` until there is no `next`. With `before`, a task that is parked again meanwhile is not
/// redriven again. Those of a queue that is no more stay. What fails ends it; it may be repeated: what was done is not done again.
#[utoipa::path(post, operation_id = "redrive_many_parked", path = "/parked/redrive", tag = "parked", params(Wanted), responses((status = 200, body = ParkedTasks, description = "These are on their queues, and parked no longer"), Failures))]
async fn redrive_many(State(manage): State<Shared>, Asked(wanted): Asked<Wanted>) -> Answer<ParkedTasks> {
    Ok(Json(manage.page(wanted, Act::Redrive).await?))
}

/// Discard a page of parked tasks for good
#[utoipa::path(delete, operation_id = "discard_many_parked", path = "/parked", tag = "parked", params(Wanted), responses((status = 200, body = ParkedTasks, description = "These are gone"), Failures))]
async fn discard_many(State(manage): State<Shared>, Asked(wanted): Asked<Wanted>) -> Answer<ParkedTasks> {
    Ok(Json(manage.page(wanted, Act::Discard).await?))
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
    manage.redrive(&task).await?;
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
    /// Puts a task back on its queue, and then parks it no longer.
    async fn redrive(&self, task: &parked::ParkedTask) -> Result<(), Failure> {
        self.queues.redrive(task, self.clock.now()).await?;
        Ok(self.parked.delete(&task.id).await?)
    }

    async fn parked_task(&self, id: &ParkedId) -> Result<parked::ParkedTask, Failure> {
        self.parked.get(id).await?.ok_or_else(|| Failure::missing("parked task"))
    }

    /// Does something to each task that is wanted. Of all that are parked, a few are in memory at a time.
    async fn page(&self, wanted: Wanted, act: Act) -> Result<ParkedTasks, Failure> {
        let most = if matches!(act, Act::Show) { LOOKED_AT } else { CHANGED };
        let (limit, mut looked_at, mut done) = (input::limit(wanted.limit).min(most), 0, ParkedTasks::default());
        let mut after = wanted.after.clone();
        while looked_at < LOOKED_AT {
            let tasks = self.parked.list(after.as_ref(), AT_ONCE).await?;
            let is_last = tasks.len() < AT_ONCE;
            looked_at += tasks.len();
            for task in tasks {
                after = Some(task.id.clone());
                if !wanted.has(&task) {
                    continue;
                }
                match act {
                    Act::Show => {}
                    Act::Redrive if !self.queues.has(&task.queue) => continue,
                    Act::Redrive => self.redrive(&task).await?,
                    Act::Discard => self.parked.delete(&task.id).await?,
                }
                done.parked.push(task.into());
                if done.parked.len() == limit {
                    return Ok(ParkedTasks { next: after.map(String::from), ..done });
                }
            }
            if is_last {
                return wanted.is_meant(done);
            }
        }
        Ok(ParkedTasks { next: after.map(String::from), ..done })
    }
}
