//! Python lambdas of old gates, read as CEL.
//!
//! Nothing is run that is not understood: a lambda of another shape is refused, and says at which
//! word. What is understood has the meaning that Python gives it, truthiness included.

mod calls;
mod cel;
mod lexer;
mod parser;
mod words;

use self::{lexer::tokens, words::Parser};
use super::compile::Uncompiled;

/// Returns the CEL of a Python lambda; none if `source` is no lambda.
///
/// # Errors
///
/// Names what is not understood, and its column.
pub(in crate::workflow) fn translate(source: &str) -> Option<Result<String, Uncompiled>> {
    let trimmed = source.trim_start();
    let rest = trimmed.strip_prefix("lambda")?;
    if !rest.starts_with([' ', '\t', ':']) {
        return None;
    }
    Some(
        tokens(source)
            .and_then(|tokens| Parser::new(&tokens).lambda())
            .map_err(|unknown| Uncompiled {
                at: Some((1, unknown.column)),
                problem: format!("this Python is not run: {}", unknown.problem),
            }),
    )
}

/// What is not understood.
#[derive(Debug)]
struct Unknown {
    /// Counted from 1.
    column: usize,
    problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python, and its CEL.
    const KNOWN: [(&str, &str); 30] = [
        ("lambda x: x > 0", "value > 0"),
        ("lambda x: len(x) >= 3", "size(value) >= 3"),
        ("lambda x: x is True", "value == true"),
        ("lambda x: x is not None", "value != null"),
        ("lambda x: x", "truthy(value)"),
        ("lambda x: not x", "!truthy(value)"),
        (
            "lambda x: x and x > 1 or False",
            "((truthy(value) && (value > 1)) || false)",
        ),
        ("lambda x: 0 < x <= 10", "((0 < value) && (value <= 10))"),
        ("lambda x: x in ['a', \"b\"]", "value in [\"a\", \"b\"]"),
        ("lambda x: x not in ('a',)", "!(value in [\"a\"])"),
        ("lambda x: isinstance(x, str)", "(type(value) == string)"),
        (
            "lambda x: isinstance(x, (int, float))",
            "((type(value) == int || type(value) == bool) || (type(value) == double))",
        ),
        (
            "lambda e: e['a'] >= e['b']",
            "evidence[\"a\"] >= evidence[\"b\"]",
        ),
        (
            "lambda e: e.get('a', 0) > 1",
            "(\"a\" in evidence ? evidence[\"a\"] : 0) > 1",
        ),
        (
            "lambda e: all(i['ok'] for i in e['items'])",
            "evidence[\"items\"].all(i, truthy(i[\"ok\"]))",
        ),
        (
            "lambda e: any(x > 1 for x in e['n'] if x)",
            "evidence[\"n\"].exists(x, truthy(x) && (x > 1))",
        ),
        (
            "lambda x: all(i for i in x if i != 0)",
            "value.all(i, !(i != 0) || truthy(i))",
        ),
        ("lambda x: len(x.strip()) > 0", "size(value.trim()) > 0"),
        (
            "lambda x: 'ok' in x.lower()",
            "value.lowerAscii().contains(\"ok\")",
        ),
        ("lambda x: x.startswith('a')", "value.startsWith(\"a\")"),
        ("lambda x: x / 2 > 1.5", "(double(value) / double(2)) > 1.5"),
        (
            "lambda x: -x + 1 == 3 - 2 * 4",
            "(-value + 1) == (3 - (2 * 4))",
        ),
        ("lambda x, low: x > low", "value > params[\"low\"]"),
        (
            "lambda x: re.match(r'^v\\d+', x) is not None",
            "value.matches(\"^(?:^v\\\\d+)\")",
        ),
        (
            "lambda x: x if x > 1 else False",
            "truthy((value > 1 ? value : false))",
        ),
        (
            "lambda x: x['a']['b'][0] == {}",
            "value[\"a\"][\"b\"][0] == {}",
        ),
        (
            "lambda x: not (1 if x else 2) > 1",
            "!((truthy(value) ? 1 : 2) > 1)",
        ),
        ("lambda x: (x > 1) == True", "(value > 1) == true"),
        (
            "lambda e: 'a' in e",
            "type(evidence) == string ? evidence.contains(\"a\") : \"a\" in evidence",
        ),
        ("lambda x: True", "true"),
    ];
    #[test]
    fn a_lambda_of_a_known_shape_is_read_as_cel() {
        for (python, cel) in KNOWN {
            let translated = translate(python).unwrap();

            assert_eq!(translated.unwrap(), cel, "{python}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named_and_not_run() {
        let cases = [
            (
                "lambda x: __import__('os').system('ls')",
                11,
                "`__import__`",
            ),
            ("lambda x: open('f').read()", 11, "`open`"),
            ("lambda x: y > 1", 11, "`y`"),
            ("lambda x: x.__class__", 13, "`__class__`"),
            ("lambda x: sum(x) > 1", 11, "`sum`"),
            ("lambda x: [x for i in x]", 14, "`for`"),
            ("lambda x: x ** 2 > 4", 13, "`**`"),
            ("lambda x: f'{x}'", 11, "`f`"),
            ("lambda x: (x > 1", 17, "the end"),
            ("lambda x: x > 1)", 16, "`)`"),
            ("lambda *x: x", 8, "`*`"),
            ("lambda x: x := 3", 13, "`:`"),
            ("lambda x: 'unclosed", 11, "a text has no end"),
            ("lambda x: x @ x", 13, "`@`"),
            ("lambda x: x or []", 16, "`[`"),
        ];
        for (python, column, what) in cases {
            let unknown = translate(python).unwrap().unwrap_err();

            assert_eq!(unknown.at, Some((1, column)), "{python}: {unknown}");
            assert!(unknown.problem.contains(what), "{python}: {unknown}");
        }
        for cel in ["value > 0", "lambdas > 0", "x.lambda", ""] {
            assert!(translate(cel).is_none(), "{cel}");
        }
    }

    #[test]
    fn deep_nesting_ends_at_a_bound() {
        let deep = format!("lambda x: {}x{}", "(".repeat(480), ")".repeat(480));

        let unknown = translate(&deep).unwrap().unwrap_err();

        assert!(unknown.problem.contains("nests deeper"), "{unknown}");
    }
}
