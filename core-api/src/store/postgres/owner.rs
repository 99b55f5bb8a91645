//! What only the tables' owner does: makes them, and grants the program's role what it needs.
//!
//! The program's role reads everything, adds rows, and changes or removes only where a row may
//! change: the ledger, the lines of orders and the audit trail are added to and never changed.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use stockade_settings::store::PostgresUrl;
use zeroize::Zeroizing;

use super::connect::Login;
use super::{MIGRATIONS, check_schema};
use crate::store::{OpenError, SchemaError};

const HAS_ROLE: &str = "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)";

/// Names the role for [`GRANT`], in this transaction.
const NAME_PROGRAM: &str = "SELECT set_config('stockade.program', $1, true)";

/// Everything is taken away before it is given, so that what one version no longer needs is gone.
const GRANT: &str = "
    DO $grant$
    DECLARE
        program text := quote_ident(current_setting('stockade.program'));
    BEGIN
        EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ' || program;
        EXECUTE 'REVOKE CREATE ON SCHEMA public FROM PUBLIC, ' || program;
        EXECUTE 'GRANT USAGE ON SCHEMA public TO ' || program;
        EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO ' || program;
        EXECUTE 'GRANT INSERT ON totp, recovery_code, login_challenge, login_throttle, email_link,
                                 mail, revocation, audit, audit_checkpoint, data_key, consent,
                                 erasure TO ' || program;
        EXECUTE 'GRANT INSERT ON account, session, refresh_token, password_link, category,
                                 product, sku, stock, reservation, stock_movement, orders,
                                 order_line, order_event, idempotency_key, payment, refund,
                                 provider_event, job, cart_line, unsealed_account TO ' || program;
        EXECUTE 'GRANT INSERT, DELETE ON product_image, image_removal TO ' || program;
        EXECUTE 'GRANT UPDATE (username, username_digest, email, email_digest, phone, full_name,
                              version, password_hash, role, disabled_at, tokens_not_before,
                              email_verified_at) ON account TO ' || program;
        EXECUTE 'GRANT UPDATE (wrapped) ON data_key TO ' || program;
        EXECUTE 'GRANT UPDATE (phone) ON unsealed_account TO ' || program;
        EXECUTE 'GRANT UPDATE (secret, pending) ON totp TO ' || program;
        EXECUTE 'GRANT UPDATE (ended_at, second_factor_at) ON session TO ' || program;
        EXECUTE 'GRANT UPDATE (failures, locked_until, expires_at) ON login_throttle TO ' || program;
        EXECUTE 'GRANT UPDATE (attempts, due_at) ON mail TO ' || program;
        EXECUTE 'GRANT UPDATE (spent_at) ON refresh_token TO ' || program;
        EXECUTE 'GRANT UPDATE (expires_at) ON password_link TO ' || program;
        EXECUTE 'GRANT UPDATE (name) ON category TO ' || program;
        EXECUTE 'GRANT UPDATE (name, name_folded, description, category_id, version, deleted_at)
                    ON product TO ' || program;
        EXECUTE 'GRANT UPDATE (price_minor, low_at) ON sku TO ' || program;
        EXECUTE 'GRANT UPDATE (on_hand, reserved) ON stock TO ' || program;
        EXECUTE 'GRANT UPDATE (state) ON reservation, orders TO ' || program;
        EXECUTE 'GRANT UPDATE (fingerprint, answer, expires_at) ON idempotency_key TO ' || program;
        EXECUTE 'GRANT UPDATE (provider_ref, state, captured_minor, refunded_minor)
                    ON payment TO ' || program;
        EXECUTE 'GRANT UPDATE (state) ON refund TO ' || program;
        EXECUTE 'GRANT UPDATE (attempts, due_at, dead_at, last_error) ON job TO ' || program;
        EXECUTE 'GRANT DELETE ON totp, recovery_code, login_challenge, login_throttle,
                                 email_link, mail, account, data_key, unsealed_account,
                                 consent TO ' || program;
        EXECUTE 'GRANT DELETE ON session, refresh_token, password_link, category,
                                 idempotency_key, provider_event, job, cart_line TO ' || program;
    END
    $grant$";

/// Makes or brings up to date the tables, and grants; says which version they are at.
pub(in crate::store) async fn migrate(
    url: &PostgresUrl,
    password: Option<Zeroizing<String>>,
    program: &str,
) -> Result<i64, OpenError> {
    if url.user == program {
        return Err(OpenError::OneRole(program.to_owned()));
    }
    let mut owner = Login::new(url, password.as_ref()).unhurried().connect().await?;
    // Before anything is made: it could not be granted to nobody.
    if !sqlx::query_scalar(HAS_ROLE).bind(program).fetch_one(&mut owner).await? {
        return Err(OpenError::NoRole(program.to_owned()));
    }
    match check_schema(&mut owner).await {
        // What a newer program or somebody else made is not ours to change.
        Err(error @ OpenError::Schema(SchemaError::Newer { .. } | SchemaError::Other)) => {
            return Err(error);
        }
        _ => MIGRATIONS.run(&mut owner).await?,
    }
    grant(&mut owner, program).await?;
    owner.close().await?;
    Ok(MIGRATIONS.iter().map(|one| one.version).max().unwrap_or_default())
}

async fn grant(owner: &mut PgConnection, program: &str) -> Result<(), sqlx::Error> {
    let mut grants = owner.begin().await?;
    sqlx::query(NAME_PROGRAM).bind(program).execute(&mut *grants).await?;
    grants.execute(GRANT).await?;
    grants.commit().await
}
