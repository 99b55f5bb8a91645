//! `stockade user create`: an account whose owner chooses the password by a one-time link.

use std::io::Write;
use std::path::PathBuf;

use stockade_core_api::UserAdmin;
use stockade_settings::store::{StoreSettings, StoreUrl, Writers};

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
    /// The core's database, `sqlite:FILE` or `postgres://...`; it may be in use.
    #[arg(long, value_name = "DATABASE", default_value = "sqlite:.stockade/stockade.db")]
    database: StoreUrl,
    /// PostgreSQL's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(crate) fn run(args: &UserArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let UserVerb::Create(args) = &args.verb;
    let settings = StoreSettings {
        password_file: args.password_file.clone(),
        writers: Writers::ONE,
        ..StoreSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let invitation = runtime.block_on(async {
        let mut admin = UserAdmin::open(&args.database, &settings).await?;
        admin.create(&args.username, &args.email, &args.role).await
    })?;
    writeln!(out, "{} may set a password once, within a day, with this token:", args.username)?;
    writeln!(out, "  {}", invitation.token)?;
    writeln!(out, "by POST /api/auth/password/set {{\"token\": ..., \"password\": ...}}")?;
    Ok(Exit::Done)
}
