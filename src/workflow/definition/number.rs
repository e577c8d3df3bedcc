//! Numbers in `metadata.json` as authors write them: `2`, `2.0`, `"2"`, and ranges such as `"1-N"`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Which phase an entry is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::workflow) enum Number {
    /// One phase with a directory of its own.
    One(u32),
    /// Phases that a session's source defines, such as `1-N`.
    Range(String),
}

/// How many phases a workflow has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Total {
    Fixed(u32),
    Dynamic,
}

/// A whole number, also if it is written as `2.0` or `"2"`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole(pub(super) u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a number from 0 up, or a range such as \"1-N\"";
        match deserializer.deserialize_any(Scalar(EXPECTED))? {
            Written::Number(number) => Ok(Self::One(number)),
            Written::Text(text) if is_range(&text) => Ok(Self::Range(text)),
            Written::Text(text) => Err(unexpected(&text, EXPECTED)),
        }
    }
}

impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a number, or \"dynamic\"";
        match deserializer.deserialize_any(Scalar(EXPECTED))? {
            Written::Number(number) => Ok(Self::Fixed(number)),
            Written::Text(text) if text.trim() == "dynamic" => Ok(Self::Dynamic),
            Written::Text(text) => Err(unexpected(&text, EXPECTED)),
        }
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "a whole number from 0 up";
        match deserializer.deserialize_any(Scalar(EXPECTED))? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => Err(unexpected(&text, EXPECTED)),
        }
    }
}

fn unexpected<E: Error>(text: &str, expected: &str) -> E {
    let text: String = text.chars().take(40).collect();
    E::custom(format!("`{}` is not {expected}", text.escape_debug()))
}

/// `1-N`, `1–N`, `1..N`, `1 to N`, `1+`, `N`, `dynamic`; the end may be a number too.
fn is_range(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let open = |end: &str| {
        matches!(end, "n" | "N" | "*" | "…")
            || !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit())
    };
    if digits == 0 {
        return matches!(text, "n" | "N" | "dynamic");
    }
    let rest = text[digits..].trim();
    let marks = ["..=", "...", "..", "-", "–", "—", "−", "to "];
    rest == "+"
        || marks
            .iter()
            .any(|mark| rest.strip_prefix(mark).is_some_and(|end| open(end.trim())))
}

/// What is written for a number.
enum Written {
    Number(u32),
    Text(String),
}

/// Reads a scalar of which this is expected.
struct Scalar(&'static str);

impl Visitor<'_> for Scalar {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Written, E> {
        match u32::try_from(number) {
            Ok(number) => Ok(Written::Number(number)),
            Err(_) => Err(unexpected(&number.to_string(), self.0)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(unexpected(&number.to_string(), self.0)),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Written, E> {
        match number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
            // In range, as was just seen.
            true => Ok(Written::Number(number as u32)),
            false => Err(unexpected(&number.to_string(), self.0)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
        Ok(match text.trim().parse() {
            Ok(number) => Written::Number(number),
            Err(_) => Written::Text(text.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_number_is_one_in_any_spelling_or_a_range() {
        let range = |text: &str| Some(Number::Range(text.to_owned()));
        let cases = [
            ("2", Some(Number::One(2))),
            ("2.0", Some(Number::One(2))),
            ("\"2\"", Some(Number::One(2))),
            ("\" 2 \"", Some(Number::One(2))),
            ("\"1-N\"", range("1-N")),
            ("\"0-N\"", range("0-N")),
            ("\"1 - n\"", range("1 - n")),
            ("\"1–N\"", range("1–N")),
            ("\"1..N\"", range("1..N")),
            ("\"1-5\"", range("1-5")),
            ("\"1 to N\"", range("1 to N")),
            ("\"1+\"", range("1+")),
            ("\"N\"", range("N")),
            ("\"dynamic\"", range("dynamic")),
            ("2.5", None),
            ("-1", None),
            ("4294967296", None),
            ("\"one\"", None),
            ("\"1-\"", None),
            ("\"1-M-N\"", None),
            ("true", None),
            ("null", None),
            ("[1]", None),
        ];
        for (json, expected) in cases {
            let parsed: Result<Number, _> = serde_json::from_str(json);
            if let Err(error) = &parsed {
                assert!(
                    error.to_string().contains("a range such as \"1-N\""),
                    "{error}"
                );
            }
            assert_eq!(parsed.ok(), expected, "{json}");
        }
    }

    #[test]
    fn a_total_is_a_number_in_any_spelling_or_dynamic() {
        let cases = [
            ("6", Some(Total::Fixed(6))),
            ("6.0", Some(Total::Fixed(6))),
            ("\"6\"", Some(Total::Fixed(6))),
            ("\"dynamic\"", Some(Total::Dynamic)),
            ("6.5", None),
            ("\"six\"", None),
            ("{}", None),
        ];
        for (json, expected) in cases {
            let parsed: Result<Total, _> = serde_json::from_str(json);
            assert_eq!(parsed.ok(), expected, "{json}");
        }
    }
}
