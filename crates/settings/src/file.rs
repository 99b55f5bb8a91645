//! Reading `stockade.toml`: located errors, paths relative to the file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Settings;

/// Longest settings file accepted, in bytes.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: cannot read the settings: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not one of ours.
    #[error("{}:{line}:{column}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong, in one line.
        message: String,
    },
}

impl Settings {
    /// Reads a settings file; what it leaves out keeps its default.
    ///
    /// # Errors
    /// [`SettingsError`], naming file, line and column.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        let mut settings = Self::parse(path, &text)?;
        settings.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(settings)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let invalid = |offset: usize, message: String| {
            let (line, column) = position(text, offset);
            SettingsError::Invalid { path: path.to_owned(), line, column, message }
        };
        if text.len() > FILE_BYTES_MAX {
            return Err(invalid(0, format!("the file is longer than {FILE_BYTES_MAX} bytes")));
        }
        toml::from_str(text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            invalid(error.span().map_or(0, |span| span.start), message)
        })
    }

    fn resolve(&mut self, base: &Path) {
        let (edge, core) = (&mut self.edge, &mut self.core);
        let paths = [
            &mut edge.access_log_file,
            &mut edge.bans_file,
            &mut edge.control_socket,
            &mut edge.tls.certificate_file,
            &mut edge.tls.private_key_file,
            &mut edge.upstream.socket,
            &mut edge.upstream.assertion_secret_file,
            &mut core.socket,
            &mut core.store.password_file,
            &mut core.assertion_secret_file,
            &mut core.signing_key_file,
            &mut core.password_pepper_file,
            &mut core.data_key_file,
            &mut core.mail.ca_file,
            &mut core.mail.password_file,
            &mut core.mail.folder,
            &mut core.payments.secret_key_file,
        ];
        let issuers = edge.issuers.iter_mut().map(|issuer| &mut issuer.jwks_file);
        for path in paths.into_iter().chain(issuers).flatten() {
            *path = base.join(&*path);
        }
        for path in &mut core.payments.webhook_secret_files {
            *path = base.join(&*path);
        }
        if let Some(url) = &mut core.store.url {
            url.resolve(base);
        }
    }
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreUrl;

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Settings::parse(Path::new("stockade.toml"), text).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(Settings::parse(Path::new("s"), "").unwrap(), Settings::default());
    }

    #[test]
    fn the_shipped_file_says_nothing_but_defaults() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stockade.toml");
        assert_eq!(Settings::load(&shipped).unwrap(), Settings::default());
    }

    #[test]
    fn a_misspelled_setting_is_refused_where_it_stands() {
        refused(
            "[log]\nformat = \"json\"\nfromat = \"json\"\n",
            "stockade.toml:3:1: unknown field `fromat`, expected `format`",
        );
    }

    #[test]
    fn a_wrong_value_is_refused_where_it_stands() {
        refused("[edge]\nlisten = \"here\"\n", "stockade.toml:2:10: invalid socket address syntax");
    }

    #[test]
    fn a_database_that_cannot_be_is_refused_where_it_stands() {
        refused(
            "[core.store]\nurl = \"postgres://a@db.example/shop\"\n",
            "stockade.toml:2:7: `db.example` is not on this machine: sslmode=verify-full and \
             sslrootcert are needed",
        );
        refused("[core.store]\nwriters = 17\n", "stockade.toml:2:11: there are 1 to 16 writers");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stockade.toml");
        let text = "[core]\nsocket = \"run/core.sock\"\nstore.url = \"sqlite:shop.db\"\n";
        fs::write(&file, text).unwrap();
        let settings = Settings::load(&file).unwrap();
        let database = StoreUrl::Sqlite(folder.path().join("shop.db"));
        assert_eq!(settings.core.store.url, Some(database));
        assert_eq!(settings.core.socket, Some(folder.path().join("run/core.sock")));
    }
}
