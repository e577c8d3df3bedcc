//! The address to listen on.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// An IP address and the ports to try, in order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen {
    /// The interface. Not loopback means: reachable from other machines.
    pub ip: IpAddr,
    /// The first free one is taken; port 0 is whatever the system gives.
    pub ports: RangeInclusive<u16>,
}

/// A string that names no address to listen on.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not an address to listen on: use IP:PORT, IP:0 for any free port, or IP:FIRST-LAST; an IPv6 address goes in brackets"
)]
pub struct InvalidListen(String);

impl Default for Listen {
    fn default() -> Self {
        Self {
            ip: IpAddr::from([127, 0, 0, 1]),
            ports: 8080..=8080,
        }
    }
}

impl Listen {
    /// Returns where this machine reaches the listener, if the port is known beforehand.
    pub fn only_address(&self) -> Option<SocketAddr> {
        let (first, last) = (*self.ports.start(), *self.ports.end());
        let ip = match self.ip {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        (first != 0 && first == last).then_some((ip, first).into())
    }
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidListen(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Listen> {
    let (ip, ports) = text.rsplit_once(':')?;
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
    let ip: IpAddr = match bare {
        Some(ip) => IpAddr::V6(ip.parse().ok()?),
        None if ip == "localhost" => IpAddr::from([127, 0, 0, 1]),
        None => IpAddr::V4(ip.parse().ok()?),
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(Listen {
        ip,
        ports: first..=last,
    })
}

impl TryFrom<String> for Listen {
    type Error = InvalidListen;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            IpAddr::V4(ip) => write!(f, "{ip}:")?,
            IpAddr::V6(ip) => write!(f, "[{ip}]:")?,
        }
        match (self.ports.start(), self.ports.end()) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_ip_and_a_port_or_a_range_of_ports() {
        let cases = [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("localhost:0", Some("127.0.0.1:0")),
            ("[::1]:4242-5242", Some("[::1]:4242-5242")),
            ("0.0.0.0:1-1", Some("0.0.0.0:1")),
            ("::1:80", None),
            ("127.0.0.1", None),
            ("127.0.0.1:9-8", None),
            ("127.0.0.1:65536", None),
            ("example.org:80", None),
            ("", None),
        ];
        for (text, shown) in cases {
            let parsed = text.parse::<Listen>().ok().map(|listen| listen.to_string());
            assert_eq!(parsed.as_deref(), shown, "{text:?}");
        }
    }
}
