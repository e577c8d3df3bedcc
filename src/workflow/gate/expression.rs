//! Expressions of validators and cross-field rules: CEL, bounded in time and size.
//!
//! The interpreter of the `cel` crate cannot be stopped, so what it is given is bounded instead.
//! [`compile`] bounds the length and the depth of the source, and [`metered`] puts into the parsed
//! expression what pays for each step and each value from [`Fuel`], which runs out. An expression
//! reads its variables, and nothing else.

mod compile;
mod compiled;
mod fuel;
mod functions;
mod mentions;
mod metered;
mod python;
mod scope;

use std::thread;

pub(in crate::workflow) use self::{compile::Expression, python::translate};
pub(super) use self::{
    compile::{Failure, Uncompiled},
    compiled::Compiled,
    fuel::Fuel,
    scope::{Scope, bind, bind_object},
};

/// The stack in bytes of a thread that compiles and evaluates. The longest and deepest expressions
/// take half of it in a debug build, and a tenth in a release build; what they do not touch costs
/// nothing.
const STACK_BYTES: usize = 64 * 1024 * 1024;

/// Does `work`, which may compile and evaluate expressions, on a thread with a stack that is large
/// enough for all that is not refused. Starting it takes some 30 µs.
///
/// # Errors
///
/// If there is no thread to be had, or `work` panicked: a fault of ours must let nothing pass.
pub(in crate::workflow) fn with_room<T: Send>(
    work: impl FnOnce() -> T + Send,
) -> Result<T, &'static str> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("gate".to_owned());
        let worker = builder
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|_| "the server has no thread for it")?;
        worker.join().map_err(|_| "its evaluation panicked")
    })
}
