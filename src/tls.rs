//! Encrypted connections that we make: whose certificates are trusted.

use std::{fmt, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Returns what a client of servers goes by whose certificates are signed by one of `ca`, a file in
/// PEM that the setting `setting` names; none: those of the system count.
///
/// # Errors
///
/// What is wrong with the file, or that there is no certificate.
pub(crate) fn client_config(ca: Option<&Path>, setting: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            let wrong =
                |error: &dyn fmt::Display| format!("`{setting}` is {}: {error}", file.display());
            let certificates =
                CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(format!(
            "there is no certificate to check its own by: set `{setting}`"
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
