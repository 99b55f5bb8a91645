//! What is written in the interface's description about every operation.
//!
//! An operation's function here has the operation's name in the route table.

use super::accounts::{AccountBody, RegisterRequest, RegisteredBody, SetPasswordRequest};
use super::cart::{CartBody, CartLineBody, CartLineRequest};
use super::catalog::{EditRequest, ProductBody, ProductRequest};
use super::categories::{CategoryBody, CategoryRequest};
use super::inventory::{EntryBody, MovementRequest, ReceiptBody, StockBody};
use super::jobs::JobBody;
use super::openapi::Docs;
use super::orders::{OrderBody, OrderEventBody, OrderRequest, OwnedOrderBody, ReturnRequest};
use super::payments::{OpenedBody, RefundBody, RefundRequest, StatementBody};
use super::sessions::{RefreshForm, TokenBody, TokenForm};
use super::skus::{PriceRequest, SkuBody, SkuRequest};
use super::webhooks::ReceivedBody;
use utoipa::PartialSchema as _;

use crate::ids::CategoryId;

const ETAG: &str = "The version, for `If-Match`. It stays while only what is available changes.";
const LOCATION: &str = "Where it is.";

pub(super) fn register() -> Docs {
    Docs::new("Register as a customer")
        .takes::<RegisterRequest>()
        .answers::<RegisteredBody>(201, "The account.")
        .refuses(409, &["account_exists"])
        .writes()
}

pub(super) fn issue_token() -> Docs {
    Docs::new("Log in")
        .says("The resource owner password grant of RFC 6749, 4.3.")
        .takes_form::<TokenForm>()
        .answers::<TokenBody<'_>>(200, "An access token, and what refreshes it.")
        .refuses_as_oauth(&["invalid_grant", "invalid_token_request", "unsupported_grant_type"])
        .writes()
}

pub(super) fn refresh_token() -> Docs {
    Docs::new("Refresh an access token")
        .says(
            "The refresh token grant of RFC 6749, 6. A refresh token is good once, and its \
             answer brings the next. One that is shown twice, even at the same time, ends its \
             session: log in again.",
        )
        .takes_form::<RefreshForm>()
        .answers::<TokenBody<'_>>(200, "The next tokens of the session.")
        .refuses_as_oauth(&["invalid_grant", "invalid_token_request", "unsupported_grant_type"])
        .writes()
}

pub(super) fn log_out() -> Docs {
    Docs::new("Log out")
        .says("Ends the session that the access token belongs to.")
        .answers_nothing("The session is over.")
        .own_name()
        .refuses(403, &["session_needed"])
        .writes()
}

pub(super) fn set_password() -> Docs {
    Docs::new("Set a password by a one-time link")
        .says("Every session of the account ends.")
        .takes::<SetPasswordRequest>()
        .answers_nothing("The password is set, and the link is spent.")
        .refuses(400, &["link_invalid"])
        .writes()
}

pub(super) fn read_me() -> Docs {
    Docs::new("Read one's own account")
        .answers::<AccountBody>(200, "The caller's account.")
        .own_name()
        .finds()
}

pub(super) fn list_products() -> Docs {
    Docs::new("List products, oldest first")
        .paged()
        .query("category", CategoryId::schema(), "Only products of this category.")
        .answers_page::<ProductBody>("A page of products.")
}

pub(super) fn publish_product() -> Docs {
    Docs::new("Publish a product")
        .says("Its SKUs are sold from now on, with nothing on hand yet.")
        .takes::<ProductRequest>()
        .answers::<ProductBody>(201, "The product.")
        .header("Location", LOCATION)
        .header("ETag", ETAG)
        .finds()
        .refuses(409, &["sku_exists"])
        .refuses(422, &["unknown_category"])
        .writes()
}

pub(super) fn read_product() -> Docs {
    Docs::new("Read a product")
        .answers::<ProductBody>(200, "The product.")
        .header("ETag", ETAG)
        .finds()
}

pub(super) fn edit_product() -> Docs {
    Docs::new("Edit a product")
        .says("What is left out stays as it is.")
        .takes::<EditRequest>()
        .versioned()
        .answers::<ProductBody>(200, "The product as it is now.")
        .header("ETag", ETAG)
        .finds()
        .refuses(422, &["unknown_category"])
        .writes()
}

pub(super) fn withdraw_product() -> Docs {
    Docs::new("Take a product off sale for good")
        .says("Orders and the ledger keep speaking of its SKUs; they are never given again.")
        .versioned()
        .answers_nothing("It is not found any more.")
        .finds()
        .writes()
}

pub(super) fn list_skus() -> Docs {
    Docs::new("List the SKUs of a product")
        .answers_page::<SkuBody>("All of them; `next` is always `null`.")
        .finds()
}

pub(super) fn offer_sku() -> Docs {
    Docs::new("Offer another SKU of a product")
        .takes::<SkuRequest>()
        .answers::<SkuBody>(201, "The SKU, with nothing on hand yet.")
        .finds()
        .refuses(409, &["sku_exists"])
        .writes()
}

pub(super) fn set_price() -> Docs {
    Docs::new("Change the price of a SKU")
        .says("Orders that are placed already keep their price.")
        .takes::<PriceRequest>()
        .answers::<SkuBody>(200, "The SKU as it is now.")
        .finds()
        .writes()
}

pub(super) fn list_categories() -> Docs {
    Docs::new("List categories, oldest first")
        .paged()
        .answers_page::<CategoryBody>("A page of categories.")
}

pub(super) fn open_category() -> Docs {
    Docs::new("Open a category")
        .takes::<CategoryRequest>()
        .answers::<CategoryBody>(201, "The category.")
        .refuses(409, &["category_exists"])
        .writes()
}

pub(super) fn close_category() -> Docs {
    Docs::new("Close a category that holds no product")
        .answers_nothing("It is gone.")
        .finds()
        .refuses(409, &["category_in_use"])
        .writes()
}

pub(super) fn list_inventory() -> Docs {
    Docs::new("List stock, by SKU").paged().answers_page::<StockBody>("A page of stock.")
}

pub(super) fn list_movements() -> Docs {
    Docs::new("List the ledger of a SKU, newest first")
        .paged()
        .answers_page::<EntryBody>("A page of movements.")
        .finds()
}

pub(super) fn record_movement() -> Docs {
    Docs::new("Record what arrived, or what counting found")
        .takes::<MovementRequest>()
        .answers::<ReceiptBody>(201, "The movement, and what is on hand after it.")
        .keyed()
        .own_name()
        .finds()
        .refuses(409, &["below_reserved"])
        .writes()
}

pub(super) fn place_order() -> Docs {
    Docs::new("Place an order")
        .says(
            "Every line is held until `expires_at`, or none is. If anything costs something else \
             than was expected, nothing is ordered, and `changes` says what.",
        )
        .takes::<OrderRequest>()
        .answers::<OrderBody>(201, "The order.")
        .header("Location", LOCATION)
        .keyed()
        .own_name()
        .refuses(409, &["out_of_stock", "price_changed"])
        .refuses(422, &["unknown_sku", "cart_empty"])
        .writes()
}

pub(super) fn list_orders() -> Docs {
    Docs::new("List orders within reach, newest first")
        .paged()
        .answers_page::<OwnedOrderBody>("A page of orders.")
        .owned()
}

pub(super) fn read_order() -> Docs {
    Docs::new("Read an order within reach")
        .answers::<OwnedOrderBody>(200, "The order.")
        .owned()
        .finds()
}

pub(super) fn cancel_order() -> Docs {
    Docs::new("Cancel an order that waits for payment")
        .says("What it holds is for sale again. To cancel it again changes nothing.")
        .answers::<OwnedOrderBody>(200, "The order as it is now.")
        .owned()
        .finds()
        .refuses(409, &["order_state"])
        .writes()
}

fn step(summary: &'static str) -> Docs {
    Docs::new(summary)
        .says("To say it again changes nothing.")
        .answers::<OwnedOrderBody>(200, "The order as it is now.")
        .owned()
        .finds()
        .refuses(409, &["order_state"])
        .writes()
}

pub(super) fn fulfil_order() -> Docs {
    step("Begin to prepare a paid order")
}

pub(super) fn ship_order() -> Docs {
    step("Send an order that is prepared")
}

pub(super) fn deliver_order() -> Docs {
    step("Note that an order has arrived")
}

pub(super) fn return_order() -> Docs {
    step("Take a paid order back").takes::<ReturnRequest>()
}

pub(super) fn list_order_events() -> Docs {
    Docs::new("List every move of an order, in their order")
        .answers_page::<OrderEventBody>("All of them; `next` is always `null`.")
        .owned()
        .finds()
}

pub(super) fn open_payment() -> Docs {
    Docs::new("Open a payment for one's own order")
        .says(
            "Pay with the provider's own form and the client secret; card data never comes here. \
             The order is paid once the provider has told so.",
        )
        .answers::<OpenedBody>(201, "The payment, and what lets its owner pay.")
        .keyed()
        .own_name()
        .finds()
        .refuses(409, &["order_state", "too_many_payments"])
        .refuses(502, &["payment_refused"])
        .refuses(503, &["payments_unavailable"])
        .writes()
}

pub(super) fn list_payments() -> Docs {
    Docs::new("List the payments of an order, oldest first")
        .answers_page::<StatementBody>("All of them; `next` is always `null`.")
        .owned()
        .finds()
}

pub(super) fn refund_payment() -> Docs {
    Docs::new("Give a part of a payment back, or all that is left")
        .takes::<RefundRequest>()
        .answers::<RefundBody>(201, "The refund; the provider is being asked.")
        .keyed()
        .owned()
        .finds()
        .refuses(409, &["refund_too_large"])
        .writes()
}

pub(super) fn receive_webhook() -> Docs {
    Docs::new("Tell of a payment, as its provider")
        .says(
            "An event of Stripe's form, signed in `Stripe-Signature`. It has its effect once, \
             however often it comes; types that mean nothing here are acknowledged.",
        )
        .takes_unread()
        .answers::<ReceivedBody>(200, "The event and its effect are on disk.")
        .finds()
        .refuses(400, &["webhook_signature", "invalid_event"])
        .refuses(413, &["body_too_large"])
        .writes()
}

pub(super) fn read_cart() -> Docs {
    Docs::new("Read one's own cart")
        .answers::<CartBody>(200, "The cart, beside what everything costs now.")
        .own_name()
}

pub(super) fn put_cart_line() -> Docs {
    Docs::new("Put so many units of a SKU into one's own cart")
        .says("Instead of as many as there were, at the price of now. Nothing is held by it.")
        .takes::<CartLineRequest>()
        .answers::<CartLineBody>(200, "The line.")
        .own_name()
        .finds()
        .refuses(409, &["cart_full"])
        .writes()
}

pub(super) fn remove_cart_line() -> Docs {
    Docs::new("Take a SKU out of one's own cart")
        .answers_nothing("It is not there any more.")
        .own_name()
        .finds()
        .writes()
}

pub(super) fn list_dead_jobs() -> Docs {
    Docs::new("List jobs that wait for a person, newest first")
        .paged()
        .answers_page::<JobBody>("A page of dead jobs.")
}

pub(super) fn retry_dead_job() -> Docs {
    Docs::new("Have a dead job tried again").answers_nothing("It is due now.").finds().writes()
}

pub(super) fn read_openapi() -> Docs {
    Docs::new("Read this description").answers_json("OpenAPI 3.1.")
}
