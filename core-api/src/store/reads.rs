//! Reading: one implementation for both databases, as each has its own type of pool.
//!
//! The statements are in [`rows`](super::rows); both databases understand them.

/// A piece of what is one account's, oldest first.
macro_rules! of_account {
    ($store:expr, $statement:expr, $account:expr, $slice:expr) => {{
        let after = $slice.after.map_or(Uuid::nil(), Id::uuid);
        let found = query_as($statement).bind($account.uuid()).bind(after);
        found.bind(i64::from($slice.limit)).fetch_all(&$store.readers).await?
    }};
}

/// Implements [`Store`](super::Store) for a type with a pool named `readers`.
macro_rules! reads {
    ($store:ty) => {
        const _: () = {
            use sqlx::{query, query_as, query_scalar};
            use uuid::Uuid;

            use crate::accounts::{
                Account, Addressee, Claimant, Credentials, EmailAddress, EmailLinkOwner, LinkOwner,
                PasswordOwner, Revoked, SessionOf, Throttle, ThrottleKey, TokenHash,
            };
            use stockade_audit::chain::{Digest, Head};

            use crate::audit::{AuditRow, Looked, Position};
            use crate::cart::ShownLine;
            use crate::catalog::{Category, Filter, Product};
            use crate::clock::Timestamp;
            use crate::ids::{
                AccountId, CategoryId, ConsentId, Id, JobId, LetterId, MovementId, OrderId,
                ProductId, SessionId,
            };
            use crate::images::{Image, ImageKey};
            use crate::inventory::{Entry, Listed, Loser, Stocked, Units};
            use crate::mail::Letter;
            use crate::orders::{Order, OrderEvent};
            use crate::outbox::Job;
            use crate::payments::{EVENT_LIFE, Statement};
            use crate::privacy::{Consent, Erasure, Overdue, Retained};
            use crate::reach::Reach;
            use crate::sku::Sku;
            use crate::store::reads::of_account;
            use crate::store::rows::{
                self, account_book, accounts, audit, carts, catalog, images, inventory, jobs,
                orders, payments, privacy, sealing, sessions,
            };
            use crate::store::{Slice, Store, StoreError};

            #[async_trait::async_trait]
            impl Store for $store {
                async fn ping(&self) -> Result<(), StoreError> {
                    query(rows::PING).execute(&self.readers).await?;
                    Ok(())
                }

                async fn anything_due(&self, now: Timestamp) -> Result<bool, StoreError> {
                    let old = now.minus(EVENT_LIFE);
                    let due = query_scalar(rows::ANYTHING_DUE).bind(now.micros());
                    let due = due.bind(old.micros());
                    Ok(due.fetch_one(&self.readers).await?)
                }

                async fn credentials(&self, name: &str) -> Result<Option<Credentials>, StoreError> {
                    let found = query_as(accounts::CREDENTIALS)
                        .bind(sealing::username_digest(&self.vault, name).to_vec());
                    let found = found.fetch_optional(&self.readers).await?;
                    Ok(found.map(accounts::credentials))
                }

                async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
                    let found = query_as(accounts::ACCOUNT).bind(id.uuid());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::account(&self.vault, row)).transpose()
                }

                async fn knows_refresh_token(&self, token: TokenHash) -> Result<bool, StoreError> {
                    let known = query_scalar(sessions::KNOWS_TOKEN).bind(token.0.as_slice());
                    Ok(known.fetch_one(&self.readers).await?)
                }

                async fn throttle(&self, key: ThrottleKey) -> Result<Option<Throttle>, StoreError> {
                    let found = query_as(accounts::THROTTLE).bind(key.0.as_slice());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(accounts::throttle).transpose()
                }

                async fn challenged(
                    &self,
                    token: TokenHash,
                    now: Timestamp,
                ) -> Result<Option<Claimant>, StoreError> {
                    let found = query_as(accounts::CHALLENGED).bind(token.0.as_slice());
                    let found = found.bind(now.micros()).fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::claimant(&self.vault, row)).transpose()
                }

                async fn refresher(
                    &self,
                    token: TokenHash,
                ) -> Result<Option<Claimant>, StoreError> {
                    let found = query_as(accounts::REFRESHER).bind(token.0.as_slice());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::claimant(&self.vault, row)).transpose()
                }

                async fn accounts(
                    &self,
                    staff: bool,
                    slice: &Slice<AccountId>,
                ) -> Result<Vec<Account>, StoreError> {
                    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
                    let found = query_as(if staff { accounts::STAFF } else { accounts::ACCOUNTS });
                    let found = found.bind(after).bind(i64::from(slice.limit));
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(|row| accounts::account(&self.vault, row)).collect()
                }

                async fn password_owner(
                    &self,
                    id: AccountId,
                ) -> Result<Option<PasswordOwner>, StoreError> {
                    let found = query_as(accounts::PASSWORD_OWNER).bind(id.uuid());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::password_owner(&self.vault, row)).transpose()
                }

                async fn addressee(&self, email: &str) -> Result<Option<Addressee>, StoreError> {
                    let found = query_as(accounts::ADDRESSEE)
                        .bind(sealing::email_digest(&self.vault, email).to_vec());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::addressee(&self.vault, row)).transpose()
                }

                async fn email_link_owner(
                    &self,
                    link: TokenHash,
                    now: Timestamp,
                ) -> Result<Option<EmailLinkOwner>, StoreError> {
                    let found = query_as(accounts::EMAIL_LINK_OWNER).bind(link.0.as_slice());
                    let found = found.bind(now.micros()).fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::email_link_owner(&self.vault, row)).transpose()
                }

                async fn revocations(
                    &self,
                    after: u64,
                    since: Timestamp,
                    limit: u32,
                ) -> Result<Vec<Revoked>, StoreError> {
                    let found = query_as(accounts::REVOCATIONS).bind(rows::signed(after));
                    let found = found.bind(since.micros()).bind(i64::from(limit));
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(accounts::revoked).collect()
                }

                async fn mail_due(&self, now: Timestamp) -> Result<bool, StoreError> {
                    let due = query_scalar(accounts::MAIL_DUE).bind(now.micros());
                    Ok(due.fetch_one(&self.readers).await?)
                }

                async fn link_owner(
                    &self,
                    link: TokenHash,
                    now: Timestamp,
                ) -> Result<Option<LinkOwner>, StoreError> {
                    let found = query_as(accounts::LINK_OWNER).bind(link.0.as_slice());
                    let found = found.bind(now.micros()).fetch_optional(&self.readers).await?;
                    found.map(|row| accounts::link_owner(&self.vault, row)).transpose()
                }

                async fn products(
                    &self,
                    filter: &Filter,
                    slice: &Slice<ProductId>,
                ) -> Result<Vec<Product>, StoreError> {
                    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
                    let limit = i64::from(slice.limit);
                    let list = |statement| query_as(statement).bind(after).bind(limit);
                    let found = match filter {
                        Filter { category: None, name: None, offer: None } => {
                            list(catalog::PRODUCTS)
                        }
                        Filter { category: Some(category), name: None, offer: None } => {
                            list(catalog::PRODUCTS_IN).bind(category.uuid())
                        }
                        filter => {
                            let offer = filter.offer.unwrap_or_default();
                            list(catalog::PRODUCTS_LIKE)
                                .bind(filter.category.map(Id::uuid))
                                .bind(filter.name.as_deref().map(catalog::like))
                                .bind(i64::from(filter.offer.is_some()))
                                .bind(offer.price_min)
                                .bind(offer.price_max)
                                .bind(offer.currency.map(|currency| currency.to_string()))
                                .bind(i64::from(offer.available))
                        }
                    };
                    catalog::gather(found.fetch_all(&self.readers).await?)
                }

                async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
                    let found = query_as(catalog::PRODUCT).bind(id.uuid());
                    Ok(catalog::gather(found.fetch_all(&self.readers).await?)?.pop())
                }

                async fn image(&self, key: ImageKey) -> Result<Option<Image>, StoreError> {
                    let found = query_as(images::IMAGE).bind(key.0.as_slice());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(images::image).transpose()
                }

                async fn doomed_images(
                    &self,
                    now: Timestamp,
                    limit: u32,
                ) -> Result<Vec<ImageKey>, StoreError> {
                    let due = query_scalar(images::DOOMED).bind(now.micros());
                    images::keys(due.bind(i64::from(limit)).fetch_all(&self.readers).await?)
                }

                async fn categories(
                    &self,
                    slice: &Slice<CategoryId>,
                ) -> Result<Vec<Category>, StoreError> {
                    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
                    let found = query_as(catalog::CATEGORIES).bind(after);
                    let found: Vec<(Uuid, String)> =
                        found.bind(i64::from(slice.limit)).fetch_all(&self.readers).await?;
                    let category = |(id, name)| Category { id: CategoryId::from_uuid(id), name };
                    Ok(found.into_iter().map(category).collect())
                }

                async fn stock(
                    &self,
                    listed: Listed,
                    low_at: Option<Units>,
                    slice: &Slice<Sku>,
                ) -> Result<Vec<Stocked>, StoreError> {
                    let statement = match listed {
                        Listed::All => inventory::STOCK,
                        Listed::Low => inventory::LOW_STOCK,
                    };
                    let after = slice.after.as_ref().map_or("", Sku::as_str);
                    let found = query_as(statement).bind(after).bind(i64::from(slice.limit));
                    let found = found.bind(low_at.map(i64::from)).fetch_all(&self.readers).await?;
                    found.iter().map(inventory::stocked).collect()
                }

                async fn holders(&self, sku: &Sku, limit: u32) -> Result<Vec<Loser>, StoreError> {
                    let found = query_as(inventory::HOLDERS).bind(sku.as_str());
                    let found = found.bind(i64::from(limit)).fetch_all(&self.readers).await?;
                    found.iter().map(inventory::loser).collect()
                }

                async fn has_moved(&self, sku: &Sku) -> Result<bool, StoreError> {
                    let moved = query_scalar(inventory::HAS_MOVED).bind(sku.as_str());
                    Ok(moved.fetch_one(&self.readers).await?)
                }

                async fn is_stocked(&self, sku: &Sku) -> Result<bool, StoreError> {
                    let stocked = query_scalar(inventory::IS_STOCKED).bind(sku.as_str());
                    Ok(stocked.fetch_one(&self.readers).await?)
                }

                async fn movements(
                    &self,
                    sku: &Sku,
                    slice: &Slice<MovementId>,
                ) -> Result<Vec<Entry>, StoreError> {
                    let before = slice.after.map_or(Uuid::max(), Id::uuid);
                    let found = query_as(inventory::MOVEMENTS).bind(sku.as_str()).bind(before);
                    let found = found.bind(i64::from(slice.limit)).fetch_all(&self.readers).await?;
                    found.into_iter().map(inventory::entry).collect()
                }

                async fn orders(
                    &self,
                    reach: Reach,
                    slice: &Slice<OrderId>,
                ) -> Result<Vec<Order>, StoreError> {
                    let before = slice.after.map_or(Uuid::max(), Id::uuid);
                    let limit = i64::from(slice.limit);
                    let list = |statement| query_as(statement).bind(before).bind(limit);
                    let found = match reach {
                        Reach::Own(me) => list(orders::LIST_OWN).bind(me.uuid()),
                        Reach::Others(me) => list(orders::LIST_OTHERS).bind(me.uuid()),
                        Reach::Any => list(orders::LIST_ANY),
                    };
                    orders::gather(found.fetch_all(&self.readers).await?)
                }

                async fn order(
                    &self,
                    reach: Reach,
                    id: OrderId,
                ) -> Result<Option<Order>, StoreError> {
                    let find = |statement| query_as(statement).bind(id.uuid());
                    let found = match reach {
                        Reach::Own(me) => find(orders::FIND_OWN).bind(me.uuid()),
                        Reach::Others(me) => find(orders::FIND_OTHERS).bind(me.uuid()),
                        Reach::Any => find(orders::FIND_ANY),
                    };
                    Ok(orders::gather(found.fetch_all(&self.readers).await?)?.pop())
                }

                async fn acts(
                    &self,
                    looked: &Looked,
                    slice: &Slice<Position>,
                ) -> Result<Vec<AuditRow>, StoreError> {
                    let list = match (&looked.object, &looked.actor) {
                        (Some(_), _) => audit::LIST_OF_OBJECT,
                        (None, Some(_)) => audit::LIST_OF_ACTOR,
                        (None, None) => audit::LIST,
                    };
                    let before = slice.after.unwrap_or(looked.end());
                    let found = query_as(list).bind(before.at.micros());
                    let found = found.bind(i64::from(before.chain));
                    let found = found.bind(rows::signed(before.sequence));
                    let found = found.bind(i64::from(slice.limit)).bind(looked.since.micros());
                    let found = found.bind(looked.action.map_or("", |action| action.as_str()));
                    let found = found.bind(looked.actor.as_deref().unwrap_or_default());
                    let object = looked.object.map(|id| id.hyphenated().to_string());
                    let found = found.bind(object.unwrap_or_default());
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(audit::row).collect()
                }

                async fn audit_heads(&self) -> Result<Vec<Head>, StoreError> {
                    let found = query_as(audit::HEADS).fetch_all(&self.readers).await?;
                    found.into_iter().map(audit::head).collect()
                }

                async fn audit_rows(
                    &self,
                    chain: u32,
                    after: u64,
                    limit: u32,
                ) -> Result<Vec<AuditRow>, StoreError> {
                    let found = query_as(audit::ROWS).bind(i64::from(chain));
                    let found = found.bind(rows::signed(after)).bind(i64::from(limit));
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(audit::row).collect()
                }

                async fn audit_hash(
                    &self,
                    chain: u32,
                    sequence: u64,
                ) -> Result<Option<Digest>, StoreError> {
                    let found = query_scalar(audit::HASH).bind(i64::from(chain));
                    let found = found.bind(rows::signed(sequence));
                    let found: Option<Vec<u8>> = found.fetch_optional(&self.readers).await?;
                    found.as_deref().map(audit::digest).transpose()
                }

                async fn checkpoints(
                    &self,
                    after: u64,
                    limit: u32,
                ) -> Result<Vec<(u64, String)>, StoreError> {
                    let found = query_as(audit::CHECKPOINTS).bind(rows::signed(after));
                    let found = found.bind(i64::from(limit)).fetch_all(&self.readers).await?;
                    found.into_iter().map(audit::checkpoint).collect()
                }

                async fn last_checkpoint(&self) -> Result<Option<(u64, String)>, StoreError> {
                    let found = query_as(audit::LAST_CHECKPOINT);
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(audit::checkpoint).transpose()
                }

                async fn order_events(&self, id: OrderId) -> Result<Vec<OrderEvent>, StoreError> {
                    let found = query_as(orders::EVENTS).bind(id.uuid());
                    orders::events(found.fetch_all(&self.readers).await?)
                }

                async fn payments(&self, order: OrderId) -> Result<Vec<Statement>, StoreError> {
                    let found = query_as(payments::OF_ORDER).bind(order.uuid());
                    payments::statements(found.fetch_all(&self.readers).await?)
                }

                async fn cart(&self, account: AccountId) -> Result<Vec<ShownLine>, StoreError> {
                    let found = query_as(carts::SHOWN).bind(account.uuid());
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(carts::shown).collect()
                }

                async fn any_job_due(&self, now: Timestamp) -> Result<bool, StoreError> {
                    let due = query_scalar(jobs::ANY_DUE).bind(now.micros());
                    Ok(due.fetch_one(&self.readers).await?)
                }

                async fn dead_jobs(&self, slice: &Slice<JobId>) -> Result<Vec<Job>, StoreError> {
                    let before = slice.after.map_or(Uuid::max(), Id::uuid);
                    let found = query_as(jobs::DEAD).bind(before).bind(i64::from(slice.limit));
                    let found = found.fetch_all(&self.readers).await?;
                    found.into_iter().map(jobs::job).collect()
                }

                async fn consents(
                    &self,
                    account: AccountId,
                    slice: &Slice<ConsentId>,
                ) -> Result<Vec<Consent>, StoreError> {
                    let found = of_account!(self, privacy::CONSENTS, account, slice);
                    found.iter().map(privacy::consent).collect()
                }

                async fn sessions_of(
                    &self,
                    account: AccountId,
                    slice: &Slice<SessionId>,
                ) -> Result<Vec<SessionOf>, StoreError> {
                    let found = of_account!(self, privacy::SESSIONS_OF, account, slice);
                    Ok(found.into_iter().map(privacy::session_of).collect())
                }

                async fn letters_of(
                    &self,
                    account: AccountId,
                    slice: &Slice<LetterId>,
                ) -> Result<Vec<Letter>, StoreError> {
                    let found = of_account!(self, privacy::LETTERS_OF, account, slice);
                    let letter = |row| account_book::letter(&self.vault, row);
                    Ok(found.into_iter().map(letter).collect())
                }

                async fn emails_to_prove(
                    &self,
                    account: AccountId,
                ) -> Result<Vec<EmailAddress>, StoreError> {
                    let found = query_as(accounts::EMAILS_TO_PROVE).bind(account.uuid());
                    let found = found.fetch_all(&self.readers).await?.into_iter();
                    let owners = found.map(|row| accounts::email_link_owner(&self.vault, row));
                    owners.filter_map(|owner| owner.map(|one| one.email).transpose()).collect()
                }

                async fn erasures(
                    &self,
                    since: Timestamp,
                    slice: &Slice<AccountId>,
                ) -> Result<Vec<Erasure>, StoreError> {
                    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
                    let found = query_as(privacy::ERASURES).bind(since.micros()).bind(after);
                    let found = found.bind(i64::from(slice.limit)).fetch_all(&self.readers).await?;
                    Ok(found.into_iter().map(privacy::erasure).collect())
                }

                async fn is_unerased(&self, account: AccountId) -> Result<bool, StoreError> {
                    let found = query_scalar(privacy::IS_UNERASED).bind(account.uuid());
                    Ok(found.fetch_one(&self.readers).await?)
                }

                async fn unproved_accounts(
                    &self,
                    limit: Timestamp,
                    count: u32,
                ) -> Result<Vec<AccountId>, StoreError> {
                    let found = query_scalar(privacy::UNPROVED_ACCOUNTS).bind(limit.micros());
                    let found = found.bind(i64::from(count)).fetch_all(&self.readers).await?;
                    Ok(found.into_iter().map(AccountId::from_uuid).collect())
                }

                async fn overdue(
                    &self,
                    of: Retained,
                    limit: Timestamp,
                ) -> Result<Overdue, StoreError> {
                    let found = query_as(privacy::overdue_statement(of)).bind(limit.micros());
                    Ok(privacy::overdue(found.fetch_one(&self.readers).await?))
                }

                async fn close(&self) {
                    self.readers.close().await;
                }
            }
        };
    };
}

pub(super) use {of_account, reads};
