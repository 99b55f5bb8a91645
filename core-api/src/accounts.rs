//! Accounts: who somebody is, how they prove it, and the tokens that say so.
//!
//! | file | what |
//! |---|---|
//! | `accounts/register.rs` | a new account |
//! | `accounts/invite.rs` | a new account whose owner chooses a password by a link |
//! | `accounts/set_password.rs` | a password by such a link |
//! | `accounts/login.rs` | a password for a session and its tokens |
//! | `accounts/second_factor.rs` | a code for the same, or for a fresh second factor |
//! | `accounts/enrol.rs` | a second factor and its recovery codes, enrolled or taken off |
//! | `accounts/totp.rs`, `recovery.rs`, `code.rs` | codes of either kind |
//! | `accounts/throttle.rs` | what slows down those who guess |
//! | `accounts/book.rs` | accounts as a batch of writes sees them |
//! | `accounts/refresh.rs` | a refresh token for the next tokens |
//! | `accounts/logout.rs` | the end of a session |
//! | `accounts/sessions.rs` | sessions and their refresh tokens |
//! | `accounts/password.rs` | what a password must be, and how it is kept |
//! | `accounts/token.rs` | access tokens (RFC 9068) |
//! | `accounts/opaque.rs` | refresh tokens and links: random, kept as hashes |
//! | `accounts/keys.rs` | the key that signs them |
//! | `accounts/name.rs` | user names, e-mail addresses, roles |

mod book;
mod code;
mod enrol;
mod invite;
mod keys;
mod login;
mod logout;
mod name;
mod opaque;
mod password;
mod recovery;
mod refresh;
mod register;
mod second_factor;
mod sessions;
mod set_password;
mod throttle;
mod token;
mod totp;

use std::collections::BTreeSet;

pub(crate) use book::{AccountBook, AccountRow, AccountsWanted, Factor};
pub(crate) use code::Code;
pub(crate) use enrol::{
    EnrolError, Stale, begin_enrolment, confirm_enrolment, disable_factor, renew_recovery_codes,
};
pub(crate) use invite::{Invite, NewUser, Taken};
pub(crate) use keys::{SigningKey, SigningKeyError};
pub(crate) use login::{CHALLENGE_LIFE, LoginError, Tokens, login};
pub(crate) use logout::{Logout, logout};
pub(crate) use name::{EmailAddress, NameError, Role, Username};
pub(crate) use opaque::{NoEntropy, OpaqueToken, TokenHash};
pub(crate) use password::{HashError, Password, PasswordHash, Passwords, WeakPepper};
pub(crate) use recovery::{RecoveryCode, RecoveryDigest};
pub(crate) use refresh::{RefreshError, refresh};
pub(crate) use register::{NewAccount, NotARegistration, RegisterError, Registration, register};
pub(crate) use second_factor::{Claimant, SecondFactorError, Shown, prove};
pub(crate) use sessions::{NewSession, RefreshToken, Rotation, Session, SessionBook};
pub(crate) use set_password::{LinkOwner, NewLink, SetPasswordError, set_password};
pub(crate) use throttle::{Throttle, ThrottleKey};
pub(crate) use token::{Lives, TokenIssuer};
pub(crate) use totp::TotpCode;
pub use totp::{totp_code, totp_secret};

use crate::app::App;
use crate::ids::AccountId;
use crate::store::StoreError;

/// What an account's owner is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    /// Whether a second factor is enrolled.
    pub(crate) has_factor: bool,
}

/// What a login is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) id: AccountId,
    /// `None` for somebody who has not chosen a password yet.
    pub(crate) hash: Option<PasswordHash>,
}

/// Names that are taken, folded, as far as one batch of writes asked for them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) usernames: BTreeSet<String>,
    pub(crate) emails: BTreeSet<String>,
}

/// The account of this id, if there is one.
pub(crate) async fn find(app: &App, id: AccountId) -> Result<Option<Account>, StoreError> {
    app.store.account(id).await
}
