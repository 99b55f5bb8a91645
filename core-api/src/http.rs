//! The core's HTTP interface: every route in one table.
//!
//! Layers, outermost first:
//!
//! 1. `unread::read_out` reads what an answer leaves of the request's body;
//! 2. `problem::finish` writes the bodies of refusals, counts and times every answer;
//! 3. `caller::believe` refuses whatever carries no valid assertion of the edge;
//! 4. the router: unknown path 404, other method 405;
//! 5. `caller::require` refuses an assertion for another permission than the route's own;
//! 6. the handler.
//!
//! What each operation takes and answers is described in `docs`; `openapi` makes a document of
//! it.

mod accounts;
mod admin_users;
mod audit;
mod body;
mod caller;
mod cart;
mod catalog;
mod categories;
mod docs;
mod export;
mod factors;
mod image_form;
mod images;
mod internal;
mod inventory;
mod jobs;
mod openapi;
mod orders;
mod page;
mod payments;
mod precondition;
mod privacy;
mod problem;
mod sessions;
mod skus;
mod unread;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{self, MethodRouter};
use openapi::Docs;
pub use openapi::document;
pub(crate) use page::CursorKey;
use problem::Problem;
use stockade_contract::internal::{JWKS, PERMISSION as INTERNAL, READY, REVOCATIONS};
use utoipa::openapi::HttpMethod;

use crate::app::App;

/// How somebody proves who they are.
const CREDENTIALS: &str = "credentials.change";

const IMAGES: &str = "/api/products/{id}/images";
const IMAGE: &str = "/api/products/{id}/images/{image}";

const MOVEMENTS: &str = "/api/inventory/{sku}/movements";
const STOCKTAKE: &str = "/api/inventory/{sku}/stocktake";

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
    method: HttpMethod,
    handler: MethodRouter<Arc<App>>,
    /// `None` for what no client can reach.
    docs: Option<fn() -> Docs>,
}

/// Operations are described in `docs`, each under its own name.
macro_rules! routes {
    ($($method:ident($path:expr, $permission:expr, $operation:ident, $handler:expr),)+) => {
        vec![$($method(
            $path,
            $permission,
            stringify!($operation),
            $handler,
            Some(docs::$operation),
        )),+]
    };
}

fn table() -> Vec<Route> {
    let mut table = routes! {
        post("/api/auth/register", "auth.register", register, accounts::register),
        post("/api/auth/token", "auth.token", issue_token, sessions::token),
        post("/api/auth/mfa", "auth.mfa", prove_factor, factors::prove),
        post("/api/auth/refresh", "auth.refresh", refresh_token, sessions::refresh),
        post("/api/auth/logout", "sessions.end", log_out, sessions::logout),
        post("/api/auth/password/reset", "auth.password", set_password, accounts::set_password),
        post("/api/auth/password/forgot", "auth.password", forgot_password, accounts::forgot_password),
        post("/api/auth/email/verify", "auth.email", verify_email, accounts::verify_email),
        get("/api/me", "accounts.read", read_me, accounts::me),
        patch("/api/me", "accounts.update", rectify_me, privacy::rectify),
        delete("/api/me", "accounts.erase", erase_me, privacy::erase),
        get("/api/me/export", "accounts.export", export_me, export::export),
        get("/api/me/consents", "consents.read", list_consents, privacy::consents),
        put("/api/me/consents", "consents.change", change_consents, privacy::consent),
        put("/api/me/password", CREDENTIALS, change_password, accounts::change_password),
        post("/api/me/email/verification", CREDENTIALS, send_email_proof, accounts::send_email_proof),
        post("/api/me/totp", CREDENTIALS, begin_totp, factors::begin),
        delete("/api/me/totp", CREDENTIALS, disable_totp, factors::disable),
        post("/api/me/totp/confirm", CREDENTIALS, confirm_totp, factors::confirm),
        post("/api/me/totp/recovery-codes", CREDENTIALS, renew_recovery_codes, factors::renew),
        get("/api/products", "products.read", list_products, catalog::list),
        post("/api/products", "products.create", publish_product, catalog::publish),
        get("/api/products/{id}", "products.read", read_product, catalog::read),
        patch("/api/products/{id}", "products.update", edit_product, catalog::edit),
        delete("/api/products/{id}", "products.delete", withdraw_product, catalog::withdraw),
        get("/api/products/{id}/skus", "products.read", list_skus, skus::list),
        post("/api/products/{id}/skus", "products.update", offer_sku, skus::offer),
        patch("/api/products/{id}/skus/{sku}", "products.update", set_price, skus::set_price),
        get(IMAGES, "images.read", list_images, images::list),
        post(IMAGES, "images.create", upload_image, images::upload),
        delete(IMAGE, "images.delete", remove_image, images::remove),
        get("/api/images/{key}", "images.read", read_image, images::show),
        get("/api/categories", "categories.read", list_categories, categories::list),
        post("/api/categories", "categories.create", open_category, categories::open),
        delete("/api/categories/{id}", "categories.delete", close_category, categories::close),
        get("/api/inventory", "inventory.read", list_inventory, inventory::list),
        patch("/api/inventory/{sku}", "inventory.move", set_low_at, inventory::set_low_at),
        get(MOVEMENTS, "inventory.read", list_movements, inventory::history),
        post(MOVEMENTS, "inventory.move", record_movement, inventory::record),
        post(STOCKTAKE, "inventory.move", record_stocktake, inventory::count),
        post("/api/orders", "orders.create", place_order, orders::place),
        get("/api/orders", "orders.read", list_orders, orders::list),
        get("/api/orders/{id}", "orders.read", read_order, orders::read),
        post("/api/orders/{id}/cancel", "orders.cancel", cancel_order, orders::cancel),
        get("/api/admin/users", "users.read", list_users, admin_users::list),
        patch("/api/admin/users/{id}", "users.update", change_user, admin_users::change),
        delete("/api/admin/users/{id}", "users.delete", erase_user, privacy::erase_user),
        get("/api/admin/staff", "users.read", list_staff, admin_users::staff),
        post("/api/orders/{id}/fulfil", "orders.fulfil", fulfil_order, orders::fulfil),
        post("/api/orders/{id}/ship", "orders.ship", ship_order, orders::ship),
        post("/api/orders/{id}/deliver", "orders.deliver", deliver_order, orders::deliver),
        post("/api/orders/{id}/return", "orders.return", return_order, orders::take_back),
        get("/api/orders/{id}/events", "orders.read", list_order_events, orders::history),
        post("/api/orders/{id}/payments", "payments.create", open_payment, payments::open),
        get("/api/orders/{id}/payments", "payments.read", list_payments, payments::list),
        post("/api/payments/{id}/refunds", "payments.refund", refund_payment, payments::refund),
        post("/api/webhooks/{provider}", "webhooks.receive", receive_webhook, webhooks::receive),
        get("/api/cart", "carts.read", read_cart, cart::read),
        put("/api/cart/lines/{sku}", "carts.edit", put_cart_line, cart::put),
        delete("/api/cart/lines/{sku}", "carts.edit", remove_cart_line, cart::remove),
        get("/api/admin/jobs/dead", "jobs.read", list_dead_jobs, jobs::dead),
        post("/api/admin/jobs/dead/{id}/retry", "jobs.retry", retry_dead_job, jobs::retry),
        get("/api/admin/audit", "audit.read", list_audit, audit::list),
        get("/api/admin/audit/verify", "audit.verify", verify_audit, audit::verify),
        get("/api/openapi.json", "docs.read", read_openapi, openapi::read),
        get("/api/docs", "docs.read", read_docs, openapi::readable::read),
    };
    table.extend(between_edge_and_core());
    table
}

/// What no client can reach.
fn between_edge_and_core() -> [Route; 3] {
    [
        get(JWKS, INTERNAL, "read_jwks", internal::jwks, None),
        get(REVOCATIONS, INTERNAL, "read_revocations", internal::revocations, None),
        get(READY, INTERNAL, "read_readiness", internal::ready, None),
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
        .layer(from_fn(unread::read_out))
        .with_state(app)
}

macro_rules! methods {
    ($($name:ident $method:ident $described:ident)+) => {$(
        fn $name<H, T>(
            path: &'static str,
            permission: &'static str,
            operation: &'static str,
            handler: H,
            docs: Option<fn() -> Docs>,
        ) -> Route
        where
            H: Handler<T, Arc<App>>,
            T: 'static,
        {
            let method = stringify!($method);
            let facts = RouteFacts { method, path, permission, operation };
            let handler = routing::$name(handler);
            Route { facts, method: HttpMethod::$described, handler, docs }
        }
    )+};
}

methods! {
    get GET Get
    post POST Post
    put PUT Put
    patch PATCH Patch
    delete DELETE Delete
}

async fn not_found() -> Problem {
    Problem::not_found()
}

async fn method_not_allowed() -> Problem {
    Problem::new(405, "method_not_allowed", "This path does not answer this method")
}
