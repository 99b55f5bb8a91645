//! The one cryptographic provider: aws-lc-rs, for TLS and for tokens.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Makes aws-lc-rs the process's provider. Called before anything of Pingora, which would
/// install another; a second call changes nothing.
pub(crate) fn install() -> Arc<CryptoProvider> {
    // An error says that a provider is installed already: by an earlier call, since this is
    // the first thing the edge does.
    drop(aws_lc_rs::default_provider().install_default());
    Arc::new(aws_lc_rs::default_provider())
}
