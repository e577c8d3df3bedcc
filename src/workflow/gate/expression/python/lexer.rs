//! Python source as words.

use super::Unknown;

/// A word, and the column where it begins, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Name(String),
    /// As it is written.
    Number(String),
    Text(String),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 25] = [
    "**", "//", "==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", "+",
    "-", "*", "/", "%", "=", "|", "&",
];

/// Splits `source`; the last token is [`Kind::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Unknown> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let column = at + 1;
        let kind = match first {
            '\'' | '"' => text(&chars, &mut at, false)?,
            'r' if matches!(chars.get(at + 1), Some('\'' | '"')) => {
                at += 1;
                text(&chars, &mut at, true).map_err(|unknown| Unknown { column, ..unknown })?
            }
            '0'..='9' => Kind::Number(taken(&chars, &mut at, |c| c.is_ascii_digit() || c == '.')),
            c if c.is_alphabetic() || c == '_' => {
                Kind::Name(taken(&chars, &mut at, |c| c.is_alphanumeric() || c == '_'))
            }
            _ => sign(&chars, &mut at)?,
        };
        tokens.push(Token { column, kind });
    }
    tokens.push(Token {
        column: chars.len() + 1,
        kind: Kind::End,
    });
    Ok(tokens)
}

fn taken(chars: &[char], at: &mut usize, belongs: impl Fn(char) -> bool) -> String {
    let word: String = chars[*at..]
        .iter()
        .copied()
        .take_while(|c| belongs(*c))
        .collect();
    *at += word.chars().count();
    word
}

fn sign(chars: &[char], at: &mut usize) -> Result<Kind, Unknown> {
    let rest: String = chars[*at..].iter().take(2).collect();
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => {
            *at += sign.len();
            Ok(Kind::Sign(sign))
        }
        None => Err(Unknown {
            column: *at + 1,
            problem: format!("`{}` is not understood", chars[*at]),
        }),
    }
}

/// Reads a text; a raw one keeps its backslashes.
fn text(chars: &[char], at: &mut usize, raw: bool) -> Result<Kind, Unknown> {
    let column = *at + 1;
    let quote = chars[*at];
    let mut read = String::new();
    *at += 1;
    loop {
        let Some(&c) = chars.get(*at) else {
            let problem = "a text has no end".to_owned();
            return Err(Unknown { column, problem });
        };
        *at += 1;
        match c {
            _ if c == quote => return Ok(Kind::Text(read)),
            '\\' if raw => read.push('\\'),
            '\\' => {
                let escaped = chars.get(*at).copied();
                *at += 1;
                read.push(match escaped {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(c @ ('\\' | '\'' | '"')) => c,
                    _ => {
                        let problem = "this escape in a text is not understood".to_owned();
                        return Err(Unknown { column, problem });
                    }
                });
            }
            c => read.push(c),
        }
    }
}
