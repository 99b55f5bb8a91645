//! `GET /api/me/export`: everything that is kept of somebody, as JSON they can take elsewhere.
//! What proves who they are is not in it, and neither is the audit trail: it tells of what they did
//! by an id alone.
//!
//! It is written piece by piece while it is sent, so it takes little memory however much there
//! is. A fault in between ends it in the middle: what was received is no JSON then.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::AccountBody;
use super::caller::Caller;
use super::cart::CartLineBody;
use super::orders::OrderBody;
use super::payments::StatementBody;
use super::privacy::ConsentBody;
use super::problem::Problem;
use crate::accounts::{self, Account, EmailAddress, Owner, SessionOf};
use crate::app::App;
use crate::audit;
use crate::ids::{AccountId, ConsentId, LetterId, OrderId, SessionId};
use crate::mail::Letter;
use crate::orders::Order;
use crate::payments::Statement;
use crate::reach::Reach;
use crate::store::{Slice, StoreError};

/// What the document is, and which version of it.
const FORMAT: &str = "stockade-export";
const VERSION: u32 = 1;

/// Things read at once.
const PIECE: u32 = 100;

/// `GET /api/me/export`.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Problem> {
    let owner = Owner { account: caller.owner()?, session: caller.session()? };
    accounts::prove_fresh(&app, owner).await??;
    let found = accounts::find(&app, owner.account).await?.ok_or_else(Problem::not_found)?;
    audit::exported(&app, owner.account).await?;
    let to_prove = app.store.emails_to_prove(owner.account).await?;
    let account = OwnAccountBody::from((found, to_prove));
    let account = serde_json::to_string(&account).map_err(Problem::internal)?;
    let now = app.clock.now().to_rfc3339();
    let head = format!(
        "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{now}\",\
         \"account\":{account},\"consents\":["
    );
    let writer = Export { app, account: owner.account, part: Part::Head(head), is_first: true };
    let pieces = stream::try_unfold(writer, |writer| async move { writer.next().await });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"export.json\""),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// An export that is being written.
struct Export {
    app: Arc<App>,
    account: AccountId,
    part: Part,
    /// Whether nothing of the present list was written yet.
    is_first: bool,
}

/// What is written next.
enum Part {
    Head(String),
    Consents(Option<ConsentId>),
    Sessions(Option<SessionId>),
    Cart,
    Orders(Option<OrderId>),
    Messages(Option<LetterId>),
    End,
}

/// A piece of a list: the items, and where the next begins unless it is over.
struct Piece<K> {
    items: Vec<String>,
    after: Option<K>,
}

impl Export {
    /// The next piece, and what is left after it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, StoreError> {
        let part = std::mem::replace(&mut self.part, Part::End);
        let text = match part {
            Part::Head(head) => {
                self.part = Part::Consents(None);
                head
            }
            Part::Consents(after) => {
                let found = self.app.store.consents(self.account, &slice(after)).await?;
                let piece = piece(found, |consent| consent.id, ConsentBody::from)?;
                self.go_on(piece, Part::Consents, ("],\"sessions\":[", Part::Sessions(None)))
            }
            Part::Sessions(after) => {
                let found = self.app.store.sessions_of(self.account, &slice(after)).await?;
                let piece = piece(found, |session| session.id, SessionBody::from)?;
                self.go_on(piece, Part::Sessions, ("],\"cart\":[", Part::Cart))
            }
            Part::Cart => {
                // A cart is bounded, and less than a piece of the others.
                let lines = self.app.store.cart(self.account).await?.into_iter();
                let lines = lines.map(|shown| CartLineBody::from((shown.sku, shown.line)));
                let piece = Piece { items: texts(lines)?, after: None::<OrderId> };
                self.go_on(piece, Part::Orders, ("],\"orders\":[", Part::Orders(None)))
            }
            Part::Orders(after) => {
                let reach = Reach::Own(self.account);
                let found = self.app.store.orders(reach, &slice(after)).await?;
                let mut paid = Vec::new();
                for order in found {
                    let payments = self.app.store.payments(order.id).await?;
                    paid.push((order, payments));
                }
                let piece = piece(paid, |(order, _)| order.id, PaidOrderBody::from)?;
                self.go_on(piece, Part::Orders, ("],\"messages\":[", Part::Messages(None)))
            }
            Part::Messages(after) => {
                let found = self.app.store.letters_of(self.account, &slice(after)).await?;
                let piece = piece(found, |letter| letter.id, MessageBody::from)?;
                self.go_on(piece, Part::Messages, ("]}\n", Part::End))
            }
            Part::End => return Ok(None),
        };
        Ok(Some((Bytes::from(text), self)))
    }

    /// Writes a piece of a list; where the list is over, also what comes behind it.
    fn go_on<K>(
        &mut self,
        piece: Piece<K>,
        same: impl Fn(Option<K>) -> Part,
        (behind, next): (&str, Part),
    ) -> String {
        let mut text = String::new();
        for item in piece.items {
            if !std::mem::take(&mut self.is_first) {
                text.push(',');
            }
            text.push_str(&item);
        }
        match piece.after {
            Some(after) => self.part = same(Some(after)),
            None => {
                text.push_str(behind);
                self.is_first = true;
                self.part = next;
            }
        }
        text
    }
}

fn slice<K>(after: Option<K>) -> Slice<K> {
    Slice { after, limit: PIECE }
}

fn piece<T, K, B: Serialize>(
    found: Vec<T>,
    key: impl Fn(&T) -> K,
    body: impl Fn(T) -> B,
) -> Result<Piece<K>, StoreError> {
    let is_full = found.len() >= usize::try_from(PIECE).unwrap_or(usize::MAX);
    let after = found.last().filter(|_| is_full).map(key);
    Ok(Piece { items: texts(found.into_iter().map(body))?, after })
}

fn texts(bodies: impl Iterator<Item = impl Serialize>) -> Result<Vec<String>, StoreError> {
    let texts = bodies.map(|body| serde_json::to_string(&body)).collect::<Result<_, _>>();
    texts.map_err(|_| StoreError::Unreadable("row"))
}

/// Everything that is kept of somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportBody {
    /// Always `stockade-export`.
    format: String,
    /// Of this document's shape: 1.
    version: u32,
    #[schema(format = DateTime)]
    exported_at: String,
    account: OwnAccountBody,
    /// Everything that was agreed to or taken back, in its order.
    consents: Vec<ConsentBody>,
    sessions: Vec<SessionBody>,
    cart: Vec<CartLineBody>,
    /// Newest first.
    orders: Vec<PaidOrderBody>,
    /// That wait to be sent; of those that were, nothing is kept.
    messages: Vec<MessageBody>,
}

/// An order, and what was paid for it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PaidOrderBody {
    #[serde(flatten)]
    order: OrderBody,
    payments: Vec<StatementBody>,
}

impl From<(Order, Vec<Statement>)> for PaidOrderBody {
    fn from((order, payments): (Order, Vec<Statement>)) -> Self {
        let payments = payments.into_iter().map(StatementBody::from).collect();
        Self { order: OrderBody::from(order), payments }
    }
}

/// An account with all that is kept of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnAccountBody {
    #[serde(flatten)]
    account: AccountBody,
    disabled: bool,
    #[schema(format = DateTime)]
    created_at: String,
    /// Addresses that were asked for in place of `email`, and whose links are kept.
    emails_to_prove: Vec<String>,
}

impl From<(Account, Vec<EmailAddress>)> for OwnAccountBody {
    fn from((account, to_prove): (Account, Vec<EmailAddress>)) -> Self {
        let (disabled, created_at) = (account.disabled, account.created_at.to_rfc3339());
        let emails_to_prove = to_prove.iter().map(|email| email.as_str().to_owned()).collect();
        Self { account: AccountBody::from(account), disabled, created_at, emails_to_prove }
    }
}

/// A session: a login and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionBody {
    id: SessionId,
    #[schema(format = DateTime)]
    began_at: String,
    #[schema(format = DateTime)]
    ends_at: String,
    /// When it was ended before its time.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// When a second factor was last shown in it.
    #[schema(format = DateTime)]
    second_factor_at: Option<String>,
}

impl From<SessionOf> for SessionBody {
    fn from(session: SessionOf) -> Self {
        Self {
            id: session.id,
            began_at: session.began_at.to_rfc3339(),
            ends_at: session.ends_at.to_rfc3339(),
            ended_at: session.ended_at.map(|at| at.to_rfc3339()),
            second_factor_at: session.second_factor_at.map(|at| at.to_rfc3339()),
        }
    }
}

/// A message that waits. What it says is not in it: it carries a link that is good once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageBody {
    id: LetterId,
    to: Option<String>,
    subject: Option<String>,
    attempts: u32,
}

impl From<Letter> for MessageBody {
    fn from(letter: Letter) -> Self {
        let Letter { id, message, attempts, .. } = letter;
        let (to, subject) = message.map(|message| (message.to, message.subject)).unzip();
        Self { id, to, subject, attempts }
    }
}
