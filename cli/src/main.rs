//! `stockade`: what operators and security teams type.
//!
//! One file for each verb. Every verb says what it does in `--help`, and promises its exit codes
//! in [`exit`].

mod ban;
#[cfg(feature = "serve")]
mod copy;
mod exit;
mod health;
#[cfg(feature = "serve")]
mod migrate;
mod policy;
#[cfg(feature = "serve")]
mod up;
#[cfg(feature = "serve")]
mod user;
#[cfg(feature = "serve")]
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

#[cfg(feature = "serve")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The security edge and its policies.
#[derive(Debug, Parser)]
#[command(name = "stockade", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the whole system, edge and core, on embedded defaults.
    #[cfg(feature = "serve")]
    Up(up::UpArgs),
    /// Prove that stock, ledger and orders agree; exit code 2 when they do not.
    #[cfg(feature = "serve")]
    Verify(verify::VerifyArgs),
    /// Make PostgreSQL's tables, as their owner, or bring them up to date.
    #[cfg(feature = "serve")]
    Migrate(migrate::MigrateArgs),
    /// Move a shop from SQLite to PostgreSQL, and prove that all of it is there.
    #[cfg(feature = "serve")]
    Copy(copy::CopyArgs),
    /// Make accounts from the command line.
    #[cfg(feature = "serve")]
    User(user::UserArgs),
    /// Ask a running program whether it wants traffic; exit code 0 for yes, 1 for no.
    Health(health::HealthArgs),
    /// Check, test and print policies.
    Policy(policy::PolicyArgs),
    /// Refuse everything from an address or network for a while.
    Ban(ban::BanArgs),
    /// Lift a ban.
    Unban(ban::UnbanArgs),
    /// List the bans in force.
    Bans(ban::BansArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let done = match cli.verb {
        #[cfg(feature = "serve")]
        Verb::Up(args) => up::run(&args, &mut out),
        #[cfg(feature = "serve")]
        Verb::Verify(args) => verify::run(&args, &mut out),
        #[cfg(feature = "serve")]
        Verb::Migrate(args) => migrate::run(&args, &mut out),
        #[cfg(feature = "serve")]
        Verb::Copy(args) => copy::run(&args, &mut out),
        #[cfg(feature = "serve")]
        Verb::User(args) => user::run(&args, &mut out),
        Verb::Health(args) => health::run(&args, &mut out),
        Verb::Policy(args) => policy::run(&args, &mut out),
        Verb::Ban(args) => ban::ban(&args, &mut out),
        Verb::Unban(args) => ban::unban(&args, &mut out),
        Verb::Bans(args) => ban::bans(&args, &mut out),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Standard error may be closed; the exit code still tells.
            drop(writeln!(io::stderr(), "stockade: {error:#}"));
            Exit::Failed.into()
        }
    }
}
