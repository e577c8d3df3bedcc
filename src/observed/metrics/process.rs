//! What the process uses, as Linux tells it; nothing where `/proc` is not.

use std::{fs, time::Duration};

use opentelemetry::metrics::Meter;
use tokio::time::Instant;

use crate::observed::catalogue::{
    CPU_MODE, Instrument, PROCESS_CPU, PROCESS_FILES, PROCESS_MEMORY, PROCESS_THREADS,
    PROCESS_UPTIME,
};

/// What the process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Resident memory.
    pub memory_bytes: u64,
    /// Processor time in the process's own code.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub files: u64,
}

impl Usage {
    /// Asks the system.
    pub fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // One descriptor is that of the directory itself.
        let files = fs::read_dir("/proc/self/fd")
            .ok()?
            .count()
            .saturating_sub(1);
        let mut usage = Self::of(&stat)?;
        usage.files = files as u64;
        Some(usage)
    }

    /// Reads the fields of proc(5)'s `stat`, which are counted from the name's closing bracket: a
    /// name may have any other character in it.
    fn of(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // The first field after the name is the third of the manual.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = rustix::param::clock_ticks_per_second();
        let time = |ticked: u64| Duration::from_secs_f64(ticked as f64 / ticks as f64);
        Some(Self {
            user: time(field(14)?),
            system: time(field(15)?),
            threads: field(20)?,
            memory_bytes: field(24)? * rustix::param::page_size() as u64,
            files: 0,
        })
    }
}

type Level = (&'static Instrument, fn(&Usage) -> u64);

/// Has the exporter say what the process uses.
pub fn export_process(meter: &Meter) {
    let levels: [Level; 3] = [
        (&PROCESS_MEMORY, |usage| usage.memory_bytes),
        (&PROCESS_THREADS, |usage| usage.threads),
        (&PROCESS_FILES, |usage| usage.files),
    ];
    for (instrument, level) in levels {
        instrument.observed::<u64>(meter, move |observe| {
            if let Some(usage) = Usage::now() {
                observe(level(&usage), &[]);
            }
        });
    }
    PROCESS_CPU.observed::<f64>(meter, |observe| {
        if let Some(usage) = Usage::now() {
            observe(usage.user.as_secs_f64(), &[CPU_MODE.is("user")]);
            observe(usage.system.as_secs_f64(), &[CPU_MODE.is("system")]);
        }
    });
    let started = Instant::now();
    PROCESS_UPTIME.observed::<f64>(meter, move |observe| {
        observe(started.elapsed().as_secs_f64(), &[]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_name_of_the_process() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 11 0 99 1000 512 0";

        let usage = Usage::of(stat).unwrap();

        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(usage.threads, 11);
        assert_eq!(usage.user.as_secs_f64(), 250.0 / ticks);
        assert_eq!(usage.system.as_secs_f64(), 50.0 / ticks);
        assert_eq!(usage.memory_bytes, 512 * rustix::param::page_size() as u64);
    }

    #[test]
    fn what_this_process_uses_is_plausible() {
        let usage = Usage::now().unwrap();

        assert!(usage.memory_bytes > 1024 * 1024, "{usage:?}");
        assert!(usage.threads >= 1 && usage.files >= 3, "{usage:?}");
    }
}
