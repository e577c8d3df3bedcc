//! Who may call, as it is set.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tracing::{info, warn};

use crate::{
    auth::{Authenticator, JwtSettings, KeySource, Settings},
    config::{AuthMode, Config, Transport},
    mcp::Callers,
    observed::Metrics,
};

/// Prepares to tell callers apart; none if all are one.
///
/// # Errors
///
/// If a file of tokens or keys cannot be used.
pub(super) fn authenticator(
    config: &Config,
    metrics: &Metrics,
) -> anyhow::Result<Option<Arc<Authenticator>>> {
    let listens = config.transport != Transport::Stdio;
    let Some(settings) = settings(config) else {
        if listens && !config.listen.ip.is_loopback() {
            warn!(
                name: "lockstep.auth.open",
                { listen = %config.listen },
                "whoever reaches this address reads and changes every session: set `auth.mode` to \
                 `tokens` or `jwt`, or listen on 127.0.0.1"
            );
        }
        return Ok(None);
    };
    if !listens {
        return Ok(None); // Whoever holds the other end of standard input has started us.
    }
    let authenticator = Authenticator::open(settings, metrics).context("`auth` cannot work")?;
    info!(mode = ?config.auth.mode, "callers prove who they are");
    Ok(Some(Arc::new(authenticator)))
}

/// Says whether sessions belong to whoever started them.
pub(super) fn callers(config: &Config) -> Callers {
    match config.auth.mode {
        AuthMode::None => Callers::One,
        AuthMode::Tokens | AuthMode::Jwt => Callers::ToldApart,
    }
}

fn settings(config: &Config) -> Option<Settings> {
    let auth = &config.auth;
    match auth.mode {
        AuthMode::None => None,
        AuthMode::Tokens => auth.tokens_file.clone().map(Settings::Tokens),
        AuthMode::Jwt => {
            let (jwt, public_url) = (&auth.jwt, config.http.public_url.as_ref()?);
            Some(Settings::Jwt(JwtSettings {
                issuer: jwt.issuer.clone(),
                audience: jwt.audience.as_ref().unwrap_or(public_url).clone(),
                keys: match &jwt.jwks_file {
                    Some(file) => KeySource::File(file.clone()),
                    None => KeySource::Web {
                        url: jwt.jwks_url.clone(),
                        tls_ca: jwt.tls_ca.clone(),
                    },
                },
                leeway: Duration::from_secs(jwt.leeway_secs),
                principal_claim: jwt.principal_claim.clone(),
                required_scope: jwt.required_scope.clone(),
                public_url: public_url.clone(),
            }))
        }
    }
}
