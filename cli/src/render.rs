//! What verbs print: for people at a terminal, for people with a pipe, and for programs.
//!
//! Every verb writes to a [`Screen`]. It knows whether somebody looks at it, how wide it is and
//! whether it may use colour; without a terminal all text is plain, whole and on lines of its
//! own. A reader that goes away, such as `head`, ends the printing and changes no answer.

mod findings;
mod table;
mod wrap;

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub(crate) use self::findings::{FindingBody, list_findings, print_findings};
pub(crate) use self::table::Table;
pub(crate) use self::wrap::wrap;

/// The version of all JSON output; raised when a field changes its meaning.
const JSON_VERSION: u32 = 1;

/// When output has colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// At a terminal, unless the environment variable `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object.
    Json,
}

/// The flag of verbs that also answer to programs.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FormatArgs {
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// Where a verb prints.
pub(crate) struct Screen<'w> {
    out: &'w mut dyn Write,
    look: Look,
    /// Nobody reads any more.
    closed: bool,
}

/// What a screen can show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    colour: bool,
    /// The columns of the terminal; nothing where there is none.
    columns: Option<usize>,
}

/// What a piece of text is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A yes.
    Good,
    /// A no.
    Bad,
    /// A heading.
    Strong,
    /// Less important than what is around it.
    Faint,
    /// A place in a file.
    Place,
    /// A way out.
    Hint,
}

/// A text with its tone; padding is up to whoever paints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painted<'t> {
    style: Style,
    text: &'t str,
}

impl<'w> Screen<'w> {
    /// Standard output, taken by the caller as `out`.
    pub(crate) fn of_stdout(out: &'w mut io::StdoutLock<'static>, color: Color) -> Self {
        let colour = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => AutoStream::choice(out) != ColorChoice::Never,
        };
        let columns = out.is_terminal().then(columns);
        Self::new(out, Look { colour, columns })
    }

    /// Something that is no terminal.
    #[cfg(test)]
    pub(crate) fn plain(out: &'w mut dyn Write) -> Self {
        Self::new(out, Look { colour: false, columns: None })
    }

    /// A terminal without colours.
    #[cfg(test)]
    pub(crate) fn terminal(out: &'w mut dyn Write, columns: usize) -> Self {
        Self::new(out, Look { colour: false, columns: Some(columns) })
    }

    fn new(out: &'w mut dyn Write, look: Look) -> Self {
        Self { out, look, closed: false }
    }

    /// What it can show.
    pub(crate) fn look(&self) -> Look {
        self.look
    }

    /// Prints an answer for programs: its fields behind the version of all of them.
    pub(crate) fn json(&mut self, answer: &impl Serialize) -> anyhow::Result<()> {
        #[derive(Debug, Serialize)]
        struct Envelope<'a, T> {
            version: u32,
            #[serde(flatten)]
            answer: &'a T,
        }
        let envelope = Envelope { version: JSON_VERSION, answer };
        writeln!(self, "{}", serde_json::to_string_pretty(&envelope)?)?;
        Ok(())
    }
}

impl Write for Screen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.out.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

impl fmt::Debug for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("look", &self.look).finish_non_exhaustive()
    }
}

impl Look {
    /// The columns there are; nothing where lines may have any length.
    pub(crate) fn columns(self) -> Option<usize> {
        self.columns
    }

    /// The text in its tone, or bare on a screen without colours.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> Painted<'_> {
        let style = if self.colour { tone.style() } else { Style::new() };
        Painted { style, text }
    }
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Good => colour(AnsiColor::Green).bold(),
            Self::Bad => colour(AnsiColor::Red).bold(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Place => colour(AnsiColor::Cyan),
            Self::Hint => colour(AnsiColor::Yellow),
        }
    }
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}

/// A number with its noun: `1 finding`, `2 findings`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Somebody else's text on one line, with what would command the terminal made visible.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => shown.push(' '),
            _ if char.is_control() => shown.extend(char.escape_unicode()),
            _ => shown.push(char),
        }
    }
    shown
}

/// The columns of the terminal, as it tells them.
fn columns() -> usize {
    const USUAL: usize = 80;
    terminal_size::terminal_size().map_or(USUAL, |(width, _)| usize::from(width.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_nothing_is_added() {
        let look = Look { colour: false, columns: None };
        assert_eq!(look.paint(Tone::Bad, "no").to_string(), "no");
        let look = Look { colour: true, columns: None };
        let painted = look.paint(Tone::Bad, "no").to_string();
        assert!(painted.starts_with('\u{1b}') && painted.ends_with("\u{1b}[0m"), "{painted:?}");
    }

    #[test]
    fn what_would_command_a_terminal_is_shown() {
        assert_eq!(visible("a\u{1b}[2J\tb\u{7}é"), "a\\u{1b}[2J b\\u{7}é");
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_printing_and_nothing_else() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(ErrorKind::BrokenPipe.into())
            }
        }
        let mut gone = Gone;
        let mut screen = Screen::plain(&mut gone);
        writeln!(screen, "one").unwrap();
        writeln!(screen, "two").unwrap();
        screen.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(writeln!(Screen::plain(&mut full), "more than two").is_err());
    }

    #[test]
    fn json_begins_with_its_version() {
        let mut out = Vec::new();
        Screen::plain(&mut out).json(&serde_json::json!({"ok": true})).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\n  \"version\": 1,\n  \"ok\": true\n}\n");
    }
}
