//! The edge: a request comes in, is checked and stored, and is answered; one line of log at most.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use dunlin_aws::calls::Outgoing;
use dunlin_aws::{Kind, planted, resources};
use dunlin_core::call::Action;
use dunlin_core::ids::ProjectId;
use dunlin_core::limits::CALL_BYTES;
use dunlin_core::quota::Standing;
use http::{Method, StatusCode};
use jiff::Timestamp;

use crate::Intake;
use crate::reply::{self, Api, Refusal};
use crate::segment::Rejects;
use crate::{body, credential, pack, segment, track};

/// What was stored for a request.
struct Taken {
    project: ProjectId,
    calls: usize,
    rejects: Rejects,
    spilled: Option<Kind>,
}

/// Everything under `/api/v2/`.
pub(crate) async fn track(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return reply::preflight();
    }
    let path = request.uri().path().strip_prefix("/api/v2/").unwrap_or_default();
    let Some(endpoint) = track::Endpoint::find(path) else { return finish(Api::Track, Err(Refusal::path())) };
    if !endpoint.takes(request.method()) {
        return finish(Api::Track, Err(Refusal::method(endpoint.methods())));
    }
    match (endpoint, request.method()) {
        (track::Endpoint::Heartbeat, &Method::HEAD) => reply::head_only(reply::success(Api::Track)),
        (track::Endpoint::Heartbeat, _) => reply::success(Api::Track),
        _ => finish(Api::Track, take_track(&intake, endpoint, request).await),
    }
}

/// Everything under `/v1/`.
pub(crate) async fn segment(State(intake): State<Arc<Intake>>, request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return reply::preflight();
    }
    let path = request.uri().path().strip_prefix("/v1/").unwrap_or_default();
    let Some(endpoint) = segment::Endpoint::find(path) else { return finish(Api::Segment, Err(Refusal::path())) };
    if request.method() != Method::POST {
        return finish(Api::Segment, Err(Refusal::method(segment::METHODS)));
    }
    finish(Api::Segment, take_segment(&intake, endpoint, request).await)
}

/// Every other path.
pub async fn elsewhere() -> Response {
    finish(Api::Track, Err(Refusal::path()))
}

async fn take_track(intake: &Intake, endpoint: track::Endpoint, request: Request) -> Result<Taken, Refusal> {
    let (head, body) = request.into_parts();
    let mut fields = body::decode(&head.headers, &body::read(&head.headers, body).await?)?;
    track::open(&mut fields)?;
    let credential = credential::track(head.uri.query(), &mut fields);
    let asked = track::read(endpoint, fields)?;
    let project = intake.project(credential.as_ref()).ok_or_else(|| Refusal::credential("auth_token"))?;
    // Who wants no mail any more does not wait behind a flood; both commute with whatever comes before.
    let is_urgent = matches!(asked.action, Action::Unsubscribe | Action::Delete);
    let lane = lane(intake, &project, 1)?;
    let lane = if is_urgent { resources::EVENTS } else { lane };
    let accepted_at = intake.accept();
    let accepted = asked.accept(&project, accepted_at, &intake.chance);
    let call = pack::write(&accepted).map_err(|_| too_large(endpoint.heavy_field()))?;
    let spilled = store(intake, lane, accepted_at, pack::pack(vec![call])).await?;
    Ok(Taken { project, calls: 1, rejects: Rejects::default(), spilled })
}

async fn take_segment(intake: &Intake, endpoint: segment::Endpoint, request: Request) -> Result<Taken, Refusal> {
    let (head, body) = request.into_parts();
    let mut fields = body::decode(&head.headers, &body::read(&head.headers, body).await?)?;
    let credential = credential::segment(&head.headers, &mut fields);
    let project = intake.project(credential.as_ref()).ok_or_else(|| Refusal::credential("writeKey"))?;
    let accepted_at = intake.clock.now();
    let mut rejects = Rejects::default();
    let asked = segment::read(endpoint, fields, accepted_at, &mut rejects)?;
    let lane = lane(intake, &project, asked.len())?;
    let mut calls = Vec::with_capacity(asked.len());
    for asked in asked {
        match (pack::write(&asked.accept(&project, intake.accept(), &intake.chance)), endpoint) {
            (Ok(call), _) => calls.push(call),
            (Err(pack::TooLarge), segment::Endpoint::Batch) => rejects.add(too_large("item").message),
            (Err(pack::TooLarge), segment::Endpoint::One(_)) => return Err(too_large("properties")),
        }
    }
    let count = calls.len();
    let spilled = store(intake, lane, accepted_at, pack::pack(calls)).await?;
    Ok(Taken { project, calls: count, rejects, spilled })
}

fn too_large(field: &str) -> Refusal {
    Refusal::large(format!("`{field}` makes the call larger than {CALL_BYTES} bytes: send less in it"))
}

/// The lane that a project's calls take.
fn lane(intake: &Intake, project: &ProjectId, calls: usize) -> Result<resources::Queue, Refusal> {
    match intake.standing(project, calls) {
        Standing::Within => Ok(resources::EVENTS),
        Standing::Over => Ok(resources::BACKLOG),
        Standing::Beyond => {
            tracing::warn!(project.id = %project, calls.count = calls, "over the hard quota");
            Err(Refusal::quota())
        }
    }
}

/// Stores messages: on their lane's queue, else in the spill. Says why the queue did not take them, when it did not.
async fn store(
    intake: &Intake,
    lane: resources::Queue,
    accepted_at: Timestamp,
    messages: Vec<Outgoing>,
) -> Result<Option<Kind>, Refusal> {
    if messages.is_empty() {
        return Ok(None);
    }
    let queue = if lane.stem == resources::BACKLOG.stem { &intake.backlog } else { &intake.queue };
    let Err(unsent) = queue.put(messages).await else { return Ok(None) };
    if planted!(AnsweredBeforeStored) {
        return Ok(None);
    }
    let cause = unsent.messages.first().map(|(_, error)| error.kind);
    let all = unsent.messages.len();
    let rest: Vec<Outgoing> = unsent
        .messages
        .into_iter()
        .filter(|(_, error)| error.kind != Kind::Invalid)
        .map(|(message, _)| message)
        .collect();
    if !rest.is_empty() {
        intake.spill.put(lane, accepted_at, &rest).await.map_err(|_| Refusal::unavailable())?;
    }
    if rest.len() < all { Err(Refusal::fault()) } else { Ok(cause) }
}

/// Shapes the answer and logs what an operator needs: never a text that the client sent. A plain success is
/// worth no line of its own at usual levels.
fn finish(api: Api, outcome: Result<Taken, Refusal>) -> Response {
    match outcome {
        Ok(taken) => {
            let (project, calls, rejects) = (taken.project.as_str(), taken.calls, taken.rejects.count());
            if taken.spilled.is_some() || rejects > 0 {
                let (reasons, spilled) = (taken.rejects.summary(), taken.spilled);
                tracing::warn!(project.id = project, calls.count = calls, rejects.count = rejects, rejects.reasons = reasons, spilled.cause = ?spilled, status = 200, "taken, not smoothly");
            } else {
                tracing::debug!(project.id = project, calls.count = calls, status = 200, "taken");
            }
            reply::success(api)
        }
        Err(refusal) => {
            let status = refusal.status.as_u16();
            if refusal.status >= StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(?api, status, "not stored");
            } else {
                tracing::info!(?api, status, refused.field = refusal.field, "refused");
            }
            refusal.answer(api)
        }
    }
}

#[cfg(test)]
mod tests;
