//! The core's HTTP interface: every route in one table.
//!
//! Layers, outermost first:
//!
//! 1. `problem::finish` writes the bodies of refusals, counts and times every answer;
//! 2. `caller::believe` refuses whatever carries no valid assertion of the edge;
//! 3. the router: unknown path 404, other method 405;
//! 4. `caller::require` refuses an assertion for another permission than the route's own;
//! 5. the handler.

mod accounts;
mod body;
mod caller;
mod catalog;
mod internal;
mod inventory;
mod orders;
mod page;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{self, MethodRouter};
pub(crate) use page::CursorKey;
use problem::Problem;
use stockade_contract::internal::{JWKS, PERMISSION as INTERNAL, READY};

use crate::app::App;

/// What is known of a route before any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteFacts {
    /// The method it answers; `GET` answers `HEAD` too.
    pub method: &'static str,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The permission an assertion must be for.
    pub permission: &'static str,
    /// What it is called in metrics.
    pub operation: &'static str,
}

/// A route and what answers it.
struct Route {
    facts: RouteFacts,
    handler: MethodRouter<Arc<App>>,
}

fn table() -> Vec<Route> {
    vec![
        post("/api/auth/register", "auth.register", "register", accounts::register),
        post("/api/auth/token", "auth.token", "issue_token", accounts::token),
        get("/api/me", "accounts.read", "read_me", accounts::me),
        get("/api/products", "products.read", "list_products", catalog::list),
        get("/api/products/{id}", "products.read", "read_product", catalog::read),
        get("/api/inventory", "inventory.read", "list_inventory", inventory::list),
        post(
            "/api/inventory/{sku}/movements",
            "inventory.receive",
            "receive_stock",
            inventory::receive,
        ),
        post("/api/orders", "orders.create", "place_order", orders::place),
        get("/api/orders", "orders.read", "list_orders", orders::list),
        get("/api/orders/{id}", "orders.read", "read_order", orders::read),
        get(JWKS, INTERNAL, "read_jwks", internal::jwks),
        get(READY, INTERNAL, "read_readiness", internal::ready),
    ]
}

/// Every route of the core, to be held against a policy.
pub fn routes() -> Vec<RouteFacts> {
    table().into_iter().map(|route| route.facts).collect()
}

/// The whole interface.
pub(crate) fn router(app: Arc<App>) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| {
            let guard = from_fn_with_state((Arc::clone(&app), route.facts), caller::require);
            router.route(route.facts.path, route.handler.route_layer(guard))
        })
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), caller::believe))
        .layer(from_fn_with_state(Arc::clone(&app), problem::finish))
        .with_state(app)
}

fn get<H, T>(
    path: &'static str,
    permission: &'static str,
    operation: &'static str,
    handler: H,
) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let facts = RouteFacts { method: "GET", path, permission, operation };
    Route { facts, handler: routing::get(handler) }
}

fn post<H, T>(
    path: &'static str,
    permission: &'static str,
    operation: &'static str,
    handler: H,
) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let facts = RouteFacts { method: "POST", path, permission, operation };
    Route { facts, handler: routing::post(handler) }
}

async fn not_found() -> Problem {
    Problem::not_found()
}

async fn method_not_allowed() -> Problem {
    Problem::new(405, "method_not_allowed", "This path does not answer this method")
}
