//! Output at a terminal: colours, excerpts, and tables that fit. The terminal is the system's.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::*;

/// Exit code and everything that a terminal of so many columns shows.
fn shown(mut command: Command, columns: u16) -> (Option<i32>, String) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let terminal = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal.as_fd(), size).unwrap();
    let mut child = command.stdout(terminal.try_clone().unwrap()).spawn().unwrap();
    // The program's is the last hand on the terminal then, so that its end ends the reading.
    drop((terminal, command));
    let mut bytes = Vec::new();
    // A terminal that nobody holds any more says so by an error.
    drop(File::from(screen).read_to_end(&mut bytes));
    (child.wait().unwrap().code(), String::from_utf8(bytes).unwrap().replace("\r\n", "\n"))
}

/// A folder with one misspelled resource.
fn misspelled() -> (tempfile::TempDir, String) {
    let folder = copy_of_shipped();
    edit(folder.path(), "policy.csv", "orders,      create", "order,       create");
    let path = folder.path().display().to_string();
    (folder, path)
}

#[test]
fn a_terminal_gets_colour_unless_it_is_not_wanted() {
    let (_folder, path) = misspelled();
    let check = || stockade(["policy", "check", path.as_str()]);
    assert!(shown(check(), 80).1.contains("\u{1b}["));

    let mut plain = check();
    plain.env("NO_COLOR", "1");
    assert!(!shown(plain, 80).1.contains('\u{1b}'));
    let mut empty = check();
    empty.env("NO_COLOR", "");
    assert!(shown(empty, 80).1.contains("\u{1b}["));
    let never = stockade(["policy", "check", "--color", "never", path.as_str()]);
    assert!(!shown(never, 80).1.contains('\u{1b}'));
}

#[test]
fn a_finding_shows_its_line() {
    let (_folder, path) = misspelled();
    let (code, text) = shown(stockade(["--color=never", "policy", "check", path.as_str()]), 80);
    assert_eq!(code, Some(2));
    let expected = " | p,   customer,    order,       create,   own,    allow
    |                   ^^^^^
1 finding: the policy is refused
";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_matrix_fits_the_terminal() {
    let path = shipped().display().to_string();
    let matrix = || stockade(["--color=never", "policy", "matrix", path.as_str()]);
    let (_, wide) = shown(matrix(), 200);
    assert_eq!(wide, told(matrix()).1);
    let (_, narrow) = shown(matrix(), 80);
    assert!(narrow.lines().all(|line| line.len() <= 80), "{narrow}");
    assert_eq!(narrow.matches("\n\nroute ").count(), 2, "{narrow}");
    assert_eq!(narrow.matches("super-admin").count(), 1);
}
