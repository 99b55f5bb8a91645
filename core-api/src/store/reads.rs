//! Reading: one implementation for both databases, as each has its own type of pool.
//!
//! The statements are in [`rows`](super::rows); both databases understand them.

/// Implements [`Store`](super::Store) for a type with a pool named `readers`.
macro_rules! reads {
    ($store:ty) => {
        const _: () = {
            use sqlx::{query, query_as, query_scalar};
            use uuid::Uuid;

            use crate::accounts::{
                Account, Addressee, Claimant, Credentials, LinkOwner, PasswordOwner, Revoked,
                Throttle, ThrottleKey, TokenHash,
            };
            use crate::cart::ShownLine;
            use crate::catalog::{Category, Product};
            use crate::clock::Timestamp;
            use crate::ids::{AccountId, CategoryId, Id, JobId, MovementId, OrderId, ProductId};
            use crate::inventory::{Entry, Listed, Loser, Stocked, Units};
            use crate::orders::{Order, OrderEvent};
            use crate::outbox::Job;
            use crate::payments::{EVENT_LIFE, Statement};
            use crate::reach::Reach;
            use crate::sku::Sku;
            use crate::store::rows::{
                self, accounts, carts, catalog, inventory, jobs, orders, payments, sessions,
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
                    let found = query_as(accounts::CREDENTIALS).bind(name);
                    let found = found.fetch_optional(&self.readers).await?;
                    Ok(found.map(accounts::credentials))
                }

                async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
                    let found = query_as(accounts::ACCOUNT).bind(id.uuid());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(accounts::account).transpose()
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
                    Ok(found.map(accounts::claimant))
                }

                async fn refresher(
                    &self,
                    token: TokenHash,
                ) -> Result<Option<Claimant>, StoreError> {
                    let found = query_as(accounts::REFRESHER).bind(token.0.as_slice());
                    let found = found.fetch_optional(&self.readers).await?;
                    Ok(found.map(accounts::claimant))
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
                    found.into_iter().map(accounts::account).collect()
                }

                async fn password_owner(
                    &self,
                    id: AccountId,
                ) -> Result<Option<PasswordOwner>, StoreError> {
                    let found = query_as(accounts::PASSWORD_OWNER).bind(id.uuid());
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(accounts::password_owner).transpose()
                }

                async fn addressee(&self, email: &str) -> Result<Option<Addressee>, StoreError> {
                    let found = query_as(accounts::ADDRESSEE).bind(email);
                    let found = found.fetch_optional(&self.readers).await?;
                    found.map(accounts::addressee).transpose()
                }

                async fn email_link_owner(
                    &self,
                    link: TokenHash,
                    now: Timestamp,
                ) -> Result<Option<AccountId>, StoreError> {
                    let found = query_scalar(accounts::EMAIL_LINK_OWNER).bind(link.0.as_slice());
                    let found = found.bind(now.micros()).fetch_optional(&self.readers).await?;
                    Ok(found.map(AccountId::from_uuid))
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
                    found.map(accounts::link_owner).transpose()
                }

                async fn products(
                    &self,
                    category: Option<CategoryId>,
                    slice: &Slice<ProductId>,
                ) -> Result<Vec<Product>, StoreError> {
                    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
                    let limit = i64::from(slice.limit);
                    let list = |statement| query_as(statement).bind(after).bind(limit);
                    let found = match category {
                        None => list(catalog::PRODUCTS),
                        Some(category) => list(catalog::PRODUCTS_IN).bind(category.uuid()),
                    };
                    catalog::gather(found.fetch_all(&self.readers).await?)
                }

                async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
                    let found = query_as(catalog::PRODUCT).bind(id.uuid());
                    Ok(catalog::gather(found.fetch_all(&self.readers).await?)?.pop())
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

                async fn close(&self) {
                    self.readers.close().await;
                }
            }
        };
    };
}

pub(super) use reads;
