//! `stockade`: what operators and security teams type.
//!
//! One file for each verb. Every verb says what it does in `--help`, and promises its exit codes
//! in [`exit`].

#[cfg(feature = "serve")]
mod audit;
mod ban;
mod completions;
mod control;
#[cfg(feature = "serve")]
mod copy;
#[cfg(feature = "serve")]
mod database;
mod exit;
mod health;
mod help;
mod init;
mod man;
#[cfg(feature = "serve")]
mod migrate;
mod policy;
#[cfg(feature = "serve")]
mod privacy;
mod render;
#[cfg(feature = "serve")]
mod rotate;
#[cfg(feature = "serve")]
mod token;
#[cfg(feature = "serve")]
mod up;
#[cfg(feature = "serve")]
mod user;
#[cfg(feature = "serve")]
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::exit::Exit;
use crate::render::{Color, Screen};

#[cfg(feature = "serve")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The security edge and its policies.
#[derive(Debug, Parser)]
#[command(name = "stockade", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// When output has colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the whole system, edge and core, on embedded defaults.
    #[cfg(feature = "serve")]
    Up(up::UpArgs),
    /// Prove that stock, ledger and orders agree.
    #[cfg(feature = "serve")]
    Verify(verify::VerifyArgs),
    /// Prove that nobody changed what was told of changes.
    #[cfg(feature = "serve")]
    Audit(audit::AuditArgs),
    /// Make PostgreSQL's tables, as their owner, or bring them up to date.
    #[cfg(feature = "serve")]
    Migrate(migrate::MigrateArgs),
    /// Move a shop from SQLite to PostgreSQL, and prove that all of it is there.
    #[cfg(feature = "serve")]
    Copy(copy::CopyArgs),
    /// Make accounts from the command line.
    #[cfg(feature = "serve")]
    User(user::UserArgs),
    /// Look after people's data: retention, keys, erasures after a restore.
    #[cfg(feature = "serve")]
    Privacy(privacy::PrivacyArgs),
    /// Log a demo account in, with its second factor, and print its access token.
    #[cfg(feature = "serve")]
    Token(token::TokenArgs),
    /// Replace what is secret, without a restart.
    #[cfg(feature = "serve")]
    Rotate(rotate::RotateArgs),
    /// Ask a running program whether it wants traffic.
    Health(health::HealthArgs),
    /// Write settings and policies for fronting your own HTTP service with the edge alone.
    Init(init::InitArgs),
    /// Check, test and print policies.
    Policy(policy::PolicyArgs),
    /// Refuse everything from an address or network for a while.
    Ban(ban::BanArgs),
    /// Lift a ban.
    Unban(ban::UnbanArgs),
    /// List the bans in force.
    Bans(ban::BansArgs),
    /// Print what a shell needs to complete verbs and flags.
    Completions(completions::CompletionsArgs),
    /// Print or write the manual.
    Man(man::ManArgs),
}

/// The command line, as help, completions and the manual show it.
fn command() -> clap::Command {
    help::with_pages(Cli::command())
}

fn main() -> ExitCode {
    let cli = match command().try_get_matches().and_then(|words| Cli::from_arg_matches(&words)) {
        Ok(cli) => cli,
        Err(error) => return tell_usage(&error).into(),
    };
    let mut out = io::stdout().lock();
    let mut screen = Screen::of_stdout(&mut out, cli.color);
    let done = run(&cli.verb, &mut screen);
    match done.and_then(|exit| screen.flush().map(|()| exit).map_err(Into::into)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // Standard error may be closed; the exit code still tells.
            drop(writeln!(io::stderr(), "stockade: {error:#}"));
            Exit::Failed.into()
        }
    }
}

/// Prints help, the version, or what is wrong with the command line. The parser's own exit code
/// for the latter would be that of an answer.
fn tell_usage(error: &clap::Error) -> Exit {
    // Whoever asked may be gone; the exit code still tells.
    drop(error.print());
    if error.use_stderr() { Exit::Failed } else { Exit::Done }
}

fn run(verb: &Verb, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    match verb {
        #[cfg(feature = "serve")]
        Verb::Up(args) => up::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Verify(args) => verify::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Audit(args) => audit::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Migrate(args) => migrate::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Copy(args) => copy::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::User(args) => user::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Privacy(args) => privacy::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Token(args) => token::run(args, screen),
        #[cfg(feature = "serve")]
        Verb::Rotate(args) => rotate::run(args, screen),
        Verb::Health(args) => health::run(args, screen),
        Verb::Init(args) => init::run(args, screen),
        Verb::Policy(args) => policy::run(args, screen),
        Verb::Ban(args) => ban::ban(args, screen),
        Verb::Unban(args) => ban::unban(args, screen),
        Verb::Bans(args) => ban::bans(args, screen),
        Verb::Completions(args) => completions::run(args, screen),
        Verb::Man(args) => man::run(args, screen),
    }
}
