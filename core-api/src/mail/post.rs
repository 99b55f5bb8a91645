//! Where messages go: a mail server (RFC 5321), or the folder that is set in its place.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use stockade_settings::secret::{self, SecretError};
use stockade_settings::{MailSettings, MailTls};
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;
use zeroize::Zeroizing;

use super::Message;
use crate::ids::LetterId;

/// Longest wait for the server, at each step.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why messages cannot be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("core.mail.host is not set in stockade.toml")]
    Nowhere,
    #[error("core.mail.from `{0}` is not a mailbox such as `Shop <shop@example.org>`")]
    From(String),
    #[error("core.mail.password_file: {0}")]
    Password(SecretError),
    #[error("core.mail.username and core.mail.password_file belong together")]
    HalfCredentials,
    #[error("core.mail.ca_file `{}`: {why}", .path.display())]
    Authority { path: PathBuf, why: String },
    #[error("core.mail.tls is \"none\", but `{0}` is not on this machine")]
    InTheClear(String),
    #[error("core.mail.host `{host}`: {why}")]
    Host { host: String, why: String },
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("the recipient's address cannot be used")]
    Recipient,
    #[error("the message cannot be built")]
    Build(#[from] lettre::error::Error),
    #[error("the mail server did not take it: {}", answer(.0))]
    Server(#[from] lettre::transport::smtp::Error),
    #[error("it cannot be written: {0}")]
    Folder(#[from] io::Error),
}

/// What became of it, for the log. A server's own words are left out: they quote addresses.
fn answer(error: &lettre::transport::smtp::Error) -> String {
    error.status().map_or_else(|| error.to_string(), |code| format!("it answered {code}"))
}

/// Takes messages.
pub(crate) struct Post {
    from: Mailbox,
    way: Way,
}

enum Way {
    Server(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Post {
    pub(crate) fn open(settings: &MailSettings) -> Result<Self, PostError> {
        let from = settings.from.parse();
        let from = from.map_err(|_| PostError::From(settings.from.clone()))?;
        let way = match (&settings.host, &settings.folder) {
            (Some(host), _) => Way::Server(server(host, settings)?),
            (None, Some(folder)) => Way::Folder(folder.clone()),
            (None, None) => return Err(PostError::Nowhere),
        };
        Ok(Self { from, way })
    }

    /// Warns where nobody gets what is sent to them.
    pub(super) fn warn_of_folder(&self) {
        if let Way::Folder(folder) = &self.way {
            tracing::warn!(
                mail.folder = %folder.display(),
                "no mail server is set (core.mail.host): messages are written to a folder"
            );
        }
    }

    /// Hands a message over.
    pub(super) async fn send(&self, id: LetterId, message: &Message) -> Result<(), SendError> {
        let to = message.to.parse().map_err(|_| SendError::Recipient)?;
        let built = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(message.subject.as_str())
            .message_id(Some(format!("<{id}@stockade>")))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone())?;
        match &self.way {
            Way::Server(server) => server.send(built).await.map(|_| ()).map_err(SendError::from),
            Way::Folder(folder) => Ok(write(folder, id, &built.formatted()).await?),
        }
    }
}

fn server(
    host: &str,
    settings: &MailSettings,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, PostError> {
    let (port, tls) = match settings.tls {
        MailTls::Implicit => (465, Tls::Wrapper(parameters(host, settings)?)),
        MailTls::Starttls => (587, Tls::Required(parameters(host, settings)?)),
        MailTls::None if is_here(host) => (25, Tls::None),
        MailTls::None => return Err(PostError::InTheClear(host.to_owned())),
    };
    let port = settings.port.map_or(port, Into::into);
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host);
    let builder = builder.port(port).tls(tls).timeout(Some(TIMEOUT));
    Ok(match credentials(settings)? {
        Some(credentials) => builder.credentials(credentials).build(),
        None => builder.build(),
    })
}

/// SECURITY: links that set passwords travel in messages; in the clear, they stay on this machine.
fn is_here(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn parameters(host: &str, settings: &MailSettings) -> Result<TlsParameters, PostError> {
    let refused = |why: lettre::transport::smtp::Error| PostError::Host {
        host: host.to_owned(),
        why: why.to_string(),
    };
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let refused = |why: String| PostError::Authority { path: path.clone(), why };
        let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        let authority = Certificate::from_pem(&pem).map_err(|error| refused(error.to_string()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build().map_err(refused)
}

fn credentials(settings: &MailSettings) -> Result<Option<Credentials>, PostError> {
    match (&settings.username, &settings.password_file) {
        (None, None) => Ok(None),
        (Some(username), Some(file)) => {
            let password = Zeroizing::new(secret::read(file).map_err(PostError::Password)?);
            let password = String::from_utf8_lossy(&password).into_owned();
            Ok(Some(Credentials::new(username.clone(), password)))
        }
        _ => Err(PostError::HalfCredentials),
    }
}

/// Writes a message for its owner alone, whole or not at all.
async fn write(folder: &Path, id: LetterId, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).await?;
    let (draft, path) = (folder.join(format!("{id}.draft")), folder.join(format!("{id}.eml")));
    let mut options = OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&draft, &path).await?;
    tracing::warn!(mail.file = %path.display(), "a message was written, not sent");
    Ok(())
}
