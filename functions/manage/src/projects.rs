//! Projects: create, list, show, change.

use axum::Json;
use axum::extract::State;
use dunlin_aws::{Kind, Stored, control};
use dunlin_core::ids::ProjectId;
use dunlin_core::mail::Mailbox;
use dunlin_core::wait::Zone;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Answer, Failure, Failures};
use crate::input::{Body, Place};
use crate::{Manage, Shared};

/// Bytes of a name for people.
const NAME_BYTES: usize = 200;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change))
}

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Project {
    /// Its id.
    #[schema(example = "prj_shop")]
    id: String,
    /// What people call it.
    #[schema(example = "Shop")]
    name: String,
    /// The sender of campaigns that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Shop <hello@shop.example>")]
    from: Option<String>,
    /// The zone of people of whom none is known; UTC where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
    /// When it was created.
    created_at: Timestamp,
    /// Tokens issued so far.
    tokens: u32,
}

impl From<control::Project> for Project {
    fn from(project: control::Project) -> Self {
        let control::Project { id, name, from, timezone, created_at, tokens } = project;
        Self { id: id.into(), name, from, timezone: timezone.map(String::from), created_at, tokens }
    }
}

/// All projects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Projects {
    /// By their ids.
    projects: Vec<Project>,
}

/// A project to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectToCreate {
    /// Its id: `prj_` and letters, digits or dashes; made from name and time where it is missing.
    #[schema(example = "prj_shop")]
    id: Option<String>,
    /// What people call it.
    name: String,
    /// The sender of campaigns that name none: `Name <address>` or an address.
    from: Option<String>,
    /// The zone of people of whom none is known: a name like `Europe/Berlin`, or an offset like `+05:30`.
    timezone: Option<String>,
}

/// What can be changed about a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectToChange {
    /// What people call it.
    name: String,
    /// The sender of campaigns that name none; none where it is missing.
    from: Option<String>,
    /// The zone of people of whom none is known; UTC where it is missing.
    timezone: Option<String>,
}

/// List projects
#[utoipa::path(get, operation_id = "list_projects", path = "/projects", tag = "projects", responses((status = 200, body = Projects, description = "Done"), Failures))]
async fn list(State(manage): State<Shared>) -> Answer<Projects> {
    let projects = manage.control.projects().await?;
    Ok(Json(Projects { projects: projects.into_iter().map(Project::from).collect() }))
}

/// Create a project
#[utoipa::path(
    post,
    operation_id = "create_project",
    path = "/projects",
    tag = "projects",
    request_body = ProjectToCreate,
    responses((status = 201, body = Project, description = "Created"), Failures)
)]
async fn create(
    State(manage): State<Shared>,
    Body(asked): Body<ProjectToCreate>,
) -> Result<(StatusCode, Json<Project>), Failure> {
    let now = manage.clock.now();
    let (name, from, timezone) = (name(&asked.name)?, sender(asked.from)?, zone(asked.timezone)?);
    let id = match &asked.id {
        Some(id) => ProjectId::parse(id).map_err(|error| Failure::request(error.to_string()))?,
        None => ProjectId::derive(&[&name, &now.as_millisecond().to_string()]),
    };
    let project = control::Project { id, name, from, timezone, created_at: now, tokens: 0 };
    let stored = Stored { state: project, version: 0 };
    manage.control.put_project(&stored).await.map_err(|error| match error.kind {
        Kind::Conflict => {
            Failure::conflict("there is such a project already", "choose another id, or change the project")
        }
        _ => error.into(),
    })?;
    Ok((StatusCode::CREATED, Json(stored.state.into())))
}

/// Show a project
#[utoipa::path(
    get,
    operation_id = "show_project",
    path = "/projects/{project}",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id")),
    responses((status = 200, body = Project, description = "Done"), Failures)
)]
async fn show(State(manage): State<Shared>, Place(project): Place<ProjectId>) -> Answer<Project> {
    Ok(Json(manage.project(&project).await?.state.into()))
}

/// Change a project's name, sender and time zone
#[utoipa::path(
    put,
    operation_id = "change_project",
    path = "/projects/{project}",
    tag = "projects",
    params(("project" = String, Path, description = "The project's id")),
    request_body = ProjectToChange,
    responses((status = 200, body = Project, description = "Done"), Failures)
)]
async fn change(
    State(manage): State<Shared>,
    Place(project): Place<ProjectId>,
    Body(asked): Body<ProjectToChange>,
) -> Answer<Project> {
    let mut stored = manage.project(&project).await?;
    stored.state.name = name(&asked.name)?;
    stored.state.from = sender(asked.from)?;
    stored.state.timezone = zone(asked.timezone)?;
    manage.control.put_project(&stored).await?;
    Ok(Json(stored.state.into()))
}

impl Manage {
    /// A project, which must be there.
    pub(crate) async fn project(&self, project: &ProjectId) -> Result<Stored<control::Project>, Failure> {
        self.control.project(project).await?.ok_or_else(|| Failure::missing("project"))
    }
}

/// A name for people, without space around it.
pub(crate) fn name(text: &str) -> Result<String, Failure> {
    match text.trim() {
        "" => Err(Failure::request("the name is empty")),
        name if name.len() > NAME_BYTES => Err(Failure::request(format!("the name has more than {NAME_BYTES} bytes"))),
        name => Ok(name.to_owned()),
    }
}

fn zone(text: Option<String>) -> Result<Option<Zone>, Failure> {
    let read = |text: String| Zone::parse(&text).map_err(|error| Failure::request(format!("`timezone`: {error}")));
    text.map(read).transpose()
}

fn sender(text: Option<String>) -> Result<Option<String>, Failure> {
    if let Some(text) = &text {
        Mailbox::parse(text).map_err(|error| Failure::request(format!("`from` {error}")))?;
    }
    Ok(text)
}
