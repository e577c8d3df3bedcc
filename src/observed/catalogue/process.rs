//! The process, the runtime, and what they were built from.

use super::{Attribute, Instrument, buckets::WAIT};

/// On whose behalf the processor worked.
pub const CPU_MODE: Attribute = Attribute::one_of("cpu.mode", &["user", "system"]);
/// The version of this package.
pub const SERVICE_VERSION: Attribute = Attribute::named("service.version", "the one", 1);
/// The commit that it was built from.
pub const REVISION: Attribute = Attribute::named("vcs.ref.head.revision", "the one", 1);
/// The compiler that built it.
pub const RUSTC_VERSION: Attribute = Attribute::named("rustc.version", "the one", 1);
/// Its optional parts.
pub const BUILD_FEATURES: Attribute = Attribute::named("build.features", "the one set", 1);
/// A part that can be ready.
pub const COMPONENT: Attribute = Attribute::one_of("component", &["search", "vectors", "store"]);

/// Memory.
pub static PROCESS_MEMORY: Instrument = Instrument::gauge(
    "process.memory.usage",
    "By",
    &[],
    "Resident memory of the process.",
);
/// Processor time.
pub static PROCESS_CPU: Instrument = Instrument::counter(
    "process.cpu.time",
    "s",
    &[CPU_MODE],
    "Processor time that the process took.",
);
/// Threads.
pub static PROCESS_THREADS: Instrument = Instrument::gauge(
    "process.thread.count",
    "{thread}",
    &[],
    "Threads of the process.",
);
/// Open files.
pub static PROCESS_FILES: Instrument = Instrument::gauge(
    "process.unix.file_descriptor.count",
    "{file_descriptor}",
    &[],
    "Open file descriptors of the process.",
);
/// Uptime.
pub static PROCESS_UPTIME: Instrument = Instrument::gauge(
    "process.uptime",
    "s",
    &[],
    "Time since the process was put together.",
);
/// Workers.
pub static RUNTIME_WORKERS: Instrument = Instrument::gauge(
    "lockstep.runtime.workers",
    "{thread}",
    &[],
    "Worker threads of the runtime.",
);
/// Busy workers.
pub static RUNTIME_BUSY: Instrument = Instrument::counter(
    "lockstep.runtime.workers.busy_time",
    "s",
    &[],
    "Time that the runtime's workers were busy, all together.",
);
/// Tasks.
pub static RUNTIME_TASKS: Instrument = Instrument::gauge(
    "lockstep.runtime.tasks.alive",
    "{task}",
    &[],
    "Tasks of the runtime that are not finished.",
);
/// The runtime's queue.
pub static RUNTIME_QUEUE: Instrument = Instrument::gauge(
    "lockstep.runtime.global_queue.depth",
    "{task}",
    &[],
    "Tasks that wait for any worker of the runtime.",
);
/// How late the runtime is.
pub static RUNTIME_LAG: Instrument = Instrument::histogram(
    "lockstep.runtime.scheduler.lag",
    "s",
    WAIT,
    &[],
    "How much later than due a task was run that asks for it ten times a second.",
);
/// The build.
pub static BUILD_INFO: Instrument = Instrument::gauge(
    "lockstep.build.info",
    "",
    &[SERVICE_VERSION, REVISION, RUSTC_VERSION, BUILD_FEATURES],
    "What the process was built from; always 1.",
);
/// Readiness.
pub static READY: Instrument = Instrument::gauge(
    "lockstep.ready",
    "",
    &[COMPONENT],
    "1 if the component does its work, else 0.",
);

pub(super) const OF_PROCESS: &[&Instrument] = &[
    &PROCESS_MEMORY,
    &PROCESS_CPU,
    &PROCESS_THREADS,
    &PROCESS_FILES,
    &PROCESS_UPTIME,
    &RUNTIME_WORKERS,
    &RUNTIME_BUSY,
    &RUNTIME_TASKS,
    &RUNTIME_QUEUE,
    &RUNTIME_LAG,
    &BUILD_INFO,
    &READY,
];
