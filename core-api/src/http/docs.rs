//! What is written in the interface's description about every operation.
//!
//! An operation's function here has the operation's name in the route table.

mod paying;

pub(super) use paying::{
    deliver_order, fulfil_order, list_dead_jobs, list_order_events, list_payments, open_payment,
    put_cart_line, read_cart, receive_webhook, refund_payment, remove_cart_line, retry_dead_job,
    return_order, ship_order,
};

use super::accounts::{
    AccountBody, ChangePasswordRequest, ForgotPasswordRequest, RegisterRequest, RegisteredBody,
    SetPasswordRequest, VerifyEmailRequest,
};
use super::admin_users::{UserBody, UserRequest};
use super::catalog::{EditRequest, ProductBody, ProductRequest};
use super::categories::{CategoryBody, CategoryRequest};
use super::factors::{ConfirmRequest, EnrolmentBody, MfaRequest, RecoveryCodesBody};
use super::inventory::{
    EntryBody, MovementRequest, ReceiptBody, StockBody, StocktakeRequest, ThresholdRequest,
};
use super::openapi::{Docs, flag};
use super::orders::{OrderBody, OrderRequest, OwnedOrderBody};
use super::sessions::{RefreshForm, TokenBody, TokenForm};
use super::skus::{PriceRequest, SkuBody, SkuRequest};
use utoipa::PartialSchema as _;

use crate::ids::CategoryId;

const ETAG: &str = "The version, for `If-Match`. It stays while only what is available changes.";
const LOCATION: &str = "Where it is.";
const BELOW_RESERVED: &str = "What is reserved stays on hand: where less would be left, nothing \
    changes, and 409 `below_reserved` says how much is `reserved`, how much is `missing`, and \
    which `orders` hold that, the newest first, for it loses first: `id`, `state`, `quantity` and \
    `expires_at` of at most 50, and `more_orders` where there are more. The way on is to cancel \
    them and to repeat the request under its key.";

pub(super) fn register() -> Docs {
    Docs::new("Register as a customer")
        .says(
            "A message asks to prove the address; nothing else waits for that. A password has 12 \
             to 256 characters and is none of those guessed first.",
        )
        .takes::<RegisterRequest>()
        .answers::<RegisteredBody>(201, "The account.")
        .refuses(409, &["account_exists"])
        .writes()
}

pub(super) fn issue_token() -> Docs {
    Docs::new("Log in")
        .says(
            "The resource owner password grant of RFC 6749, 4.3. An account with a second factor \
             is answered 403 `mfa_required`, with two members more: `mfa_token`, which \
             `POST /api/auth/mfa` takes together with a code, and `expires_in`, its life in \
             seconds. After five failures in a row nothing is tried under a user name for a \
             while, whether or not there is such an account: 429 `login_locked`.",
        )
        .takes_form::<TokenForm>()
        .answers::<TokenBody<'_>>(200, "An access token, and what refreshes it.")
        .refuses_as_oauth(&["invalid_grant", "invalid_token_request", "unsupported_grant_type"])
        .refuses(403, &["mfa_required"])
        .throttled()
        .writes()
}

pub(super) fn prove_factor() -> Docs {
    Docs::new("Show a second factor")
        .says(
            "With the `mfa_token` of a login, or with the refresh token of a session that needs \
             a fresh second factor (RFC 9470); that token is spent, and its next one answered. \
             The access token says `amr: [\"pwd\", \"otp\", \"mfa\"]`, and its `auth_time` is \
             now.",
        )
        .takes::<MfaRequest>()
        .answers::<TokenBody<'_>>(200, "An access token, and what refreshes it.")
        .refuses(400, &["wrong_code", "mfa_token_invalid"])
        .refuses(409, &["factor_missing"])
        .throttled()
        .writes()
}

pub(super) fn begin_totp() -> Docs {
    Docs::new("Begin to enrol a second factor")
        .says(
            "The secret is shown once, and counts from its first code on. The session must be \
             ten minutes old at most, or its second factor where there is one.",
        )
        .answers::<EnrolmentBody>(201, "The secret (RFC 6238: SHA-1, six digits, 30 seconds).")
        .secured()
}

pub(super) fn confirm_totp() -> Docs {
    Docs::new("Confirm a second factor by its first code")
        .says("The session's next access token tells of the second factor.")
        .takes::<ConfirmRequest>()
        .answers::<RecoveryCodesBody>(200, "Ten ways in without the app, each good once.")
        .refuses(400, &["wrong_code"])
        .refuses(409, &["nothing_to_confirm"])
        .throttled()
        .secured()
}

pub(super) fn disable_totp() -> Docs {
    Docs::new("Take the second factor off")
        .answers_nothing("There is none any more.")
        .refuses(409, &["factor_missing"])
        .secured()
}

pub(super) fn renew_recovery_codes() -> Docs {
    Docs::new("Renew the recovery codes")
        .answers::<RecoveryCodesBody>(200, "The codes; those from before are worth nothing.")
        .refuses(409, &["factor_missing"])
        .secured()
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

pub(super) fn forgot_password() -> Docs {
    Docs::new("Ask for a link to set a password")
        .says(
            "Answered at once and the same, whether or not an account has the address. The link \
             is good for half an hour, and once.",
        )
        .takes::<ForgotPasswordRequest>()
        .accepts("If there is such an account, a message is on its way.")
        .writes()
}

pub(super) fn verify_email() -> Docs {
    Docs::new("Prove an address by a one-time link")
        .takes::<VerifyEmailRequest>()
        .answers_nothing("The address is proved.")
        .refuses(400, &["link_invalid"])
        .finds()
        .writes()
}

pub(super) fn send_email_proof() -> Docs {
    Docs::new("Ask for another link to prove one's address")
        .accepts("A message is on its way, unless the address is proved or three wait already.")
        .own_name()
        .finds()
        .writes()
}

pub(super) fn change_password() -> Docs {
    Docs::new("Change one's password")
        .says(
            "Every other session ends, and no access token that was issued is believed any more: \
             refresh this session's. Eight characters are enough beside a second factor.",
        )
        .takes::<ChangePasswordRequest>()
        .answers_nothing("The password is changed.")
        .own_name()
        .finds()
        .refuses(400, &["wrong_password"])
        .refuses(403, &["session_needed"])
        .throttled()
        .writes()
}

pub(super) fn list_users() -> Docs {
    Docs::new("List accounts, oldest first").paged().answers_page::<UserBody>("A page of accounts.")
}

pub(super) fn list_staff() -> Docs {
    Docs::new("List accounts above customers, oldest first")
        .paged()
        .answers_page::<UserBody>("A page of accounts.")
}

pub(super) fn change_user() -> Docs {
    Docs::new("Change an account's role, disable it, or end its sessions")
        .says(
            "What is left out stays. A change of role, and what ends sessions, makes the access \
             tokens that were issued worthless. There is always a super-admin who can log in.",
        )
        .takes::<UserRequest>()
        .answers::<UserBody>(200, "The account as it is now.")
        .finds()
        .refuses(409, &["last_super_admin"])
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
        .writes()
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
        .writes()
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

pub(super) fn read_openapi() -> Docs {
    Docs::new("Read this description").answers_json("OpenAPI 3.1.")
}

pub(super) fn read_docs() -> Docs {
    Docs::new("Read this description as a page").answers_media(
        &["text/html; charset=utf-8"],
        "One page without scripts or anything else to fetch.",
    )
}
