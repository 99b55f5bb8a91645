//! What is written about accounts: joining, logging in, second factors, one's own data, and the
//! accounts of others.

use crate::http::accounts::{
    AccountBody, ChangePasswordRequest, ForgotPasswordRequest, RegisterRequest, RegisteredBody,
    SetPasswordRequest, VerifyEmailRequest,
};
use crate::http::admin_users::{UserBody, UserRequest};
use crate::http::export::ExportBody;
use crate::http::factors::{ConfirmRequest, EnrolmentBody, MfaRequest, RecoveryCodesBody};
use crate::http::openapi::Docs;
use crate::http::privacy::{ConsentsBody, ConsentsRequest, ErasedBody, RectifyRequest};
use crate::http::sessions::{RefreshForm, TokenBody, TokenForm};

pub(in crate::http) fn register() -> Docs {
    Docs::new("Register as a customer")
        .says(
            "A message asks to prove the address; nothing else waits for that. A password has 12 \
             to 256 characters and is none of those guessed first.",
        )
        .takes::<RegisterRequest>()
        .answers::<RegisteredBody>(201, "The account.")
        .refuses(409, &["account_exists"])
}

pub(in crate::http) fn issue_token() -> Docs {
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
}

pub(in crate::http) fn prove_factor() -> Docs {
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
}

pub(in crate::http) fn begin_totp() -> Docs {
    Docs::new("Begin to enrol a second factor")
        .says(
            "The secret is shown once, and counts from its first code on. The session must be \
             ten minutes old at most, or its second factor where there is one.",
        )
        .answers::<EnrolmentBody>(201, "The secret (RFC 6238: SHA-1, six digits, 30 seconds).")
        .secured()
}

pub(in crate::http) fn confirm_totp() -> Docs {
    Docs::new("Confirm a second factor by its first code")
        .says("The session's next access token tells of the second factor.")
        .takes::<ConfirmRequest>()
        .answers::<RecoveryCodesBody>(200, "Ten ways in without the app, each good once.")
        .refuses(400, &["wrong_code"])
        .refuses(409, &["nothing_to_confirm"])
        .throttled()
        .secured()
}

pub(in crate::http) fn disable_totp() -> Docs {
    Docs::new("Take the second factor off")
        .answers_nothing("There is none any more.")
        .refuses(409, &["factor_missing"])
        .secured()
}

pub(in crate::http) fn renew_recovery_codes() -> Docs {
    Docs::new("Renew the recovery codes")
        .answers::<RecoveryCodesBody>(200, "The codes; those from before are worth nothing.")
        .refuses(409, &["factor_missing"])
        .secured()
}

pub(in crate::http) fn refresh_token() -> Docs {
    Docs::new("Refresh an access token")
        .says(
            "The refresh token grant of RFC 6749, 6. A refresh token is good once, and its \
             answer brings the next. One that is shown twice, even at the same time, ends its \
             session: log in again.",
        )
        .takes_form::<RefreshForm>()
        .answers::<TokenBody<'_>>(200, "The next tokens of the session.")
        .refuses_as_oauth(&["invalid_grant", "invalid_token_request", "unsupported_grant_type"])
}

pub(in crate::http) fn log_out() -> Docs {
    Docs::new("Log out")
        .says("Ends the session that the access token belongs to.")
        .answers_nothing("The session is over.")
        .own_name()
        .refuses(403, &["session_needed"])
}

pub(in crate::http) fn set_password() -> Docs {
    Docs::new("Set a password by a one-time link")
        .says("Every session of the account ends.")
        .takes::<SetPasswordRequest>()
        .answers_nothing("The password is set, and the link is spent.")
        .refuses(400, &["link_invalid"])
}

pub(in crate::http) fn forgot_password() -> Docs {
    Docs::new("Ask for a link to set a password")
        .says(
            "Answered at once and the same, whether or not an account has the address. The link \
             is good for half an hour, and once.",
        )
        .takes::<ForgotPasswordRequest>()
        .accepts("If there is such an account, a message is on its way.")
}

pub(in crate::http) fn verify_email() -> Docs {
    Docs::new("Prove an address by a one-time link")
        .takes::<VerifyEmailRequest>()
        .answers_nothing("The address is proved.")
        .refuses(400, &["link_invalid"])
        .finds()
}

pub(in crate::http) fn send_email_proof() -> Docs {
    Docs::new("Ask for another link to prove one's address")
        .accepts("A message is on its way, unless the address is proved or three wait already.")
        .own_name()
        .finds()
}

pub(in crate::http) fn change_password() -> Docs {
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
}

pub(in crate::http) fn list_users() -> Docs {
    Docs::new("List accounts, oldest first").paged().answers_page::<UserBody>("A page of accounts.")
}

pub(in crate::http) fn list_staff() -> Docs {
    Docs::new("List accounts above customers, oldest first")
        .paged()
        .answers_page::<UserBody>("A page of accounts.")
}

pub(in crate::http) fn change_user() -> Docs {
    Docs::new("Change an account's role, disable it, or end its sessions")
        .says(
            "What is left out stays. A change of role, and what ends sessions, makes the access \
             tokens that were issued worthless. There is always a super-admin who can log in.",
        )
        .takes::<UserRequest>()
        .answers::<UserBody>(200, "The account as it is now.")
        .finds()
        .refuses(409, &["last_super_admin"])
}

pub(in crate::http) fn read_me() -> Docs {
    Docs::new("Read one's own account")
        .answers::<AccountBody>(200, "The caller's account.")
        .header("ETag", "The version, for `If-Match`.")
        .own_name()
        .finds()
}

pub(in crate::http) fn rectify_me() -> Docs {
    Docs::new("Put right what is kept of oneself")
        .says(
            "What is left out stays. Another e-mail address is the account's once the link that \
             is sent there was opened, which `POST /api/auth/email/verify` does; the address \
             before it is told at once. To ask for one, the session must be fresh.",
        )
        .takes::<RectifyRequest>()
        .versioned()
        .answers::<AccountBody>(200, "The account as it is now.")
        .header("ETag", "The version, for `If-Match`.")
        .finds()
        .refuses(409, &["email_taken", "links_waiting"])
        .secured()
}

pub(in crate::http) fn erase_me() -> Docs {
    Docs::new("Erase one's account")
        .says(
            "For good: the key to everything confidential is deleted. Every session ends, and \
             name and address are free again. Orders stay for the books, under an id that names \
             nobody. The session must be fresh.",
        )
        .answers::<ErasedBody>(200, "The account is no more; what stays, and why.")
        .finds()
        .refuses(409, &["orders_open", "last_super_admin"])
        .secured()
}

pub(in crate::http) fn erase_user() -> Docs {
    Docs::new("Erase somebody's account")
        .says("As its owner would with `DELETE /api/me`.")
        .answers::<ErasedBody>(200, "The account is no more; what stays, and why.")
        .finds()
        .refuses(409, &["orders_open", "last_super_admin"])
}

pub(in crate::http) fn export_me() -> Docs {
    Docs::new("Export everything that is kept of oneself")
        .says(
            "It is written while it is sent. The session must be fresh. Left out are secrets, such \
             as a second factor's, and the audit trail, which knows people by an id alone.",
        )
        .answers::<ExportBody>(200, "All of it, as JSON.")
        .header("Content-Disposition", "A file to be kept.")
        .finds()
        .secured()
}

pub(in crate::http) fn list_consents() -> Docs {
    Docs::new("Read what one agreed to")
        .answers::<ConsentsBody>(200, "How each purpose stands, and the history.")
        .own_name()
}

pub(in crate::http) fn change_consents() -> Docs {
    Docs::new("Agree to something, or take it back")
        .says(
            "What is not named stays as it is. The history is added to and never changed; what \
             stands already is not noted again.",
        )
        .takes::<ConsentsRequest>()
        .answers::<ConsentsBody>(200, "How each purpose stands, and the history.")
        .own_name()
        .finds()
        .refuses(409, &["consents_full"])
}
