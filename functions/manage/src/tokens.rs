//! Tokens: create, list, show, rotate, revoke. The text of a token is derived from the signing key and never
//! stored, so it can be shown again.

use axum::Json;
use axum::extract::State;
use dunlin_aws::control;
use dunlin_core::ids::ProjectId;
use dunlin_core::token::Claim;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures};
use crate::input::{Asked, Body, Place};
use crate::projects::name;
use crate::{Manage, Shared};

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show))
        .routes(routes!(revoke))
        .routes(routes!(rotate))
}

/// A token of a project's clients.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its number within the project.
    serial: u32,
    /// What it is for.
    label: String,
    /// When it was issued.
    created_at: Timestamp,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    /// The token itself. Not in listings, and not of a revoked token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "dl.prj_shop.1.k1.c2lnbmF0dXJl")]
    token: Option<String>,
}

impl From<control::Token> for Token {
    fn from(token: control::Token) -> Self {
        let control::Token { serial, label, created_at, revoked_at, .. } = token;
        Self { serial, label, created_at, revoked_at, token: None }
    }
}

/// The tokens of a project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// By their serials.
    tokens: Vec<Token>,
}

/// A token to issue.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenToCreate {
    /// What it is for.
    #[schema(example = "web shop")]
    label: String,
}

/// How a token is rotated.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Rotation {
    /// Revoke the former token at once. Else it stays live until it is revoked.
    #[serde(default)]
    revoke: bool,
}

/// What a rotation leaves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rotated {
    /// The token to use from now on.
    issued: Token,
    /// The token it takes the place of.
    former: Token,
}

/// List a project's tokens
#[utoipa::path(
    get,
    operation_id = "list_tokens",
    path = "/projects/{project}/tokens",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id")),
    responses((status = 200, body = Tokens, description = "Done"), Failures)
)]
async fn list(State(manage): State<Shared>, Place(project): Place<ProjectId>) -> Answer<Tokens> {
    manage.project(&project).await?;
    let tokens = manage.control.tokens(&project).await?;
    Ok(Json(Tokens { tokens: tokens.into_iter().map(Token::from).collect() }))
}

/// Create a token
#[utoipa::path(
    post,
    operation_id = "create_token",
    path = "/projects/{project}/tokens",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id")),
    request_body = TokenToCreate,
    responses((status = 201, body = Token, description = "Created"), Failures)
)]
async fn create(
    State(manage): State<Shared>,
    Place(project): Place<ProjectId>,
    Body(asked): Body<TokenToCreate>,
) -> Result<(StatusCode, Json<Token>), Failure> {
    manage.project(&project).await?;
    Ok((StatusCode::CREATED, Json(manage.issue(&project, &name(&asked.label)?).await?)))
}

/// Show a token, with its text while it is live
#[utoipa::path(
    get,
    operation_id = "show_token",
    path = "/projects/{project}/tokens/{serial}",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id"), ("serial" = u32, Path, description = "The token's number")),
    responses((status = 200, body = Token, description = "Done"), Failures)
)]
async fn show(State(manage): State<Shared>, Place((project, serial)): Place<(ProjectId, u32)>) -> Answer<Token> {
    let token = manage.token(&project, serial).await?;
    Ok(Json(manage.with_text(token)))
}

/// Revoke a token; clients are refused within seconds
#[utoipa::path(
    post,
    operation_id = "revoke_token",
    path = "/projects/{project}/tokens/{serial}/revoke",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id"), ("serial" = u32, Path, description = "The token's number")),
    responses((status = 200, body = Token, description = "Done"), Failures)
)]
async fn revoke(State(manage): State<Shared>, Place((project, serial)): Place<(ProjectId, u32)>) -> Answer<Token> {
    manage.token(&project, serial).await?;
    Ok(Json(manage.control.revoke(&project, serial, manage.clock.now()).await?.into()))
}

/// Rotate a token: issue one of the same label in its place
#[utoipa::path(
    post,
    operation_id = "rotate_token",
    path = "/projects/{project}/tokens/{serial}/rotate",
    tag = "projects",
    params(
        ("project" = String, Path, description = "The project's id"),
        ("serial" = u32, Path, description = "The token's number"),
        Rotation
    ),
    responses((status = 201, body = Rotated, description = "Created"), Failures)
)]
async fn rotate(
    State(manage): State<Shared>,
    Place((project, serial)): Place<(ProjectId, u32)>,
    Asked(rotation): Asked<Rotation>,
) -> Result<(StatusCode, Json<Rotated>), Failure> {
    let mut former = manage.token(&project, serial).await?;
    if former.revoked_at.is_some() {
        return Err(Failure::conflict("the token is revoked", "create another one"));
    }
    let issued = manage.issue(&project, &former.label).await?;
    if rotation.revoke {
        former = manage.control.revoke(&project, serial, manage.clock.now()).await?;
    }
    Ok((StatusCode::CREATED, Json(Rotated { issued, former: former.into() })))
}

impl Manage {
    async fn token(&self, project: &ProjectId, serial: u32) -> Result<control::Token, Failure> {
        self.control.token(project, serial).await?.ok_or_else(|| Failure::missing("token"))
    }

    async fn issue(&self, project: &ProjectId, label: &str) -> Result<Token, Failure> {
        let now = self.clock.now();
        let Claim { project, serial } = self.control.issue(project, label, now).await?;
        let token = control::Token { project, serial, label: label.to_owned(), created_at: now, revoked_at: None };
        Ok(self.with_text(token))
    }

    fn with_text(&self, token: control::Token) -> Token {
        let claim = Claim { project: token.project.clone(), serial: token.serial };
        let text = token.revoked_at.is_none().then(|| self.keyring.issue(&claim));
        Token { token: text, ..token.into() }
    }
}
