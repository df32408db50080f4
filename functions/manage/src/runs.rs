//! Runs of a campaign: how many wait where.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use dunlin_aws::Stored;
use dunlin_aws::runs::Page;
use dunlin_core::ids::{CampaignId, ProjectId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures};
use crate::input::{Asked, Place};
use crate::{Manage, Shared};

/// Rows of the table in memory at once, and in one request to it: of ordinary runs the 1 MB at which DynamoDB ends a page.
const AT_ONCE: i32 = 1_000;
/// Requests to the table that one page takes, so that it ends in time: each some 100 ms, and the function has 20 s.
const REQUESTS: usize = 10;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(count))
}

/// Runs that wait at one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waiting {
    /// The version of the campaign that they are at.
    version: u32,
    /// The step at which they wait.
    #[schema(example = "wait-1")]
    step: String,
    /// How many.
    runs: usize,
}

/// A page of counts. One row of a run is on one page, so the sums over all pages are the whole.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// By version and step.
    waiting: Vec<Waiting>,
    /// Rows of the project that do not read; a hint that meets one is parked.
    unreadable: usize,
    /// Where the next page begins, when there may be one: the query's `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Count the runs that wait, by version and step
///
/// A page at a time: ask again with `cursor` until there is no `next`, and add up. Every run of every project is read for it
/// (half a read unit for each 4 KB), without consistency: a run that moves just then is counted where it was or where it
/// is.
#[utoipa::path(
    get,
    operation_id = "count_runs",
    path = "/projects/{project}/campaigns/{campaign}/runs",
    tag = "campaigns",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("campaign" = String, Path, description = "The campaign's id"),
        From
    ),
    responses((status = 200, body = Counts, description = "Done"), Failures)
)]
async fn count(
    State(manage): State<Shared>,
    Place((project, campaign)): Place<(ProjectId, CampaignId)>,
    Asked(from): Asked<From>,
) -> Answer<Counts> {
    manage.head(&project, &campaign).await?;
    let (mut found, mut counts) = (BTreeMap::<_, usize>::new(), Counts { next: from.cursor, ..Counts::default() });
    for _ in 0..REQUESTS {
        let page = manage.scan(&project, counts.next.as_deref()).await?;
        for Stored { state: run, .. } in page.runs.iter().filter(|run| run.state.campaign == campaign) {
            if let Some(step) = run.at_step() {
                *found.entry((run.version, step.to_owned())).or_default() += 1;
            }
        }
        counts.unreadable += page.unreadable;
        counts.next = page.next;
        if counts.next.is_none() {
            break;
        }
    }
    counts.waiting = found.into_iter().map(|((version, step), runs)| Waiting { version, step, runs }).collect();
    Ok(Json(counts))
}

impl Manage {
    /// The next rows of the table behind a cursor.
    pub(crate) async fn scan(&self, project: &ProjectId, cursor: Option<&str>) -> Result<Page, Failure> {
        if cursor.is_some_and(|cursor| !cursor.contains(' ')) {
            return Err(Failure::request("`cursor` is not the `next` of a page"));
        }
        Ok(self.runs.scan(project, cursor, AT_ONCE).await?)
    }
}
