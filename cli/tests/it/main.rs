//! The promises of `stockade` to people and their scripts, asked of the built program.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests: where they cannot go on, they have failed"
)]

mod database;
mod fmt;
mod handbook;
mod init;
mod output;
mod replay;
mod simulate;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built program, with the settings of colour that a user may have taken away.
fn stockade<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").args(arguments);
    command
}

/// Exit code, standard output and standard error.
fn told(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The policies the repository ships.
fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

/// A copy of the shipped policies.
fn copy_of_shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["", "cases", "golden"] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
        for entry in std::fs::read_dir(shipped().join(part)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let copy = folder.path().join(part).join(entry.file_name());
                std::fs::copy(entry.path(), copy).unwrap();
            }
        }
    }
    folder
}

/// Writes `to` where `from` stands in a file of a folder.
fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} lacks {from}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
}
