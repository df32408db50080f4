//! Addresses that may not be mailed: show, lift.

use axum::Json;
use axum::extract::State;
use dunlin_aws::profiles;
use dunlin_core::feedback::SuppressionReason;
use dunlin_core::ids::ProjectId;
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Shared;
use crate::answer::{Answer, Failure, Failures};
use crate::input::{self, Place};

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show, lift))
}

/// Why an address may not be mailed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suppression {
    /// `hard_bounce` or `complaint`.
    #[schema(example = "hard_bounce")]
    reason: &'static str,
    /// Since when.
    at: Timestamp,
}

impl From<profiles::Suppression> for Suppression {
    fn from(suppression: profiles::Suppression) -> Self {
        let reason = match suppression.reason {
            SuppressionReason::HardBounce => "hard_bounce",
            SuppressionReason::Complaint => "complaint",
        };
        Self { reason, at: suppression.at }
    }
}

/// Show why an address may not be mailed
#[utoipa::path(
    get,
    operation_id = "show_suppression",
    path = "/projects/{project}/suppressions/{email}",
    tag = "profiles",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("email" = String, Path, description = "The address, percent-encoded")
    ),
    responses((status = 200, body = Suppression, description = "Done"), Failures)
)]
async fn show(
    State(manage): State<Shared>,
    Place((project, email)): Place<(ProjectId, String)>,
) -> Answer<Suppression> {
    let found = manage.profiles.suppression(&project, &input::email(&email)?).await?;
    Ok(Json(found.ok_or_else(|| Failure::missing("suppression"))?.into()))
}

/// Allow an address again
///
/// Only after its owner asked for mail: SES keeps a suppression list of its own.
#[utoipa::path(
    delete,
    operation_id = "lift_suppression",
    path = "/projects/{project}/suppressions/{email}",
    tag = "profiles",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("email" = String, Path, description = "The address, percent-encoded")
    ),
    responses((status = 204, description = "The address may be mailed"), Failures)
)]
async fn lift(
    State(manage): State<Shared>,
    Place((project, email)): Place<(ProjectId, String)>,
) -> Result<StatusCode, Failure> {
    manage.profiles.allow(&project, &input::email(&email)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
