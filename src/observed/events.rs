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

const fn event(name: &'static str, severity: &'static str, meaning: &'static str) -> NamedEvent {
    NamedEvent {
        name,
        severity,
        meaning,
    }
}

/// Every event that has a name.
pub const EVENTS: [NamedEvent; 48] = [
    event(
        "lockstep.lifecycle.starting",
        "INFO",
        "The process begins, with this version and transport.",
    ),
    event(
        "lockstep.config.effective",
        "INFO",
        "The settings that it goes by, once, passwords replaced.",
    ),
    event(
        "lockstep.lifecycle.model_ready",
        "INFO",
        "The model is loaded.",
    ),
    event(
        "lockstep.lifecycle.sessions_found",
        "INFO",
        "The state directory was read.",
    ),
    event(
        "lockstep.lifecycle.listening",
        "INFO",
        "Agents are answered at this address.",
    ),
    event(
        "lockstep.lifecycle.ready",
        "INFO",
        "The standards are searched by meaning: all that there is works.",
    ),
    event(
        "lockstep.lifecycle.draining",
        "INFO",
        "The word to stop came: unready, what runs is finished.",
    ),
    event(
        "lockstep.lifecycle.cut_off",
        "WARN",
        "Requests were open at the end of the drain and were cut off: raise `drain_secs` if \
         they had a reason to be.",
    ),
    event(
        "lockstep.lifecycle.delayed",
        "WARN",
        "A connection could not be set to send at once: its event streams wait for the client, \
         some 40 ms.",
    ),
    event(
        "lockstep.lifecycle.stopped",
        "INFO",
        "Nothing is answered any more; telemetry is flushed next.",
    ),
    event(
        "lockstep.lifecycle.discovery_left",
        "WARN",
        "The discovery file could not be removed; readers see that its process is gone.",
    ),
    event(
        "lockstep.lifecycle.flushed",
        "INFO",
        "What was buffered has left. Not exported itself.",
    ),
    event(
        "lockstep.lifecycle.failed",
        "ERROR",
        "The server cannot start or go on, and says why. The process ends with code 2.",
    ),
    event(
        "lockstep.telemetry.dropped",
        "WARN",
        "A batch of spans, log records or metrics did not reach the collector and is lost. \
         Counters keep their sums, and arrive with the next batch that does.",
    ),
    event(
        "lockstep.telemetry.not_flushed",
        "WARN",
        "What was buffered at the end is lost: the collector refused it, or took longer than \
         five seconds. Not exported itself.",
    ),
    event(
        "lockstep.telemetry.not_gathered",
        "ERROR",
        "A scrape of `/metrics` was answered with 500, and why.",
    ),
    event(
        "lockstep.auth.denied",
        "WARN",
        "A caller was not let in: `why`. Normal for a client that looks for who issues tokens; \
         many mean a token that has run out, or somebody who guesses. `suppressed` more were \
         not logged.",
    ),
    event(
        "lockstep.auth.open",
        "WARN",
        "The server listens for others and does not ask who they are: whoever reaches the \
         address reads and changes every session. Set `auth.mode`.",
    ),
    event(
        "lockstep.auth.keys_unavailable",
        "WARN",
        "The issuer's keys could not be had, and why; those that it had count. `suppressed` \
         more were not logged.",
    ),
    event(
        "lockstep.auth.file_unusable",
        "WARN",
        "The file of tokens or keys has changed and cannot be used: what it held before counts \
         until it is mended. `suppressed` more were not logged.",
    ),
    event(
        "lockstep.auth.bypassed",
        "ERROR",
        "A request reached the tools without a caller although callers are told apart; it was \
         refused. Always a bug: report it.",
    ),
    event(
        "lockstep.cache.double_load",
        "WARN",
        "Race detected: two loads of one key ran at once. Always a bug: report it with the \
         trace. `suppressed` more were not logged.",
    ),
    event(
        "lockstep.store.conflict",
        "WARN",
        "Race detected: another process changed a session while a change of it was being \
         judged, which is judged again. Normal now and then with several processes over one \
         state; many mean that agents of different processes share a session. `suppressed` \
         more were not logged.",
    ),
    event(
        "lockstep.lock.slow_wait",
        "WARN",
        "A caller waited for a lock for over a second. Its trace has the `lock.wait` span, \
         which leads to the holder. `suppressed` more were not logged.",
    ),
    event(
        "lockstep.watchdog.stuck",
        "ERROR",
        "A lock was held, or a load ran, beyond `watchdog.limit_secs`. Find the holder's span \
         by its id, and who else waits at `/debug/locks`.",
    ),
    event(
        "lockstep.session.refused",
        "WARN",
        "A session was not started or changed for a reason that an operator can change: the \
         most that may be (`limit`, `principal_limit`), their age (`expired`), other processes (`contended`), \
         size (`too_large`). `suppressed` more were not logged.",
    ),
    event(
        "lockstep.session.phase_completed",
        "DEBUG",
        "A gate let a phase pass: for an audit.",
    ),
    event(
        "lockstep.session.swept",
        "INFO",
        "Sessions that were over and older than `workflow.retention_secs` were removed.",
    ),
    event(
        "lockstep.session.sweep_failed",
        "WARN",
        "Old sessions could not be removed; the next sweep tries again.",
    ),
    event(
        "lockstep.session.count_failed",
        "WARN",
        "Sessions could not be counted; `lockstep.sessions.active` is of before.",
    ),
    event(
        "lockstep.session.set_aside",
        "WARN",
        "A session that cannot be read was put aside, under the name that is told. Mend it \
         and put it back, or leave it.",
    ),
    event(
        "lockstep.session.unreadable",
        "WARN",
        "A session could not be read at the start, and why: a permission, or the disk. It stays.",
    ),
    event(
        "lockstep.search.generation_published",
        "INFO",
        "A new snapshot of the standards answers from now on.",
    ),
    event(
        "lockstep.search.words_published",
        "INFO",
        "The standards are searched by words while the model works on them.",
    ),
    event(
        "lockstep.search.build_failed",
        "ERROR",
        "The standards as they are now could not be indexed: the snapshot of before goes on \
         to answer.",
    ),
    event(
        "lockstep.search.file_unusable",
        "WARN",
        "A file of the standards cannot be used, and why.",
    ),
    event(
        "lockstep.search.no_notices",
        "WARN",
        "The system gives no notices of changed files: they are looked at every few seconds.",
    ),
    event(
        "lockstep.search.passage_failed",
        "WARN",
        "The model failed on a passage, and why.",
    ),
    event(
        "lockstep.search.passage_left_out",
        "WARN",
        "A passage has no vector, because the model failed on it: nothing finds it until a file \
         changes and the model takes it.",
    ),
    event(
        "lockstep.search.rerank_failed",
        "WARN",
        "The cross encoder failed: the answer has the order that it had without, and says so.",
    ),
    event(
        "lockstep.search.vectors_not_kept",
        "WARN",
        "Vectors cannot be written to `search.cache`: everything works, the next start takes \
         longer.",
    ),
    event(
        "lockstep.search.cache_damaged",
        "WARN",
        "A file of the vectors' cache is damaged or not ours. It is set aside and made again; \
         often, look at the disk.",
    ),
    event(
        "lockstep.search.graph_not_kept",
        "WARN",
        "The graph of many vectors could not be mapped, or not be written: it is built again, \
         now or at the next start.",
    ),
    event(
        "lockstep.search.model_panicked",
        "ERROR",
        "The model failed in its native part and is loaded again.",
    ),
    event(
        "lockstep.search.model_reloaded",
        "INFO",
        "The model was loaded again.",
    ),
    event(
        "lockstep.search.model_not_reloaded",
        "ERROR",
        "The model failed in its native part and could not be loaded again: it goes on as it \
         is. Restart the process.",
    ),
    event(
        "lockstep.request.failed",
        "ERROR",
        "A request failed for a reason that only an operator can mend. The caller was told no \
         more than that.",
    ),
    event(
        "lockstep.faults.injected",
        "WARN",
        "The process goes wrong on purpose: a rehearsal, never production.",
    ),
];
