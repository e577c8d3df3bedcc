//! What an expression may call: CEL's own functions, and a few more.

use std::sync::{Arc, LazyLock};

use cel::{
    Context, Env, ExecutionError, FunctionContext,
    common::{
        types::{
            CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelNull, CelString, CelUInt,
        },
        value::{CowVal, Val},
    },
};

use super::fuel::Fuel;
use crate::workflow::gate::pattern::Pattern;

/// Pays for a number of steps; true.
pub(super) const TICK: &str = "@tick";
/// Pays for its argument and all that is in it; returns it.
pub(super) const DEEP: &str = "@deep";
/// Pays for its argument alone; returns it.
pub(super) const FLAT: &str = "@flat";

/// The functions that a source may call, CEL's macros and ours included.
pub(super) const KNOWN: [&str; 18] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "lowerAscii",
    "matches",
    "matchesStart",
    "size",
    "startsWith",
    "string",
    "trim",
    "truthy",
    "type",
    "uint",
    "upperAscii",
];

/// A byte is matched in nanoseconds as a rule; with a pattern that is made for it, in 8 µs.
const UNITS_A_MATCHED_BYTE: u64 = 4;

type Call<'f> = Box<
    dyn for<'c, 'v> Fn(&mut FunctionContext<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError>
        + Send
        + Sync
        + 'f,
>;

/// Returns CEL's own functions, built once.
pub(super) fn environment() -> Arc<Env> {
    static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| {
        let env = Env::default().with_optional_support(false);
        Arc::new(env.with_stdlib())
    });
    Arc::clone(&STANDARD)
}

/// Adds what pays, and what CEL does not have.
pub(super) fn add(context: &mut Context<'_, '_>, fuel: &Fuel, patterns: &Arc<[Pattern]>) {
    let mut add = |name: &str, call: Call<'static>| {
        let added = context.add_function(name, call);
        added.expect("no name is one of CEL's own");
    };
    let tank = fuel.clone();
    add(TICK, Box::new(move |call| tick(&tank, call)));
    let tank = fuel.clone();
    add(
        DEEP,
        Box::new(move |call| passed(call, |value| tank.pay_for_all(value))),
    );
    let tank = fuel.clone();
    add(
        FLAT,
        Box::new(move |call| passed(call, |value| tank.pay_for_one(value))),
    );
    add(
        "truthy",
        Box::new(|call| {
            let value = operand(call)?;
            Ok(CowVal::owned(CelBool::from(truthy(value.as_ref()))))
        }),
    );
    add(
        "trim",
        Box::new(|call| text(call, |text| text.trim().to_owned())),
    );
    add(
        "lowerAscii",
        Box::new(|call| text(call, str::to_ascii_lowercase)),
    );
    add(
        "upperAscii",
        Box::new(|call| text(call, str::to_ascii_uppercase)),
    );
    for (name, matches) in [
        (
            "matches",
            Pattern::matches as fn(&Pattern, &str) -> Result<bool, String>,
        ),
        ("matchesStart", Pattern::matches_start),
    ] {
        let (own, tank) = (Arc::clone(patterns), fuel.clone());
        add(
            name,
            Box::new(move |call| matched(call, &own, &tank, matches)),
        );
    }
}

fn tick<'c, 'v>(
    fuel: &Fuel,
    call: &mut FunctionContext<'c, 'v>,
) -> Result<CowVal<'c, 'v>, ExecutionError> {
    let steps = operand(call)?;
    let steps = steps
        .downcast_ref::<CelInt>()
        .map_or(1, |steps| *steps.inner());
    fuel.pay(steps.unsigned_abs())?;
    Ok(CowVal::owned(CelBool::from(true)))
}

/// Returns the argument after it was paid for.
fn passed<'c, 'v>(
    call: &mut FunctionContext<'c, 'v>,
    pay: impl Fn(&dyn Val) -> Result<(), ExecutionError>,
) -> Result<CowVal<'c, 'v>, ExecutionError> {
    let value = operand(call)?;
    pay(value.as_ref())?;
    Ok(value)
}

/// Applies a function to a text.
fn text<'c, 'v>(
    call: &mut FunctionContext<'c, 'v>,
    change: impl Fn(&str) -> String,
) -> Result<CowVal<'c, 'v>, ExecutionError> {
    let value = operand(call)?;
    match value.downcast_ref::<CelString<'_>>() {
        Some(text) => Ok(CowVal::owned(CelString::from(change(text.inner())))),
        None => Err(mistaken(call, value.as_ref())),
    }
}

fn matched<'c, 'v>(
    call: &mut FunctionContext<'c, 'v>,
    patterns: &[Pattern],
    fuel: &Fuel,
    matches: fn(&Pattern, &str) -> Result<bool, String>,
) -> Result<CowVal<'c, 'v>, ExecutionError> {
    let source = call.args.pop();
    let value = operand(call)?;
    let source = source
        .as_ref()
        .and_then(|source| source.downcast_ref::<CelString<'_>>());
    let (Some(source), Some(text)) = (source, value.downcast_ref::<CelString<'_>>()) else {
        return Err(mistaken(call, value.as_ref()));
    };
    let pattern = patterns
        .iter()
        .find(|pattern| pattern.as_str() == source.inner());
    let pattern = pattern.ok_or_else(|| call.error("it has no such pattern"))?;
    fuel.pay(UNITS_A_MATCHED_BYTE * text.inner().len() as u64)?;
    let found = matches(pattern, text.inner()).map_err(|why| call.error(why))?;
    Ok(CowVal::owned(CelBool::from(found)))
}

/// Takes what a function is called on: `x.f()` or `f(x)`.
fn operand<'c, 'v>(call: &mut FunctionContext<'c, 'v>) -> Result<CowVal<'c, 'v>, ExecutionError> {
    let value = call.this.take().or_else(|| call.args.pop());
    value.ok_or_else(ExecutionError::missing_argument_or_target)
}

fn mistaken(call: &FunctionContext<'_, '_>, value: &dyn Val) -> ExecutionError {
    let kind = value.get_type().name().to_owned();
    ExecutionError::no_such_overload(call.name, vec![kind])
}

/// Says whether Python takes `value` for true.
fn truthy(value: &dyn Val) -> bool {
    if let Some(truth) = value.downcast_ref::<CelBool>() {
        *truth.inner()
    } else if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        !text.inner().is_empty()
    } else if let Some(number) = value.downcast_ref::<CelInt>() {
        *number.inner() != 0
    } else if let Some(number) = value.downcast_ref::<CelUInt>() {
        *number.inner() != 0
    } else if let Some(number) = value.downcast_ref::<CelDouble>() {
        *number.inner() != 0.0
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        !list.inner().is_empty()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        !map.inner().is_empty()
    } else if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        !bytes.inner().is_empty()
    } else {
        value.downcast_ref::<CelNull>().is_none()
    }
}
