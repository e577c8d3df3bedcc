//! Events that are named, so that they can be searched for and alerted on whatever their words.

/// An event of the log.
#[derive(Clone, Copy, Debug)]
pub struct NamedEvent {
    /// Its name: `event` of a line in JSON, the event name of an exported record.
    pub name: &'static str,
    /// Its level.
    pub severity: &'static str,
    /// What has happened, and what to do.
    pub meaning: &'static str,
}

/// Every event that has a name.
pub const EVENTS: [NamedEvent; 5] = [
    NamedEvent {
        name: "lockstep.auth.denied",
        severity: "WARN",
        meaning: "A caller was not let in: `why`. Normal for a client that looks for who issues tokens; \
                  many mean a token that has run out, or somebody who guesses. `suppressed` more were \
                  not logged.",
    },
    NamedEvent {
        name: "lockstep.cache.double_load",
        severity: "WARN",
        meaning: "Race detected: two loads of one key ran at once. Always a bug: report it with the \
                  trace. `suppressed` more were not logged.",
    },
    NamedEvent {
        name: "lockstep.store.conflict",
        severity: "WARN",
        meaning: "Race detected: another process changed a session while a change of it was being \
                  judged, which is judged again. Normal now and then with several processes over \
                  one state; many mean that agents of different processes share a session. \
                  `suppressed` more were not logged.",
    },
    NamedEvent {
        name: "lockstep.watchdog.stuck",
        severity: "ERROR",
        meaning: "A lock was held, or a load ran, beyond `watchdog.limit_secs`. Find the holder's \
                  span by its id, and who else waits at `/debug/locks`.",
    },
    NamedEvent {
        name: "lockstep.faults.injected",
        severity: "WARN",
        meaning: "The process goes wrong on purpose: a rehearsal, never production.",
    },
];
