//! A PostgreSQL for tests: a cluster of their own, from the installed server, gone afterwards.
//!
//! It runs as a user without privileges, on a Unix socket and a free loopback port. Whoever
//! watches it holds a pipe to the test: when the test ends, however it ends, the server is
//! stopped and its folder removed.

use std::ffi::OsStr;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Whom Debian and its kin know as nobody.
const NOBODY: u32 = 65534;

/// Where Debian and its kin put what only the server's user runs.
const SERVERS: &str = "/usr/lib/postgresql";

const MISSING: &str = "PostgreSQL's server is needed for this test and was not found; run `sudo \
     apt-get update && sudo apt-get install -y postgresql`, or put its `initdb` and `pg_ctl` on \
     the path";

/// The role that owns the tables.
pub const OWNER: &str = "stockade_owner";

/// The role the program logs in as.
pub const PROGRAM: &str = "stockade";

/// What the program's role gives over the network.
pub const PASSWORD: &str = "correct horse";

/// Tests are not asked to outlive the machine.
const UNSYNCED: &[(&str, &str)] =
    &[("fsync", "off"), ("full_page_writes", "off"), ("max_connections", "300")];

/// A running cluster. It ends when dropped, and with the process at the latest.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    options: String,
    /// Closing its standard input is the sign.
    watch: Child,
}

impl Cluster {
    /// The one cluster that the tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(UNSYNCED))
    }

    /// A cluster of its own, with these settings of the server.
    ///
    /// # Panics
    /// When the server is not installed or does not start.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let programs = programs().unwrap_or_else(|| panic!("{MISSING}"));
        let folder = tempfile::Builder::new().prefix("stockade-pg-").tempdir().unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        if geteuid().is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut options =
            format!("-k {} -p {port} -c listen_addresses=127.0.0.1", folder.display());
        for (name, value) in settings {
            options.push_str(&format!(" -c {name}={value}"));
        }
        let watch = watch(&programs, &folder);
        let cluster = Self { programs, folder, port, options, watch };
        let data = cluster.data();
        let words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        succeed(cluster.program("initdb").args(words).arg("-D").arg(&data));
        fs::write(
            data.join("pg_hba.conf"),
            "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
        )
        .unwrap();
        cluster.run();
        cluster.sql(
            "postgres",
            &format!(
                "CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}';
                 CREATE ROLE {PROGRAM} LOGIN PASSWORD '{PASSWORD}';"
            ),
        );
        cluster
    }

    /// Starts the server, again, and waits until it answers.
    pub fn run(&self) {
        let log = self.folder.join("server.log");
        let mut start = self.program("pg_ctl");
        start.args(["-w", "-s", "-o", &self.options, "-l"]).arg(log).arg("-D").arg(self.data());
        // The server keeps whatever it inherits open, so it inherits nothing.
        start.arg("start").stdout(Stdio::null()).stderr(Stdio::null());
        // After a kill, the last of the old server's children may still be leaving.
        let started = (0..100).any(|_| start.status().unwrap().success());
        assert!(started, "the server does not start:\n{}", self.log());
    }

    /// Ends the server where it stands, by its id.
    pub fn kill(&self) {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = Pid::from_raw(file.lines().next().unwrap().parse().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Ends the server and every session at once, as a crash would, and waits until it is gone.
    pub fn crash(&self) {
        let mut stop = self.program("pg_ctl");
        succeed(stop.args(["-w", "-s", "-m", "immediate", "-D"]).arg(self.data()).arg("stop"));
    }

    /// A new database of the owner's: empty, or a copy of another.
    pub fn create_database(&self, template: &str) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("shop_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}");
        self.sql("postgres", &create);
        name
    }

    /// Runs statements as the superuser.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = self.client("psql");
        psql.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", database]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        psql.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "psql failed: {statements}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A client program of the superuser.
    pub fn client(&self, name: &str) -> Command {
        let mut command = self.program(name);
        command.args(["-U", "postgres", "-p", &self.port.to_string(), "-h"]).arg(&self.folder);
        command
    }

    /// Where a database is, for a role, on the socket.
    pub fn url(&self, role: &str, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres:///{database}?host={folder}&port={port}&user={role}")
    }

    /// Where a database is, for a role, over the network, which asks for [`PASSWORD`].
    pub fn network_url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// The folder of the server's data, which its user can read.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// Makes a file in the data folder that is the server's alone.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.data().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        if geteuid().is_root() {
            chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    fn program(&self, name: &str) -> Command {
        unprivileged(&self.programs.join(name), &self.folder)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // An error says that it has ended by itself.
        drop(self.watch.wait());
    }
}

/// The folder of the server's programs, of the newest version there is.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir(SERVERS)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .collect();
    versions.sort_unstable();
    let debian = versions.last().map(|version| format!("{SERVERS}/{version}/bin").into());
    let path = env::var_os("PATH").unwrap_or_default();
    let all = debian.into_iter().chain(env::split_paths(&path));
    all.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

/// PostgreSQL does not run as root.
fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Waits for the end of this process, then ends the server.
fn watch(programs: &Path, folder: &Path) -> Child {
    let script = r#"cat; "$0" -w -s -m immediate -D "$1/data" stop; cd /; rm -rf "$1""#;
    unprivileged(OsStr::new("/bin/sh").as_ref(), folder)
        .args(["-c", script])
        .arg(programs.join("pg_ctl"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Not ended by whatever ends the tests.
        .process_group(0)
        .spawn()
        .unwrap()
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}
