//! Settings of products' images: where they are kept, who signs for them, who looks into them.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

/// The `[core.images]` section. Without a `bucket`, images are kept in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageSettings {
    /// The folder in which images are kept.
    pub folder: Option<PathBuf>,
    /// The keys that sign links to images, one a line, each at least 32 bytes: the first signs,
    /// and a second one is still believed.
    pub link_keys_file: Option<PathBuf>,
    /// The bucket in which images are kept instead, at a service that speaks S3.
    pub bucket: Option<BucketSettings>,
    /// Longest time that an image may take to arrive.
    pub receive_timeout_ms: NonZeroU32,
}

impl Default for ImageSettings {
    fn default() -> Self {
        let receive_timeout_ms = NonZeroU32::new(60_000).unwrap_or(NonZeroU32::MIN);
        Self { folder: None, link_keys_file: None, bucket: None, receive_timeout_ms }
    }
}

/// The `[core.images.bucket]` section: a bucket of a service that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketSettings {
    /// The bucket's name.
    pub name: String,
    /// Where the service is: `https://...`, or `http://` on this machine.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who the core is to the service.
    pub access_key_id: String,
    /// The secret to `access_key_id`.
    pub secret_access_key_file: PathBuf,
}

/// The `[core.scanner]` section: a clamd that looks into what is uploaded. Without an `address`,
/// nobody does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScannerSettings {
    /// Where clamd is: `unix:/run/clamav/clamd.ctl`, or `127.0.0.1:3310`.
    pub address: Option<String>,
    /// Longest time that it may take for one image.
    pub timeout_ms: NonZeroU32,
}

impl Default for ScannerSettings {
    fn default() -> Self {
        Self { address: None, timeout_ms: NonZeroU32::new(10_000).unwrap_or(NonZeroU32::MIN) }
    }
}
