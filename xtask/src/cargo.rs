//! Cargo, asked from inside `cargo xtask`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

/// The same Cargo that runs us, as if asked from a shell in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _value) in env::vars_os().filter(|(name, _value)| describes_xtask(name)) {
        command.env_remove(name);
    }
    command
}

/// Whether Cargo set this variable to tell `xtask` about itself. Some build scripts look at these
/// names, and would run again each time one asks Cargo with and without `xtask`.
fn describes_xtask(variable: &OsStr) -> bool {
    variable.to_str().is_some_and(|name| {
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_the_user_are_kept() {
        for kept in ["CARGO_TARGET_DIR", "CARGO_HOME", "CARGO_BUILD_JOBS", "PATH"] {
            assert!(!describes_xtask(OsStr::new(kept)), "{kept}");
        }
        for removed in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO"] {
            assert!(describes_xtask(OsStr::new(removed)), "{removed}");
        }
    }
}
