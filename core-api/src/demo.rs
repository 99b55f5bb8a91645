//! Something to try things out with: a few accounts and a small catalog.
//!
//! Seeding goes through the ordinary operations and leaves alone what is already there.
//! Demo accounts are marked as such in the database.

use crate::accounts::{self, NotARegistration, Password, RegisterError, Registration, TotpSecret};
use crate::app::App;
use crate::catalog::{self, NewProduct, NotOffers, Offers, PublishError, TextError};
use crate::inventory::{self, ByHand, NewMovement, NotAQuantity, Quantity, RecordError};
use crate::money::{Currency, Money};
use crate::sku::{NotASku, Sku};
use crate::store::StoreError;
use crate::writer::WriteError;

/// An account to be seeded.
#[derive(Clone)]
pub struct DemoAccount {
    /// 3 to 32 letters and digits.
    pub username: String,
    /// Under the rules of every password.
    pub password: String,
    /// A role of the policy.
    pub role: String,
    /// The secret of its second factor in base 32, if it has one.
    pub totp_secret: Option<String>,
}

impl std::fmt::Debug for DemoAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoAccount").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why the demo could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot seed the demo: {0}")]
pub struct SeedError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("account `{username}`: {why}")]
    Account { username: String, why: NotARegistration },
    #[error("account `{0}`: `totp_secret` must be 16 to 64 bytes in base 32")]
    TotpSecret(String),
    #[error("could not give account `{username}` its second factor")]
    Factor { username: String, source: WriteError },
    #[error("could not register account `{username}`")]
    Register { username: String, source: RegisterError },
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Receive(#[from] RecordError),
    #[error("could not look for what is there")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sku(#[from] NotASku),
    #[error(transparent)]
    Quantity(#[from] NotAQuantity),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Offers(#[from] NotOffers),
}

/// Seeds accounts and products that are not there yet.
pub(crate) async fn seed(app: &App, accounts: &[DemoAccount]) -> Result<(), SeedError> {
    for account in accounts {
        seed_account(app, account).await?;
    }
    for product in &CATALOG {
        seed_product(app, product).await?;
    }
    Ok(())
}

async fn seed_account(app: &App, account: &DemoAccount) -> Result<(), Cause> {
    let username = account.username.clone();
    let password = Password::from(account.password.clone());
    let wanted = match Registration::demo(&account.username, password, &account.role) {
        Ok(wanted) => wanted,
        Err(why) => return Err(Cause::Account { username, why }),
    };
    let folded = wanted.username().folded();
    if app.store.credentials(&folded).await?.is_none() {
        match accounts::register(app, wanted).await {
            Ok(_) | Err(RegisterError::Taken) => {}
            Err(source) => return Err(Cause::Register { username, source }),
        }
    }
    let (Some(secret), Some(known)) = (&account.totp_secret, app.store.credentials(&folded).await?)
    else {
        return Ok(());
    };
    let secret = TotpSecret::parse(secret).ok_or_else(|| Cause::TotpSecret(username.clone()))?;
    let given = accounts::give_factor(app, known.id, secret).await;
    given.map_err(|source| Cause::Factor { username, source })
}

async fn seed_product(app: &App, product: &DemoProduct) -> Result<(), Cause> {
    let mut offers = Vec::new();
    for (sku, price_minor, _) in product.skus {
        let price = Money { minor: *price_minor, currency: Currency::EUR };
        offers.push((Sku::parse(sku)?, price));
    }
    let new = NewProduct {
        id: app.ids.next(app.clock.now()),
        name: product.name.to_owned().try_into()?,
        description: product.description.to_owned().try_into()?,
        category: None,
        offers: Offers::collect(offers.into_iter())?,
    };
    match catalog::publish(app, new).await {
        // Whatever became of it since, it is not published twice.
        Ok(()) | Err(PublishError::SkuTaken(_)) => {}
        Err(error) => return Err(error.into()),
    }
    for (sku, _, units) in product.skus {
        seed_stock(app, Sku::parse(sku)?, Quantity::try_from(*units)?).await?;
    }
    Ok(())
}

/// Only for a SKU that never had stock: what was sold since is not sold again.
async fn seed_stock(app: &App, sku: Sku, quantity: Quantity) -> Result<(), Cause> {
    if app.store.has_moved(&sku).await? {
        return Ok(());
    }
    let change = ByHand::Receive { quantity, note: None };
    inventory::record(app, NewMovement { sku, change, account: None, claim: None }).await?;
    Ok(())
}

struct DemoProduct {
    name: &'static str,
    description: &'static str,
    /// SKU, price in cents, units.
    skus: &'static [(&'static str, i64, u32)],
}

const CATALOG: [DemoProduct; 6] = [
    DemoProduct {
        name: "Desk lamp",
        description: "An adjustable lamp with a warm light.",
        skus: &[("LAMP-BLACK", 4_990, 120), ("LAMP-BRASS", 6_490, 40)],
    },
    DemoProduct {
        name: "Oak chair",
        description: "A solid chair, oiled, made to be repaired.",
        skus: &[("CHAIR-OAK", 18_900, 25)],
    },
    DemoProduct {
        name: "Wool blanket",
        description: "Woven from undyed wool.",
        skus: &[("BLANKET-GREY", 7_900, 60), ("BLANKET-WHITE", 7_900, 60)],
    },
    DemoProduct {
        name: "Stoneware mug",
        description: "Holds a third of a litre.",
        skus: &[("MUG-BLUE", 1_450, 500), ("MUG-SAND", 1_450, 500)],
    },
    DemoProduct {
        name: "Notebook",
        description: "192 pages that lie flat.",
        skus: &[("NOTEBOOK-A5", 1_290, 1_000)],
    },
    DemoProduct {
        name: "Numbered print",
        description: "One of ten.",
        skus: &[("PRINT-10", 12_000, 10)],
    },
];
