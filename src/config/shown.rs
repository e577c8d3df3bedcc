//! The settings as text that may be shown.

use anyhow::Context as _;
use serde_json::Value;

use super::{Config, state::redacted};

impl Config {
    /// Returns the settings as YAML, which [`Config::load`] reads. The password of any address is
    /// replaced.
    ///
    /// # Errors
    ///
    /// If a setting cannot be written as YAML.
    pub fn shown(&self) -> anyhow::Result<String> {
        serde_saphyr::to_string(&self.redacted()?).context("the settings cannot be written")
    }

    /// Returns the settings, the password of any address replaced.
    ///
    /// # Errors
    ///
    /// If a setting cannot be written.
    pub fn redacted(&self) -> anyhow::Result<Value> {
        let mut settings = serde_json::to_value(self)?;
        redact(&mut settings);
        Ok(settings)
    }
}

/// Replaces the password of every address below `value`.
fn redact(value: &mut Value) {
    match value {
        Value::String(text) => *text = redacted(text),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(fields) => fields.values_mut().for_each(redact),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_is_read_back_as_the_same_settings() {
        let mut config = Config::default();
        config.http.allowed_hosts = vec!["lockstep.example".into(), "yes".into(), "1".into()];
        config.search.document_weight = 2.5;

        let shown = config.shown().unwrap();

        let read: Config = serde_saphyr::from_str(&shown).unwrap();
        assert_eq!(read, config, "{shown}");
    }

    #[test]
    fn no_password_is_shown_wherever_it_stands() {
        let mut settings = json!({
            "state": "postgres://me:s3cret@db/x",
            "later": [{ "address": "https://a:s3cret@b" }],
        });

        redact(&mut settings);

        let shown = settings.to_string();
        assert!(!shown.contains("s3cret"), "{shown}");
        assert_eq!(settings["state"], "postgres://me:[redacted]@db/x");
    }

    #[test]
    fn the_settings_are_shown_without_the_password_of_the_database() {
        let config = Config {
            state: "postgres://me:s3cret@db/x".parse().unwrap(),
            ..Config::default()
        };

        let shown = config.shown().unwrap() + &config.redacted().unwrap().to_string();

        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("postgres://me:[redacted]@db/x"), "{shown}");
    }
}
