//! What is written about carts, the life of an order, payments, webhooks and the outbox's jobs.

use crate::http::cart::{CartBody, CartLineBody, CartLineRequest};
use crate::http::jobs::JobBody;
use crate::http::openapi::Docs;
use crate::http::orders::{OrderEventBody, OwnedOrderBody, ReturnRequest};
use crate::http::payments::{OpenedBody, RefundBody, RefundRequest, StatementBody};
use crate::http::webhooks::ReceivedBody;

fn step(summary: &'static str) -> Docs {
    Docs::new(summary)
        .says("To say it again changes nothing.")
        .answers::<OwnedOrderBody>(200, "The order as it is now.")
        .owned()
        .finds()
        .refuses(409, &["order_state"])
}

pub(in crate::http) fn fulfil_order() -> Docs {
    step("Begin to prepare a paid order")
}

pub(in crate::http) fn ship_order() -> Docs {
    step("Send an order that is prepared")
}

pub(in crate::http) fn deliver_order() -> Docs {
    step("Note that an order has arrived")
}

pub(in crate::http) fn return_order() -> Docs {
    step("Take a paid order back").takes::<ReturnRequest>()
}

pub(in crate::http) fn list_order_events() -> Docs {
    Docs::new("List every move of an order, in their order")
        .answers_page::<OrderEventBody>("All of them; `next` is always `null`.")
        .owned()
        .finds()
}

pub(in crate::http) fn open_payment() -> Docs {
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
}

pub(in crate::http) fn list_payments() -> Docs {
    Docs::new("List the payments of an order, oldest first")
        .answers_page::<StatementBody>("All of them; `next` is always `null`.")
        .owned()
        .finds()
}

pub(in crate::http) fn refund_payment() -> Docs {
    Docs::new("Give a part of a payment back, or all that is left")
        .takes::<RefundRequest>()
        .answers::<RefundBody>(201, "The refund; the provider is being asked.")
        .keyed()
        .owned()
        .finds()
        .refuses(409, &["refund_too_large", "too_many_refunds"])
}

pub(in crate::http) fn receive_webhook() -> Docs {
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
}

pub(in crate::http) fn read_cart() -> Docs {
    Docs::new("Read one's own cart")
        .answers::<CartBody>(200, "The cart, beside what everything costs now.")
        .own_name()
}

pub(in crate::http) fn put_cart_line() -> Docs {
    Docs::new("Put so many units of a SKU into one's own cart")
        .says("Instead of as many as there were, at the price of now. Nothing is held by it.")
        .takes::<CartLineRequest>()
        .answers::<CartLineBody>(200, "The line.")
        .own_name()
        .finds()
        .refuses(409, &["cart_full"])
}

pub(in crate::http) fn remove_cart_line() -> Docs {
    Docs::new("Take a SKU out of one's own cart")
        .answers_nothing("It is not there any more.")
        .own_name()
        .finds()
}

pub(in crate::http) fn list_dead_jobs() -> Docs {
    Docs::new("List jobs that wait for a person, newest first")
        .paged()
        .answers_page::<JobBody>("A page of dead jobs.")
}

pub(in crate::http) fn retry_dead_job() -> Docs {
    Docs::new("Have a dead job tried again").answers_nothing("It is due now.").finds()
}
