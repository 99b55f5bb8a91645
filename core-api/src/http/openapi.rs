//! The interface as OpenAPI 3.1, made from the route table: `/api/openapi.json` for programs,
//! `/api/docs` for people.
//!
//! Every route brings its [`Docs`], so there is no route without and none too many. The
//! routes between edge and core are left out: no client can reach them.

mod form;
mod operation;
pub(super) mod readable;
mod schemas;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
pub(super) use operation::Docs;
pub(super) use schemas::{chars, flag, moment, text, whole, word, words};
use serde_json::Value;
use utoipa::openapi::path::Paths;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};

use super::{Route, table};

/// The name of the one way to say who one is.
const BEARER: &str = "bearer";

const INTRODUCTION: &str = "The shop's interface as clients see it through the edge. \
    `x-stockade-permission` names what the policy must grant for an operation; which callers \
    have it, and whether a token is needed at all, is the policy's business. The edge may \
    answer any operation by a refusal of its own, of the same form. Lists are given out in \
    pages: `next` is the `cursor` of the page that follows, or `null`. Amounts are whole \
    numbers of a currency's minor units. Times are in UTC.";

/// `GET /api/openapi.json`.
pub(super) async fn read() -> ([(HeaderName, &'static str); 1], &'static str) {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.get_or_init(document))
}

/// The interface as an OpenAPI 3.1 document, in JSON.
pub fn document() -> String {
    format!("{:#}", described())
}

fn described() -> Value {
    // Plain values: serialising cannot fail, and nothing would only say less.
    serde_json::to_value(describe(table())).unwrap_or_default()
}

fn describe(routes: Vec<Route>) -> OpenApi {
    let mut paths = Paths::new();
    let mut schemas = BTreeMap::new();
    for route in routes {
        let Some(docs) = route.docs else { continue };
        let (operation, used) = docs().describe(&route.facts);
        paths.add_path_operation(route.facts.path, vec![route.method], operation);
        schemas.extend(used);
    }
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of `POST /api/auth/token`."))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .build();
    let info = InfoBuilder::new()
        .title("Stockade")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components))
        // Either a token or none.
        .security(Some([bearer_needed(), SecurityRequirement::default()]))
        .build()
}

fn bearer_needed() -> SecurityRequirement {
    SecurityRequirement::new(BEARER, [] as [&str; 0])
}

#[cfg(test)]
mod tests;
