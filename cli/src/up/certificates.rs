//! A development authority and a certificate for localhost, made again before they expire.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use super::data_dir::DataDir;

/// The authority's certificate: what a client needs to trust.
pub(super) const AUTHORITY: &str = "ca.pem";

const CERTIFICATE: &str = "localhost.pem";
const KEY: &str = "localhost-key.pem";

/// How long a certificate is good for.
const LIFETIME: Duration = Duration::days(397);

/// How old a certificate may be before it is made again.
const RENEWAL_AGE: Duration = Duration::days(300);

/// The files of a certificate for localhost.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// Finds the certificate, or makes authority and certificate anew.
///
/// The authority's key is thrown away once it has signed, so that nobody can sign with it.
pub(super) fn for_localhost(data: &DataDir) -> anyhow::Result<Made> {
    let made = Made { certificate: data.path(CERTIFICATE), key: data.path(KEY) };
    if is_young(&made) {
        return Ok(made);
    }
    make(data).context("cannot make a development certificate")?;
    Ok(made)
}

fn is_young(made: &Made) -> bool {
    let age = |path| fs::metadata(path).ok()?.modified().ok()?.elapsed().ok();
    made.key.exists() && age(&made.certificate).is_some_and(|age| age < RENEWAL_AGE)
}

fn make(data: &DataDir) -> anyhow::Result<()> {
    let (authority, authority_key) = (authority_params()?, KeyPair::generate()?);
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let certificate = localhost_params()?.signed_by(&key, &issuer)?;
    // The certificate comes last: it is what tells the next start that all are there.
    data.write(AUTHORITY, authority_certificate.pem().as_bytes())?;
    data.write(KEY, key.serialize_pem().as_bytes())?;
    data.write(CERTIFICATE, certificate.pem().as_bytes())?;
    Ok(())
}

fn authority_params() -> anyhow::Result<CertificateParams> {
    let mut params = params("Stockade development authority", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn localhost_params() -> anyhow::Result<CertificateParams> {
    let mut params = params("localhost", vec!["localhost".to_owned()])?;
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn params(name: &str, hosts: Vec<String>) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A day earlier, for clocks that disagree.
    params.not_before = OffsetDateTime::now_utc() - Duration::DAY;
    params.not_after = params.not_before + LIFETIME;
    Ok(params)
}
