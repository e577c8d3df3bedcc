//! Tokens of a file: `name: token`, or `name: sha256:hex` of it.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::{Denied, Error, digest, is_token, live::LiveFile};
use crate::principal::Principal;

/// The most tokens of a file: each request is held against all of them, at 10 ns each.
const MAX_TOKENS: usize = 1_000;

/// The shortest token in characters: 16 random ones of base 64 are 96 bits.
const MIN_CHARS: usize = 16;

/// What an entry begins with that is not a token but its digest, in hexadecimal.
const DIGEST: &str = "sha256:";

/// The tokens of a file as it is now.
#[derive(Debug)]
pub(super) struct Tokens(LiveFile<Vec<Entry>>);

struct Entry {
    /// By words: so compared it takes 7 ns, by bytes 40.
    digest: [u64; 4],
    owner: Principal,
}

/// A digest of a weak token is nearly the token.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Tokens {
    pub(super) fn open(file: PathBuf) -> Result<Self, Error> {
        LiveFile::open(file, parse).map(Self)
    }

    /// Returns whose token it is. How long it takes says nothing about the tokens that there are:
    /// it is held against each, as a whole.
    pub(super) fn owner(&self, token: &str) -> Result<Principal, Denied> {
        let (shown, entries) = (words(digest(token)), self.0.value());
        let mut found = u32::MAX;
        for (number, entry) in (0..).zip(&*entries) {
            found.conditional_assign(&number, entry.digest.ct_eq(&shown));
        }
        let found = usize::try_from(found).ok().and_then(|at| entries.get(at));
        let unknown = Denied::Invalid("it is none that this server knows");
        found.map(|entry| entry.owner.clone()).ok_or(unknown)
    }
}

/// Reads the file's text. What is wrong is told by names and lines, never by what stands there.
fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let named: BTreeMap<String, OneOrMore> = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        format!("line {line} is not `name: token`, `name: sha256:HEX` or a list of those")
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    for (name, tokens) in named {
        let owner = Principal::remote(&name)
            .map_err(|invalid| format!("`{name}` names nobody: {invalid}; `local` is taken"))?;
        let tokens = match tokens {
            OneOrMore::One(token) => vec![token],
            OneOrMore::More(tokens) => tokens,
        };
        for token in tokens {
            let digest = digest_of(&token).map_err(|problem| format!("`{name}`: {problem}"))?;
            let digest = words(digest);
            if let Some(other) = entries.iter().find(|entry| entry.digest == digest) {
                return Err(format!(
                    "`{}` and `{name}` have the same token",
                    other.owner
                ));
            }
            entries.push(Entry {
                digest,
                owner: owner.clone(),
            });
        }
    }
    match entries.len() {
        0 => Err("it names no token".to_owned()),
        1..=MAX_TOKENS => Ok(entries),
        number => Err(format!("it has {number} tokens, the most is {MAX_TOKENS}")),
    }
}

fn words(digest: [u8; 32]) -> [u64; 4] {
    let word = |at: usize| std::array::from_fn(|byte| digest[8 * at + byte]);
    std::array::from_fn(|at| u64::from_ne_bytes(word(at)))
}

fn digest_of(token: &str) -> Result<[u8; 32], String> {
    if let Some(hex) = token.strip_prefix(DIGEST) {
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("what follows sha256: is not 64 hexadecimal digits".to_owned());
        }
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16);
        return Ok(std::array::from_fn(|at| {
            byte(at).expect("these are hexadecimal digits")
        }));
    }
    if token.len() < MIN_CHARS {
        return Err(format!(
            "its token is shorter than {MIN_CHARS} characters: take one of `openssl rand -hex 32`"
        ));
    }
    match is_token(token) {
        true => Ok(digest(token)),
        false => Err("its token has other characters than letters, digits and -._~+/=".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the token of b in [`GOOD`].
    const GOOD: &str = "a: aaaaaaaaaaaaaaaa\nb: [bbbbbbbbbbbbbbbb, cccccccccccccccc]\n";

    #[test]
    fn a_file_gives_each_token_its_owner_and_a_digest_counts_as_its_token() {
        let entries = parse(GOOD).unwrap();
        let owners: Vec<_> = entries.iter().map(|entry| entry.owner.as_str()).collect();
        assert_eq!(owners, ["a", "b", "b"]);

        let hex: String = digest("aaaaaaaaaaaaaaaa")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let digests = parse(&format!("a: sha256:{hex}")).unwrap();
        assert_eq!(digests[0].digest, entries[0].digest);
    }

    #[test]
    fn a_fault_of_the_file_is_named_and_no_token_is_repeated() {
        let cases = [
            ("", "names no token"),
            ("a: s3cret", "`a`: its token is shorter"),
            ("a: [s3cret-s3cret-s3cret, {b: s3cret}]", "line 1"),
            ("a: \"s3cret s3cret s3cret\"", "`a`: its token has other"),
            ("a: sha256:s3cret", "`a`: what follows sha256:"),
            ("local: s3crets3crets3crets", "`local` names nobody"),
            ("? - s3cret", "line"),
            (
                "a: s3crets3crets3crets\nb: s3crets3crets3crets",
                "`a` and `b` have the same token",
            ),
            ("a: s3crets3crets3crets\na: s3crets3crets3cret2", "line"),
        ];
        for (text, complaint) in cases {
            let said = parse(text).unwrap_err();
            assert!(said.contains(complaint), "{text:?}: {said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
