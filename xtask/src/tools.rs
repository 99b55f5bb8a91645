//! The system's tools: found, installed where we may, and asked for where we may not.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A program that must be on the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    /// What holds it on Debian and its kin.
    packages: &'static [&'static str],
    needed: &'static str,
}

/// What a build asks for.
pub(crate) const TO_BUILD: &[Tool] = &[
    Tool { program: "cc", packages: &["gcc", "libc6-dev"], needed: "to build SQLite and aws-lc" },
    Tool { program: "make", packages: &["make"], needed: "by cmake" },
    Tool { program: "cmake", packages: &["cmake"], needed: "to build Pingora's zlib" },
];

/// What the tests ask for beyond that.
pub(crate) const TO_TEST: &[Tool] = &[
    Tool {
        program: "curl",
        packages: &["curl"],
        needed: "to walk through the README as a reader would",
    },
    Tool {
        program: "initdb",
        packages: &["postgresql"],
        needed: "to keep a shop in PostgreSQL, as production may",
    },
    Tool {
        program: "chromium",
        packages: &["chromium"],
        needed: "to look at the pages as a browser does",
    },
];

/// Where Debian and its kin put PostgreSQL's server, a folder for each version.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Parts of the Rust toolchain that a minimal one leaves out.
const COMPONENTS: &[(&str, &str)] = &[("fmt", "rustfmt"), ("clippy", "clippy")];

/// Makes sure the tools are there, and installs those that are not.
pub(crate) fn ensure(tools: &[Tool]) -> anyhow::Result<()> {
    let missing = missing_from(tools, &path());
    if missing.is_empty() {
        return Ok(());
    }
    let Some(prefix) = privilege() else {
        bail!("{}", request(&missing));
    };
    for tool in &missing {
        eprintln!("installing {} (needed {})", tool.program, tool.needed);
    }
    if let Err(error) = install(prefix, &packages(&missing)) {
        eprintln!("the installation failed: {error:#}");
    }
    match missing_from(tools, &path()).as_slice() {
        [] => Ok(()),
        still => bail!("{}", request(still)),
    }
}

/// Where programs are looked for: the path, and where a server's programs are beside it.
fn path() -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    let servers = versions.map(|version| version.path().join("bin"));
    // A path that cannot be joined holds a colon, which no version does.
    env::join_paths(env::split_paths(&path).chain(servers)).unwrap_or(path)
}

/// Makes sure that `cargo fmt` and `cargo clippy` answer.
pub(crate) fn ensure_components() -> anyhow::Result<()> {
    for (verb, component) in COMPONENTS {
        if succeeds("cargo", &[verb, "--version"]) {
            continue;
        }
        eprintln!("installing {component} (needed by `cargo {verb}`)");
        let wanted = ["component", "add", component];
        if !succeeds("rustup", &wanted) {
            bail!("`cargo {verb}` is missing; run `rustup {}`", wanted.join(" "));
        }
    }
    Ok(())
}

fn missing_from(tools: &[Tool], path: &OsStr) -> Vec<Tool> {
    tools.iter().filter(|tool| !is_on(path, tool.program)).copied().collect()
}

/// Whether a program is in one of a path's folders.
pub(crate) fn is_on(path: &OsStr, program: &str) -> bool {
    env::split_paths(path).any(|folder| is_executable(&folder.join(program)))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn packages(tools: &[Tool]) -> Vec<&'static str> {
    tools.iter().flat_map(|tool| tool.packages).copied().collect()
}

/// What a person has to do where we may not install.
fn request(missing: &[Tool]) -> String {
    let named: Vec<_> =
        missing.iter().map(|tool| format!("{} (needed {})", tool.program, tool.needed)).collect();
    format!(
        "missing and not installable from here: {}\nrun this, then try again:\n\n    \
         sudo apt-get update && sudo apt-get install -y {}\n\n\
         (on other systems, the packages of the same meaning)\n",
        named.join(", "),
        packages(missing).join(" "),
    )
}

/// What a command must begin with to install packages without asking anybody; `None` where that
/// is not ours to do.
fn privilege() -> Option<&'static [&'static str]> {
    if !succeeds("apt-get", &["--version"]) {
        return None;
    }
    if is_root() {
        return Some(&["env"]);
    }
    succeeds("sudo", &["-n", "true"]).then_some(&["sudo", "-n", "env"])
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Renews the package lists, where that is ours to do.
pub(crate) fn update() -> anyhow::Result<()> {
    match privilege() {
        Some(prefix) => apt(prefix, &["update", "-q"]),
        None => bail!("the package lists cannot be renewed from here"),
    }
}

fn install(prefix: &[&str], packages: &[&str]) -> anyhow::Result<()> {
    // A stale list may still name what we need, so only the installation decides.
    if let Err(error) = apt(prefix, &["update", "-q"]) {
        eprintln!("continuing with the package lists as they are: {error:#}");
    }
    apt(prefix, &[&["install", "-y", "-q", "--no-install-recommends"], packages].concat())
}

fn apt(prefix: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let words = [prefix, &["DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
    let Some((program, rest)) = words.split_first() else { return Ok(()) };
    eprintln!("running `{}`", words.join(" "));
    let status = Command::new(program).args(rest).status().context("could not run apt-get")?;
    if !status.success() {
        bail!("apt-get failed ({status})");
    }
    Ok(())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGINARY: Tool =
        Tool { program: "no-such-program", packages: &["one", "two"], needed: "by nobody" };

    #[test]
    fn a_program_is_looked_for_in_every_folder_of_the_path() {
        assert!(is_on(OsStr::new("/nonexistent:/bin:/usr/bin"), "sh"));
        assert!(!is_on(OsStr::new("/nonexistent"), "sh"));
        assert!(!is_on(OsStr::new(""), "sh"));
    }

    #[test]
    fn a_folder_is_no_program() {
        assert!(!is_on(OsStr::new("/"), "bin"));
    }

    #[test]
    fn only_what_is_absent_is_missing() {
        let shell = Tool { program: "sh", ..IMAGINARY };

        let missing = missing_from(&[shell, IMAGINARY], OsStr::new("/bin:/usr/bin"));

        assert_eq!(packages(&missing), ["one", "two"]);
    }

    #[test]
    fn a_request_is_a_command_to_copy() {
        let request = request(&[IMAGINARY]);

        assert!(request.contains("no-such-program (needed by nobody)"), "{request}");
        assert!(request.contains("sudo apt-get install -y one two\n"), "{request}");
    }
}
