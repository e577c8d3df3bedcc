//! Where the admin listener of a running server is.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};

use crate::{
    config::{AdminListen, Config},
    http::DiscoveryFile,
};

/// Returns the address of the admin listener of the server that runs with this configuration:
/// the one that is set, or what the server has left in its discovery file.
///
/// # Errors
///
/// If the admin listener is off, or neither says an address.
pub fn admin_address(config: &Config) -> anyhow::Result<SocketAddr> {
    match config.admin.listen.as_ref() {
        Some(AdminListen::Off) => bail!("`admin.listen` is off: nothing answers"),
        Some(AdminListen::At(listen)) => match listen.only_address() {
            Some(address) => Ok(address),
            None => discovered(config).with_context(|| {
                format!("`admin.listen` is {listen}, which does not say the port: give --address")
            }),
        },
        None => Ok(discovered(config).unwrap_or(AdminListen::DEFAULT)),
    }
}

fn discovered(config: &Config) -> Option<SocketAddr> {
    let url = DiscoveryFile::found_in(config.state.dir()?)?.admin_url?;
    url.strip_prefix("http://")?.parse().ok()
}
