//! The description of the API, made from the code, and the page that shows it.

use super::App;
use crate::worker::protocol::ErrorBody;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema as _};
use utoipa_swagger_ui::SwaggerUi;

/// The page's own styles stand within it; all else comes from here, and nothing from elsewhere.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What the description begins with.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sweepd",
        version = "1",
        description = "Hyperparameter sweeps: submit, steer, look at, and work on them. Times are milliseconds since \
                       the Unix epoch. Wherever a sweep is named, its id, the start of it or its name will do.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(ErrorBody))
)]
struct Head;

pub(super) fn head() -> OpenApi {
    Head::openapi()
}

/// Adds what is the same for every call: the token that it wants, and the shape of errors.
pub(super) fn complete(mut description: OpenApi) -> OpenApi {
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let token = token.description(Some("The token in daemon.json in sweepd's home folder")).build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    let shape = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
    let failed = ResponseBuilder::new().description("Why not").content("application/json", shape).build();
    for (path, item) in &mut description.paths.paths {
        let calls = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for call in calls.into_iter().flatten() {
            call.responses.responses.insert("default".into(), RefOr::T(failed.clone()));
            if path != "/healthz" {
                let scopes: [&str; 0] = [];
                call.security = Some(vec![SecurityRequirement::new("token", scopes)]);
            }
        }
    }
    description
}

/// `/openapi.json`, and `/docs`, which shows it.
pub(super) fn routes(description: OpenApi) -> Router<App> {
    Router::from(SwaggerUi::new("/docs").url("/openapi.json", description))
        .layer(axum::middleware::map_response(policy))
}

async fn policy(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    response
}
