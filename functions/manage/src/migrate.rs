//! Moves runs to another version of their campaign, or ends them, a page at a time.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use dunlin_aws::runs::behind;
use dunlin_aws::timers::Timer;
use dunlin_aws::{Kind, Stored};
use dunlin_core::ids::{CampaignId, ProjectId};
use dunlin_core::run::{Migration, Run, RunState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures, Problem, Refused};
use crate::input::{Body, Place};
use crate::{Manage, Shared};

/// Runs that one request moves, ends or finds in motion, so that it ends in time: each takes some five requests of 10 ms, one after the other,
/// and the function has 20 s.
const CHANGED: usize = 100;
/// Requests to the table that one page takes where it moves nobody: each some 100 ms.
const REQUESTS: usize = 10;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(migrate))
}

/// Which runs go where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The version they go to. Runs that are there already are not touched.
    to_version: u32,
    /// By the step at which runs wait: the step of `to_version` that they go to, or `null` to end them.
    #[schema(example = json!({"wait-1": "wait-1", "old-step": null}))]
    moves: BTreeMap<String, Option<String>>,
    /// Only runs of these versions.
    from_versions: Option<BTreeSet<u32>>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// What became of the runs of a page.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Migrated {
    /// Moved to the version.
    moved: usize,
    /// Ended.
    ended: usize,
    /// Left as they were.
    skipped: Skipped,
    /// Where the next page begins, when there may be one: the body's `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Runs that were meant and left as they were: repeat it for those.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Skipped {
    /// They moved by themselves just then.
    moved_meanwhile: usize,
    /// What they did last is still being carried out.
    unsettled: usize,
    /// Rows of the project that do not read.
    unreadable: usize,
}

/// Move runs to another version, or end them
///
/// A page at a time: ask again with `cursor` until there is no `next`. A run whose wait is the same in the new version keeps
/// its instant; any other takes its new step at once, and a step that waits for a length of time counts from when the run
/// began to wait. What fails ends it; it may be repeated: what was done is not done again.
#[utoipa::path(
    post,
    operation_id = "migrate_runs",
    path = "/projects/{project}/campaigns/{campaign}/runs/migrate",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id")
    ),
    request_body(content = Wanted),
    responses(
        (status = 200, body = Migrated, description = "Done"),
        (status = 422, body = Refused, description = "Refused, with all problems; no run is moved"),
        Failures
    )
)]
async fn migrate(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
    Body(wanted): Body<Wanted>,
) -> Answer<Migrated> {
    let newest = manage.head(&project, &campaign).await?.version;
    let Wanted { to_version, moves, from_versions, cursor } = wanted;
    if to_version > newest {
        return Err(Failure::missing("version of the campaign"));
    }
    let to = manage.catalog.version(&project, &campaign, to_version).await?;
    let wanted = Migration { to_version, moves, from_versions };
    let problems = wanted.problems(&to);
    if !problems.is_empty() {
        return Err(Failure::unmoved(problems.into_iter().map(Problem::from).collect()));
    }
    let mut done = Migrated { next: cursor, ..Migrated::default() };
    for _ in 0..REQUESTS {
        let page = manage.scan(&project, done.next.as_deref()).await?;
        done.skipped.unreadable += page.unreadable;
        let mut rows = page.runs.into_iter().filter(|run| run.state.campaign == campaign);
        done.next = page.next;
        if let Some(last) = manage.move_some(&mut rows, &wanted, &mut done).await? {
            done.next = rows.next().map(|_| behind(&last)).or(done.next);
            break;
        }
        if done.next.is_none() {
            break;
        }
    }
    tracing::info!(project.id = %project, campaign.id = %campaign, version.to = to_version, runs.moved = done.moved, runs.ended = done.ended, "runs migrated");
    Ok(Json(done))
}

/// What became of one run.
enum Fate {
    /// It is not meant.
    Stays,
    Moved,
    Ended,
    MovedMeanwhile,
    Unsettled,
}

impl Manage {
    /// Moves runs until as many are done as one request does; the last of them, if so.
    async fn move_some(
        &self,
        rows: &mut impl Iterator<Item = Stored<Run>>,
        wanted: &Migration,
        done: &mut Migrated,
    ) -> Result<Option<Run>, Failure> {
        let mut meant = 0;
        for row in rows {
            match self.move_one(&row, wanted).await? {
                Fate::Stays => continue,
                Fate::Moved => done.moved += 1,
                Fate::Ended => done.ended += 1,
                Fate::MovedMeanwhile => done.skipped.moved_meanwhile += 1,
                Fate::Unsettled => done.skipped.unsettled += 1,
            }
            meant += 1;
            if meant >= CHANGED {
                return Ok(Some(row.state));
            }
        }
        Ok(None)
    }

    async fn move_one(&self, row: &Stored<Run>, wanted: &Migration) -> Result<Fate, Failure> {
        let (run, now) = (&row.state, self.clock.now());
        if run.version == wanted.to_version && matches!(run.state, RunState::Placed { .. }) {
            // Placed by somebody who may have died before anybody heard of it.
            self.commands.carry_out(run, &run.last_commands, true, || self.clock.now()).await?;
        }
        let (Some(due_at), Some(_)) = (run.due_at(), wanted.sends(run)) else { return Ok(Fate::Stays) };
        // A timer says that everything before it was done. Without it a mail may be on its way that only the move's own row
        // still knows of.
        let timer = Timer { project: run.project.clone(), run: run.id.clone(), moves: run.moves, due_at };
        if !self.timers.is_set(&timer, now).await? {
            return Ok(Fate::Unsettled);
        }
        let version = |version| self.catalog.version(&run.project, &run.campaign, version);
        let (from, to) = (version(run.version).await?, version(wanted.to_version).await?);
        let Some(moved) = wanted.carry(run, &from, &to, now) else { return Ok(Fate::Stays) };
        match self.runs.put(&moved.run, row.version).await {
            // Our own write, whose answer was lost, stands as we wrote it; else somebody else has moved it.
            Err(error) if error.kind == Kind::Conflict => {
                let there = self.runs.get(&run.project, &run.id).await?;
                if there.is_none_or(|there| there.state != moved.run) {
                    return Ok(Fate::MovedMeanwhile);
                }
            }
            stored => stored?,
        }
        self.commands.carry_out(&moved.run, &moved.commands, true, || self.clock.now()).await?;
        Ok(if moved.run.due_at().is_some() { Fate::Moved } else { Fate::Ended })
    }
}
