//! What is written in the interface's description about every operation.
//!
//! An operation's function here has the operation's name in the route table.

mod paying;
mod people;

pub(super) use paying::{
    deliver_order, fulfil_order, list_dead_jobs, list_order_events, list_payments, open_payment,
    put_cart_line, read_cart, receive_webhook, refund_payment, remove_cart_line, retry_dead_job,
    return_order, ship_order,
};

use super::audit::{ActBody, ProofBody};
use super::catalog::{EditRequest, ProductBody, ProductRequest};
use super::categories::{CategoryBody, CategoryRequest};
use super::images::{ImageBody, ImageForm};
use super::inventory::{
    EntryBody, MovementRequest, ReceiptBody, StockBody, StocktakeRequest, ThresholdRequest,
};
use super::openapi::{Docs, chars, flag, moment, text, whole, word, words};
use super::orders::{OrderBody, OrderRequest, OwnedOrderBody};
use super::skus::{PriceRequest, SkuBody, SkuRequest};
pub(super) use people::{
    begin_totp, change_consents, change_password, change_user, confirm_totp, disable_totp,
    erase_me, erase_user, export_me, forgot_password, issue_token, list_consents, list_staff,
    list_users, log_out, prove_factor, read_me, rectify_me, refresh_token, register,
    renew_recovery_codes, send_email_proof, set_password, verify_email,
};
use utoipa::PartialSchema as _;

use crate::audit::Action;
use crate::catalog::SEARCH_CHARS_MAX;
use crate::ids::CategoryId;
use crate::money::{Currency, PRICE_MINOR_MAX};

const ETAG: &str = "The version, for `If-Match`. It stays while only what is available changes.";
const LOCATION: &str = "Where it is.";
const BELOW_RESERVED: &str = "What is reserved stays on hand: where less would be left, nothing \
    changes, and 409 `below_reserved` says how much is `reserved`, how much is `missing`, and \
    which `orders` hold that, the newest first, for it loses first: `id`, `state`, `quantity` and \
    `expires_at` of at most 50, and `more_orders` where there are more. The way on is to cancel \
    them and to repeat the request under its key.";

pub(super) fn list_products() -> Docs {
    Docs::new("List products, oldest first")
        .paged()
        .query("category", CategoryId::schema(), "Only products of this category.")
        .query("q", chars(1, SEARCH_CHARS_MAX), "Only names that hold this, in any case.")
        .query("price_min", whole(0, PRICE_MINOR_MAX, None), "Only with a SKU that costs no less.")
        .query("price_max", whole(0, PRICE_MINOR_MAX, None), "Only with a SKU that costs no more.")
        .query("currency", Currency::schema(), "Only with a SKU sold in this currency.")
        .query("available", bool::schema(), "Only with a SKU that is there.")
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
}

pub(super) fn withdraw_product() -> Docs {
    Docs::new("Take a product off sale for good")
        .says("Orders and the ledger keep speaking of its SKUs; they are never given again.")
        .versioned()
        .answers_nothing("It is not found any more.")
        .finds()
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
}

pub(super) fn set_price() -> Docs {
    Docs::new("Change the price of a SKU")
        .says("Orders that are placed already keep their price.")
        .takes::<PriceRequest>()
        .answers::<SkuBody>(200, "The SKU as it is now.")
        .finds()
}

pub(super) fn list_images() -> Docs {
    Docs::new("List the images of a product")
        .answers_page::<ImageBody>("All of them, as they came; `next` is always `null`.")
        .finds()
}

pub(super) fn upload_image() -> Docs {
    Docs::new("Upload an image of a product")
        .says(
            "At most 5 MiB and 4000 by 4000 pixels, not animated, and 12 for each product. It is \
             decoded and written anew: metadata and whatever else is in the file are gone. A \
             WebP photograph becomes a JPEG.",
        )
        .takes_image::<ImageForm>()
        .answers::<ImageBody>(201, "The image, with links that are good for an hour.")
        .finds()
        .refuses(408, &["upload_timeout"])
        .refuses(409, &["too_many_images"])
        .refuses(422, &["image_type_mismatch", "image_dimensions", "image_animated"])
        .refuses(422, &["image_invalid", "image_infected"])
        .refuses(503, &["image_service_unavailable"])
}

pub(super) fn remove_image() -> Docs {
    Docs::new("Remove an image of a product").answers_nothing("It is not shown any more.").finds()
}

pub(super) fn read_image() -> Docs {
    Docs::new("Read an image")
        .says("By a link as products hold it; it is good for an hour at most.")
        .query("variant", word(&["thumbnail"]), "Left out for the image as large as it came.")
        .needs_query(
            "expires",
            whole(0, i64::MAX, None),
            "When the link ends, in seconds since 1970 UTC.",
        )
        .needs_query("signature", text(), "What makes the link one that was given out.")
        .answers_media(&["image/jpeg", "image/png", "image/webp"], "The image.")
        .header("Content-Disposition", "A name for the file.")
        .header("X-Content-Type-Options", "`nosniff`.")
        .finds()
        .refuses(403, &["image_link_invalid", "image_link_expired"])
        .refuses(503, &["image_service_unavailable"])
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
}

pub(super) fn close_category() -> Docs {
    Docs::new("Close a category that holds no product")
        .answers_nothing("It is gone.")
        .finds()
        .refuses(409, &["category_in_use"])
}

pub(super) fn list_inventory() -> Docs {
    Docs::new("List stock, by SKU")
        .paged()
        .query("low", flag(), "`true` for that alone which is low.")
        .answers_page::<StockBody>("A page of stock.")
}

pub(super) fn set_low_at() -> Docs {
    Docs::new("Say when a SKU is low")
        .takes::<ThresholdRequest>()
        .answers::<StockBody>(200, "The stock, and when it is low.")
        .finds()
}

pub(super) fn list_movements() -> Docs {
    Docs::new("List the ledger of a SKU, newest first")
        .paged()
        .answers_page::<EntryBody>("A page of movements.")
        .finds()
}

pub(super) fn record_movement() -> Docs {
    Docs::new("Record what arrived, or that there is more or less")
        .says(BELOW_RESERVED)
        .takes::<MovementRequest>()
        .answers::<ReceiptBody>(201, "The movement, and what is on hand after it.")
        .keyed()
        .own_name()
        .finds()
        .refuses(409, &["below_reserved"])
}

pub(super) fn record_stocktake() -> Docs {
    Docs::new("Record what counting found")
        .says(BELOW_RESERVED)
        .takes::<StocktakeRequest>()
        .answers::<ReceiptBody>(201, "The movement, which is the difference, if only 0.")
        .keyed()
        .own_name()
        .finds()
        .refuses(409, &["below_reserved"])
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
}

pub(super) fn list_audit() -> Docs {
    Docs::new("List who did what, newest first")
        .says(
            "Every change, every login and every try that was refused, with the id of the edge's \
             decision record. Looking is told as well: what cannot be told is not shown.",
        )
        .query("actor", text(), "An account's id, or who else acted.")
        .query("action", words(Action::ALL.iter().map(|one| one.as_str())), "What was done.")
        .query("object", CategoryId::schema(), "The id of what it was done to.")
        .query("since", moment(), "Not before this moment.")
        .query("until", moment(), "Before this moment.")
        .paged()
        .answers_page::<ActBody>("A page of acts.")
}

pub(super) fn verify_audit() -> Docs {
    Docs::new("Prove the end of the audit trail")
        .says(
            "The hashes and signatures since the sixtieth checkpoint from the end, for five \
             seconds at most. `stockade audit verify` proves all of it, and holds it against what \
             was told outside the database.",
        )
        .answers::<ProofBody>(200, "What was proved, and what contradicts it.")
}

pub(super) fn read_openapi() -> Docs {
    Docs::of_program("Read this description").answers_json("OpenAPI 3.1.")
}

pub(super) fn read_docs() -> Docs {
    Docs::of_program("Read this description as a page").answers_media(
        &["text/html; charset=utf-8"],
        "One page without scripts or anything else to fetch.",
    )
}
