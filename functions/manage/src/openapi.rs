//! The OpenAPI document, made from the routes.

use http::header::CONTENT_TYPE;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Refused;
use crate::{BASE, Shared};

/// What the routes do not say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(title = "dunlin manage API", description = "The control plane of dunlin. Every request shows the admin key."),
    components(schemas(Refused)),
    modifiers(&AdminKey),
    security(("admin_key" = [])),
    tags(
        (name = "projects", description = "Tenants and the tokens their clients use"),
        (name = "campaigns", description = "Campaigns and their versions"),
        (name = "profiles", description = "People, what they did, and which addresses may not be mailed"),
        (name = "deliveries", description = "Mails and what became of them"),
        (name = "parked", description = "Tasks that could not be done, with their reasons"),
        (name = "document", description = "This document; it takes no key"),
    )
)]
struct Document;

struct AdminKey;

impl Modify for AdminKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`DUNLIN_ADMIN_KEY`")).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("admin_key", SecurityScheme::Http(scheme));
    }
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(show))
}

/// This document
#[utoipa::path(
    get,
    operation_id = "show_document",
    path = "/openapi.json",
    tag = "document",
    security(()),
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value))
)]
async fn show() -> ([(http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, "application/json")], document())
}

/// The document as JSON text.
pub(crate) fn document() -> String {
    let router = OpenApiRouter::with_openapi(Document::openapi()).nest(BASE, crate::guarded().merge(routes()));
    router.into_openapi().to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}
