//! YAML for figment, through the one YAML library that we use.

use figment::providers::Format;
use serde::de::DeserializeOwned;

/// Reads configuration files.
pub(super) struct Yaml;

impl Format for Yaml {
    type Error = serde_saphyr::Error;

    const NAME: &'static str = "YAML";

    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        serde_saphyr::from_str(text)
    }
}
