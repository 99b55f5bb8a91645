//! Reading the trail, which is an act as well: what cannot be told is not shown.

use std::time::{Duration, Instant};

use stockade_audit::chain::Checkpoint;
use uuid::Uuid;

use super::act::Object;
use super::action::Action;
use super::keys::AuditKeyError;
use super::row::AuditRow;
use super::verify::{Fault, Proof, TrailReport};
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::store::{Slice, StoreError};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long a proof on request may take.
const PROOF_MAX: Duration = Duration::from_secs(5);

/// How many checkpoints back a proof on request begins.
const LATELY: u64 = 60;

/// Where a row stands in the list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) at: Timestamp,
    pub(crate) chain: u32,
    pub(crate) sequence: u64,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    /// As rows write it.
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<Action>,
    pub(crate) object: Option<Uuid>,
    pub(crate) since: Timestamp,
    /// Before this moment.
    pub(crate) until: Timestamp,
}

impl Looked {
    /// Before everything that fits, in the order of the list.
    pub(crate) fn end(&self) -> Position {
        Position { at: self.until, chain: 0, sequence: 0 }
    }
}

/// Why nothing was shown or proved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("could not tell that the trail is read")]
    Write(#[from] WriteError),
    #[error("could not read the trail")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] AuditKeyError),
}

/// The act of looking at something.
#[derive(Debug)]
struct Look(Action, Object);

impl Write for Look {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.audit(self.0, self.1);
    }
}

/// Tells that somebody takes away all that is kept of an account.
pub(crate) async fn exported(app: &App, account: AccountId) -> Result<(), WriteError> {
    app.writer.submit(Look(Action::AccountExported, account.into())).await
}

/// Acts, newest first.
pub(crate) async fn read(
    app: &App,
    looked: &Looked,
    slice: &Slice<Position>,
) -> Result<Vec<AuditRow>, ReadError> {
    app.writer.submit(Look(Action::AuditRead, Object::NONE)).await?;
    Ok(app.store.acts(looked, slice).await?)
}

/// Proves the end of the trail: what followed the last [`LATELY`] checkpoints, for
/// [`PROOF_MAX`] at most. The whole is for `stockade audit verify`.
pub(crate) async fn verify_lately(app: &App) -> Result<TrailReport, ReadError> {
    app.writer.submit(Look(Action::AuditVerified, Object::NONE)).await?;
    let keys = app.audit_keys.ring()?;
    let mut proof = Proof::new(&*app.store, &keys, Some(Instant::now() + PROOF_MAX));
    let last = app.store.last_checkpoint().await?.map_or(0, |(number, _)| number);
    let base = match last.checked_sub(LATELY) {
        None | Some(0) => None,
        Some(number) => app.store.checkpoints(number.saturating_sub(1), 1).await?.pop(),
    };
    let base = base.map(|(number, line)| {
        let believed = |read: Checkpoint| read.prove(&keys).is_ok().then_some(read);
        Checkpoint::parse(&line).ok().and_then(believed).ok_or(number)
    });
    match base.transpose() {
        Ok(base) => proof.prove(base.as_ref()).await?,
        Err(number) => {
            let found = "it is not a checkpoint that can be believed".to_owned();
            proof.report.faults.push(Fault::of_checkpoint(number, found));
        }
    }
    Ok(proof.report)
}
