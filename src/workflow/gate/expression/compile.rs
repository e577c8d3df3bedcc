//! From source to an expression that can be evaluated.

use std::fmt;

use cel::{
    Context, ExecutionError, IdedExpr, ParseError, Value, common::types::CelBool, parser::Parser,
};

use super::{fuel::Fuel, functions, mentions::Mentions, metered::metered, python, scope::Scope};
use crate::workflow::gate::excerpt;

/// The longest expression in bytes. The parser calls itself for each bracket and operator, so this
/// bounds its stack too: see [`with_room`](super::with_room).
const MAX_BYTES: usize = 1_000;

/// How deep expressions nest. Each level costs the interpreter a frame of its stack.
pub(super) const MAX_DEPTH: u16 = 32;

/// An expression that can be evaluated.
#[derive(Debug)]
pub(in crate::workflow) struct Expression {
    expr: IdedExpr,
    /// What it reads of the evidence.
    pub(in crate::workflow) mentions: Mentions,
}

/// Why a source is no expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::workflow) struct Uncompiled {
    /// Line and column in the source, counted from 1; none if it is about the whole.
    pub(super) at: Option<(usize, usize)>,
    pub(super) problem: String,
}

/// Why it cannot be told whether an expression holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::workflow) enum Failure {
    /// It takes too many steps, or makes too large a value.
    RanOut,
    /// Other expressions took all the fuel.
    NoneLeft,
    /// It reads a field that is not there.
    NoSuchKey(String),
    /// Something else, such as a comparison of a text with a number.
    Other(String),
}

impl Expression {
    /// Compiles `source`: CEL, or a Python lambda of a known shape, which is translated.
    ///
    /// # Errors
    ///
    /// Says what is wrong and where.
    pub(in crate::workflow) fn compile(source: &str) -> Result<Self, Uncompiled> {
        if source.len() > MAX_BYTES {
            let len = source.len();
            let problem = format!("it has {len} bytes, the most is {MAX_BYTES}");
            return Err(Uncompiled::whole(problem));
        }
        match python::translate(source) {
            None => compile_cel(source),
            Some(Ok(translated)) => {
                // Its columns are not those of the file.
                compile_cel(&translated).map_err(|wrong| Uncompiled::whole(wrong.problem))
            }
            Some(Err(unknown)) => Err(unknown),
        }
    }

    /// Evaluates the expression, for which `fuel` pays.
    ///
    /// # Errors
    ///
    /// Says why it cannot be told whether it holds.
    pub(in crate::workflow) fn holds(
        &self,
        scope: &Scope<'_>,
        fuel: &Fuel,
    ) -> Result<bool, Failure> {
        let mut context = Context::with_env(functions::environment());
        functions::add(&mut context, fuel, &self.mentions.patterns(scope.params()));
        context.set_variable_resolver(scope);
        let outcome = Value::resolve_val(&self.expr, &context);
        // Operators absorb errors: whether it ran out is asked of the fuel.
        if fuel.ran_out() {
            return Err(Failure::RanOut);
        }
        let value = outcome.map_err(|error| match error {
            ExecutionError::NoSuchKey(key) => Failure::NoSuchKey(excerpt::shorten(&key)),
            error => Failure::Other(excerpt::of_display(&error)),
        })?;
        match value.downcast_ref::<CelBool>() {
            Some(truth) => Ok(*truth.inner()),
            None => {
                let kind = value.get_type().name();
                Err(Failure::Other(format!(
                    "it gives a {kind}, not true or false"
                )))
            }
        }
    }
}

fn compile_cel(source: &str) -> Result<Expression, Uncompiled> {
    let parser = Parser::new().max_recursion_depth(MAX_DEPTH);
    let (expr, info) = parser.parse_with_source_info(source).map_err(|errors| {
        let first = errors.errors.first();
        first.map_or_else(|| Uncompiled::whole("it cannot be parsed"), syntax_error)
    })?;
    let (expr, mentions) = metered(expr).map_err(|refused| Uncompiled {
        at: info
            .offset_for(refused.id)
            .map(|(start, _)| place(source, start as usize)),
        problem: refused.problem,
    })?;
    Ok(Expression { expr, mentions })
}

fn syntax_error(error: &ParseError) -> Uncompiled {
    // The parser's own bound comes wrapped in the words of its runtime.
    if error.msg.contains("Recursion") {
        return Uncompiled::whole(format!("it nests deeper than {MAX_DEPTH} levels"));
    }
    Uncompiled {
        at: at(error.pos),
        problem: excerpt::shorten(error.msg.lines().next().unwrap_or_default()),
    }
}

fn at((line, column): (isize, isize)) -> Option<(usize, usize)> {
    let (line, column) = (usize::try_from(line).ok()?, usize::try_from(column).ok()?);
    (line > 0).then_some((line, column))
}

/// Returns line and column of a character, counted from 1.
fn place(source: &str, offset: usize) -> (usize, usize) {
    let before: String = source.chars().take(offset).collect();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[line_start..].chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

impl Uncompiled {
    pub(super) fn whole(problem: impl Into<String>) -> Self {
        Self {
            at: None,
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Uncompiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            None => {}
            Some((1, column)) => write!(f, "column {column}: ")?,
            Some((line, column)) => write!(f, "line {line}, column {column}: ")?,
        }
        f.write_str(&self.problem)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RanOut => f.write_str("it takes too many steps, or its values are too large"),
            Self::NoneLeft => f.write_str("the other expressions took all the steps there are"),
            Self::NoSuchKey(key) => write!(
                f,
                "`{key}` was not submitted (an expression asks with has() or `in`)"
            ),
            Self::Other(why) => f.write_str(why),
        }
    }
}
