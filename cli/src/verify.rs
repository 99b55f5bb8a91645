//! `stockade verify`: proof that the shop's books agree with themselves.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use stockade_settings::store::StoreUrl;
use stockade_settings::{ImageSettings, Settings};

use crate::exit::Exit;

/// Arguments of `stockade verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The core's database, `sqlite:FILE` or `postgres://...`; it may be in use.
    #[arg(
        value_name = "DATABASE",
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:.stockade/stockade.db"
    )]
    database: StoreUrl,
    /// PostgreSQL's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The folder of the products' images; left out, `images` beside a SQLite database.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// The core's settings, where they say that images are in a bucket.
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    config: Option<PathBuf>,
}

impl VerifyArgs {
    /// Where the images are, as far as that can be known.
    fn images(&self) -> anyhow::Result<Option<ImageSettings>> {
        if let Some(file) = &self.config {
            return Ok(Some(Settings::load(file)?.core.images));
        }
        let folder = match (&self.images, &self.database) {
            (Some(folder), _) => Some(folder.clone()),
            (None, StoreUrl::Sqlite(file)) => {
                Some(file.with_file_name("images")).filter(|folder| folder.is_dir())
            }
            (None, StoreUrl::Postgres(_)) => None,
        };
        Ok(folder.map(|folder| ImageSettings { folder: Some(folder), ..ImageSettings::default() }))
    }
}

/// Checks every rule of stock, ledger and orders, and that images have their files. The answer
/// is no when one is broken.
pub(crate) fn run(args: &VerifyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (database, password_file) = (&args.database, args.password_file.as_deref());
    let mut report = runtime
        .block_on(stockade_core_api::verify(database, password_file))
        .with_context(|| format!("cannot verify `{database}`"))?;
    let images = args.images()?;
    if let Some(images) = &images {
        let files = stockade_core_api::verify_images(database, password_file, images);
        let files = runtime.block_on(files).context("cannot verify the files of images")?;
        report = report.and(files);
    }
    writeln!(out, "{report}")?;
    if images.is_none() {
        writeln!(out, "files of images were not looked at: say --images DIR or --config FILE")?;
    }
    Ok(if report.is_intact() { Exit::Done } else { Exit::No })
}
