//! What holds for every call and every answer, whatever it is about.

use super::App;
use super::error::ApiError;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;

/// How long a call may take until its answer begins: longer than a claim waits for work.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(60);

/// What pages may do: load what the daemon itself serves and speak to it, nothing else.
const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                     frame-ancestors 'none'; worker-src 'self'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, PAGES),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Answers only what was meant for us, and has every answer say how browsers are to treat it. An answer may say so
/// itself.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = if app.access.hosts.is_own_call(request.uri(), request.headers()) {
        next.run(request).await
    } else {
        let message = "the daemon is not called that: `sweepd serve --allow-host NAME` allows a name";
        ApiError::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message).into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The limits of ordinary calls: how large their bodies may be, and how long their answers may take.
pub(super) fn limited<S>(routes: OpenApiRouter<S>, body_bytes: usize, answer: Duration) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.layer(DefaultBodyLimit::max(body_bytes)).layer(middleware::from_fn_with_state(answer, in_time))
}

/// Gives up on a call that takes too long. What it has handed to the dispatcher is carried out all the same.
async fn in_time(State(time): State<Duration>, request: Request, next: Next) -> Response {
    timeout(time, next.run(request)).await.unwrap_or_else(|_| {
        let message = format!("no answer was found within {} s", time.as_secs());
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", message).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{BODY_LIMIT_BYTES, BODY_SILENCE, blobs::BLOB_LIMIT_BYTES};
    use axum::{Router, routing::get};

    #[test]
    fn the_limits_are_those_that_people_are_told() {
        let told = include_str!("../../docs/security.md");
        let body = format!("| {} MiB; blobs {} GiB |", BODY_LIMIT_BYTES >> 20, BLOB_LIMIT_BYTES >> 30);
        for row in [
            format!("| body of a call {body}"),
            format!("| silence within a body | {} s |", BODY_SILENCE.as_secs()),
            format!("| until an answer begins | {} s;", ANSWER_TIME.as_secs()),
        ] {
            assert!(told.contains(&row), "docs/security.md lacks {row}");
        }
    }

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_answered_all_the_same() {
        let routes = OpenApiRouter::new()
            .route("/never", get(std::future::pending::<()>))
            .route("/soon", get(async || "here"));
        let (router, _) = limited(routes, 1024, Duration::from_millis(20)).split_for_parts();
        let router: Router = router;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        let status = async |path: &str| {
            let url = format!("{url}{path}");
            // Without the limit it would be waited for in vain.
            let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(20)));
            let agent: ureq::Agent = config.http_status_as_error(false).build().into();
            let call = move || agent.get(url).call().unwrap().status().as_u16();
            tokio::task::spawn_blocking(call).await.unwrap()
        };
        assert_eq!((status("/soon").await, status("/never").await), (200, 503));
    }
}
