//! Accounts: who somebody is, how they prove it, and the tokens that say so.
//!
//! | file | what |
//! |---|---|
//! | `accounts/register.rs` | a new account |
//! | `accounts/login.rs` | a password for an access token |
//! | `accounts/password.rs` | what a password must be, and how it is kept |
//! | `accounts/token.rs` | access tokens (RFC 9068) |
//! | `accounts/keys.rs` | the key that signs them |
//! | `accounts/name.rs` | user names, e-mail addresses, roles |

mod keys;
mod login;
mod name;
mod password;
mod register;
mod token;

use std::collections::BTreeSet;

pub(crate) use keys::{SigningKey, SigningKeyError};
pub(crate) use login::{LoginError, NewSession, login};
pub(crate) use name::Role;
pub(crate) use password::{HashError, Password, PasswordHash, Passwords, WeakPepper};
pub(crate) use register::{NewAccount, NotARegistration, RegisterError, Registration, register};
pub(crate) use token::TokenIssuer;

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
}

/// What a login is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) id: AccountId,
    pub(crate) role: Role,
    pub(crate) hash: PasswordHash,
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
