//! `stockade init`: settings and policies with which the edge alone fronts somebody's own service.
//!
//! Nothing that exists is touched: one file in the way, and nothing is written.

mod upstream;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use stockade_policy::{Bundle, BundleFiles, matrix};

use self::upstream::Upstream;
use crate::exit::Exit;
use crate::render::{Screen, Tone};

/// The settings; `{upstream}` stands for the line that says where the service is.
const SETTINGS: &str = include_str!("init/stockade.toml");

/// The files of the bundle.
const BUNDLE: [(&str, &str); 4] = [
    ("model.conf", include_str!("../../policies/model.conf")),
    ("roles.csv", include_str!("init/policies/roles.csv")),
    ("policy.csv", include_str!("init/policies/policy.csv")),
    ("routes.toml", include_str!("init/policies/routes.toml")),
];

/// The cases of the bundle.
const CASES: &str = include_str!("init/policies/cases/service.yaml");

/// Where certificate, key and secret are, as the settings name it.
const KEYS: &str = ".stockade";

/// Arguments of `stockade init`.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The folder to write to; made where there is none.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where your service is: http://ADDRESS:PORT on this machine, or unix:/PATH.
    #[arg(long, value_name = "URL")]
    upstream: Upstream,
}

/// A file to be made: its name below the folder, its text, and what it is for.
type NewFile = (String, String, &'static str);

pub(crate) fn run(args: &InitArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let files = files(&args.upstream)?;
    for (name, _, _) in &files {
        let path = args.folder.join(name);
        if path.symlink_metadata().is_ok() {
            bail!("`{}` is there already, and nothing is overwritten", path.display());
        }
    }
    for (name, text, _) in &files {
        write_new(&args.folder.join(name), text)?;
    }
    let has_keys = make_keys(&args.folder.join(KEYS))?;
    tell(args, &files, has_keys, screen)?;
    Ok(Exit::Done)
}

fn files(upstream: &Upstream) -> anyhow::Result<Vec<NewFile>> {
    let purpose = |name: &str| match name {
        "model.conf" => "the Casbin model; fixed",
        "roles.csv" => "who inherits from whom",
        "policy.csv" => "who may do what",
        _ => "what there is to protect, networks, limits, routes",
    };
    let settings = SETTINGS.replace("{upstream}", &upstream.setting());
    let mut files: Vec<NewFile> =
        vec![("stockade.toml".to_owned(), settings, "the edge: addresses, certificate, issuers")];
    files.extend(
        BUNDLE.map(|(name, text)| (format!("policies/{name}"), text.to_owned(), purpose(name))),
    );
    let cases = "sentences about who may do what";
    files.push(("policies/cases/service.yaml".to_owned(), CASES.to_owned(), cases));
    let effect = "what every role gets on every route";
    files.push(("policies/golden/matrix.txt".to_owned(), matrix()?, effect));
    Ok(files)
}

fn matrix() -> anyhow::Result<String> {
    let files: BTreeMap<_, _> =
        BUNDLE.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    let bundle = Bundle::load(&BundleFiles::new(files));
    let bundle = bundle.map_err(|findings| {
        let first = findings.first().map(ToString::to_string).unwrap_or_default();
        anyhow::anyhow!("the starter policy is refused: {first}")
    })?;
    Ok(matrix::render(&bundle))
}

/// Writes a file that is not there yet. Its owner alone may change it, or the edge would refuse
/// the policy.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().with_context(|| format!("`{}` could not be written", path.display()))
}

/// Makes certificate, key and secret. False says that this program was built without the means.
#[cfg(feature = "serve")]
fn make_keys(folder: &Path) -> anyhow::Result<bool> {
    crate::up::make_edge_files(folder)?;
    Ok(true)
}

#[cfg(not(feature = "serve"))]
fn make_keys(_: &Path) -> anyhow::Result<bool> {
    Ok(false)
}

/// What makes them by hand.
const KEYS_BY_HAND: &str = "\
mkdir -m 700 .stockade && echo '*' > .stockade/.gitignore
(umask 077 && openssl rand -hex 32 > .stockade/assertion-secret)
(umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 397 \\
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \\
    -keyout .stockade/localhost-key.pem -out .stockade/localhost.pem)
cp .stockade/localhost.pem .stockade/ca.pem
";

fn tell(
    args: &InitArgs,
    files: &[NewFile],
    has_keys: bool,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let look = screen.look();
    let keys = (format!("{KEYS}/"), "a certificate for localhost and a secret, for development");
    let made = files.iter().map(|(name, _, purpose)| (name, *purpose));
    let made: Vec<_> = made.chain(has_keys.then_some((&keys.0, keys.1))).collect();
    let width = made.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, purpose) in made {
        let (made, name) = (look.paint(Tone::Good, "made"), format!("{name:<width$}"));
        writeln!(screen, "{made} {}  {purpose}", look.paint(Tone::Strong, &name))?;
    }
    writeln!(screen, "\n{}", look.paint(Tone::Strong, "Next"))?;
    if args.folder != Path::new(".") {
        writeln!(screen, "cd {}", args.folder.display())?;
    }
    if !has_keys {
        write!(screen, "{KEYS_BY_HAND}")?;
    }
    writeln!(screen, "stockade-proxy --config stockade.toml")?;
    writeln!(screen, "curl --cacert {KEYS}/ca.pem https://localhost:8443/")?;
    writeln!(screen, "\n{}\n{THEN}", look.paint(Tone::Strong, "Then"))?;
    Ok(())
}

/// What is left to do before production.
const THEN: &str = "\
- name the issuer of your tokens in stockade.toml ([[edge.issuers]])
- say who may do what in policies/, and try it: stockade policy check, test, matrix
- in production, name your own certificate in stockade.toml ([edge.tls])";
