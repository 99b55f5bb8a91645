//! The application log: events for operators, on standard error.
//!
//! Our own crates speak from `info` up, libraries from `warn` up.
//!
//! SECURITY: records of the `log` crate are left unheard. Pingora writes them, and its messages
//! hold client addresses and request lines, which belong in the access and audit logs alone.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, fmt};

/// The first letters of every target of ours.
const OURS: &str = "stockade";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStyle {
    /// For a person at a terminal; coloured when there is one.
    Human,
    /// One JSON object per line, for collectors.
    Json,
}

/// Sends the application log to standard error.
///
/// The first call of a process settles the style. A later one changes nothing.
pub fn init(style: LogStyle) {
    let colours = io::stderr().is_terminal();
    if dispatcher::set_global_default(subscriber(style, colours, io::stderr)).is_err() {
        tracing::debug!("the log is set up already");
    }
}

fn subscriber<W>(style: LogStyle, colours: bool, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    match style {
        LogStyle::Human => Registry::default().with(lines.with_filter(levels())).into(),
        LogStyle::Json => {
            Registry::default().with(lines.json().flatten_event(true).with_filter(levels())).into()
        }
    }
}

fn levels() -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target(OURS, LevelFilter::INFO)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A log that is kept, to be looked at.
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[track_caller]
    fn written(style: LogStyle, events: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        dispatcher::with_default(&subscriber(style, false, move || writer.clone()), events);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn ours_speak_from_info_and_libraries_from_warn() {
        let log = written(LogStyle::Human, || {
            tracing::info!(target: "stockade_proxy::edge", "ours at info");
            tracing::debug!(target: "stockade_proxy::edge", "ours at debug");
            tracing::warn!(target: "sqlx::query", "theirs at warn");
            tracing::info!(target: "sqlx::query", "theirs at info");
        });

        assert!(log.contains("ours at info") && log.contains("theirs at warn"), "{log}");
        assert!(!log.contains("ours at debug") && !log.contains("theirs at info"), "{log}");
    }

    #[test]
    fn a_json_line_is_one_flat_object() {
        let log = written(LogStyle::Json, || {
            tracing::info!(target: "stockade", { route.id = "orders-read" }, "route is slow");
        });

        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.starts_with('{') && log.ends_with("}\n"), "{log}");
        assert!(log.contains(r#""message":"route is slow","route.id":"orders-read""#), "{log}");
    }

    #[test]
    fn setting_up_twice_is_harmless() {
        init(LogStyle::Json);
        init(LogStyle::Human);
    }
}
