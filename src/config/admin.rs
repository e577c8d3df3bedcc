//! Where operators ask: probes, metrics and the page.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::{InvalidListen, Listen};

/// The word that keeps the listener closed.
const OFF: &str = "off";

/// Settings of the admin listener.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address of the admin listener, as `listen` is written, or `off`. Not set, it is
    /// 127.0.0.1:8081, or any free port where that one is taken, and off with stdio alone.
    pub listen: Option<AdminListen>,
}

/// An address for operators, or none.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum AdminListen {
    /// Nobody is answered.
    Off,
    /// As for agents.
    At(Listen),
}

impl AdminListen {
    /// What is tried first if nothing is set.
    pub const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
}

impl FromStr for AdminListen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            OFF => Ok(Self::Off),
            address => address.parse().map(Self::At),
        }
    }
}

impl TryFrom<String> for AdminListen {
    type Error = InvalidListen;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AdminListen> for String {
    fn from(listen: AdminListen) -> Self {
        listen.to_string()
    }
}

impl fmt::Display for AdminListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str(OFF),
            Self::At(listen) => listen.fmt(f),
        }
    }
}
