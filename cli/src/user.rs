//! `stockade user`: accounts from the command line: one whose owner chooses the password by a
//! one-time link, or those of an earlier backend.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use stockade_core_api::UserAdmin;

use crate::database::DatabaseArgs;
use crate::exit::Exit;

/// Arguments of `stockade user`.
#[derive(Debug, clap::Args)]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    verb: UserVerb,
}

/// What to do with accounts.
#[derive(Debug, clap::Subcommand)]
enum UserVerb {
    /// Makes an account and prints the one-time token by which its owner sets the password.
    Create(CreateArgs),
    /// Makes the accounts of an earlier backend, with the bcrypt hashes it kept: all or none.
    Import(ImportArgs),
}

/// Arguments of `stockade user create`.
#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// A role of the policy, such as `super-admin`.
    #[arg(long)]
    role: String,
    /// 3 to 32 letters and digits.
    #[arg(long)]
    username: String,
    /// Where its owner is written to.
    #[arg(long)]
    email: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Arguments of `stockade user import`.
#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// One JSON object a line: username, email, password_hash, role, and phone if there is one.
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(args: &UserArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.verb {
        UserVerb::Create(args) => create(args, out),
        UserVerb::Import(args) => import(args, out),
    }
}

fn import(args: &ImportArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let file = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read `{file}`"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let count = runtime.block_on(async {
        let mut admin = UserAdmin::open(&args.database.settings()).await?;
        admin.import(&text).await.with_context(|| format!("`{file}`"))
    })?;
    writeln!(out, "{count} accounts made; each hash is replaced by a stronger one at its login")?;
    Ok(Exit::Done)
}

fn create(args: &CreateArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let invitation = runtime.block_on(async {
        let mut admin = UserAdmin::open(&args.database.settings()).await?;
        admin.create(&args.username, &args.email, &args.role).await
    })?;
    writeln!(out, "{} may set a password once, within a day, with this token:", args.username)?;
    writeln!(out, "  {}", invitation.token)?;
    writeln!(out, "by POST /api/auth/password/reset {{\"token\": ..., \"password\": ...}}")?;
    Ok(Exit::Done)
}
