//! Brings messages to the post: takes those that are due, hands each over, forgets it.
//!
//! Taking a message plans its next attempt, so that one whose postman died is tried again.

use std::sync::Arc;
use std::time::Duration;

use super::{Letter, Post};
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::LetterId;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How often the database is asked for messages that are due.
const ROUND: Duration = Duration::from_millis(500);

/// Time until the second attempt; each further one waits twice as long.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// Longest time between two attempts.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Attempts before a message is given up: some five hours.
const ATTEMPTS_MAX: u32 = 10;

/// Messages that are due, taken in order to be handed over.
#[derive(Debug)]
struct Take;

/// Messages that were handed over.
#[derive(Debug)]
struct Forget(LetterId);

/// What was taken.
struct Taken {
    letters: Vec<Letter>,
    given_up: usize,
}

impl Write for Take {
    type Answer = Taken;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.mail = true;
    }

    fn decide(&self, sheet: &mut Worksheet) -> Taken {
        let now = sheet.now;
        let (letters, late): (Vec<_>, Vec<_>) = std::mem::take(&mut sheet.mail.due)
            .into_iter()
            .partition(|letter| letter.attempts < ATTEMPTS_MAX);
        for letter in &letters {
            let attempts = letter.attempts.saturating_add(1);
            sheet.mail.taken.push((letter.id, attempts, next(now, attempts)));
        }
        let given_up = late.len();
        sheet.mail.gone.extend(late.into_iter().map(|letter| letter.id));
        Taken { letters, given_up }
    }
}

fn next(now: Timestamp, attempts: u32) -> Timestamp {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    now.plus(FIRST_PAUSE.saturating_mul(doubled).min(PAUSE_MAX))
}

impl Write for Forget {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.mail.gone.push(self.0);
    }
}

/// Brings messages to the post until dropped.
pub(crate) async fn deliver_forever(app: Arc<App>, post: Post) {
    post.warn_of_folder();
    let mut rounds = tokio::time::interval(ROUND);
    loop {
        rounds.tick().await;
        if let Err(error) = round(&app, &post).await {
            tracing::warn!(error = ?error, "messages could not be taken");
        }
    }
}

async fn round(app: &App, post: &Post) -> Result<(), WriteError> {
    if !app.store.mail_due(app.clock.now()).await? {
        return Ok(());
    }
    let taken = app.writer.submit(Take).await?;
    if taken.given_up > 0 {
        app.metrics.mails("given_up", taken.given_up);
        tracing::error!(count = taken.given_up, "messages were given up");
    }
    for letter in taken.letters {
        hand_over(app, post, letter).await?;
    }
    Ok(())
}

async fn hand_over(app: &App, post: &Post, letter: Letter) -> Result<(), WriteError> {
    let Some(message) = letter.message else {
        app.metrics.mails("given_up", 1);
        tracing::error!(mail.id = %letter.id, "a message was sealed with another key");
        return app.writer.submit(Forget(letter.id)).await;
    };
    match post.send(letter.id, &message).await {
        Ok(()) => {
            app.metrics.mails("sent", 1);
            app.writer.submit(Forget(letter.id)).await
        }
        Err(error) => {
            app.metrics.mails("failed", 1);
            tracing::warn!(mail.id = %letter.id, %error, "a message waits for another try");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_get_rarer_and_end() {
        let now = Timestamp::from_micros(0);
        let pauses = (1..=ATTEMPTS_MAX).map(|attempts| next(now, attempts).secs() / 60);
        assert_eq!(pauses.collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }
}
