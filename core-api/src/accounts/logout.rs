//! Log out: the session ends, and nothing is refreshed in it any more.

use super::revocation::Revocation;
use crate::app::App;
use crate::ids::{AccountId, SessionId};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// A session that its owner ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Logout {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
}

/// Ends a session of this account. One that is over already stays so.
pub(crate) async fn logout(app: &App, wanted: Logout) -> Result<(), WriteError> {
    app.writer.submit(wanted).await
}

impl Write for Logout {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.sessions.insert(self.session);
    }

    fn decide(&self, sheet: &mut Worksheet) {
        let session = sheet.sessions.session(self.session);
        if session.is_some_and(|session| session.account == self.account && !session.ended) {
            sheet.sessions.end(self.session);
            sheet.new.revocations.push(Revocation::Session(self.session));
        }
    }
}
