"""Who waits, for what, and does each key load only once?"""

from grafana import BAD, GOOD, WARN, dashboard, graph, heatmap, increase, quantile, rate, row, series, stat, steps
from grafana import target, text, zero_unless

LOOKUPS = "lockstep_cache_lookups_total"
WAITED = "lockstep_requests_waited_total"
REQUESTS = "mcp_server_operation_duration_seconds_count"
TRACES = """\
- In a trace, a `cache.lookup` span that coalesced links to the load it waits for, a `lock.wait` span to whoever
  held the lock: follow the link. To list the slow ones: `{ name =~ "lock.wait.*" && duration > 50ms }` (TraceQL).
- A log line about a wait, a double load or the watchdog has `trace_id`: open that trace.
- Who holds and who waits right now: `GET /debug/locks` on the pod's admin port."""


def ratio(wanted, whole, by):
    return f"{rate(*wanted, by)} / {rate(*whole, by)}"


def headline():
    return [
        row("The promises"),
        stat("Double loads", "Since the start of each pod. Anything but 0 is a bug: single flight is broken.",
             f"sum({series('lockstep_cache_double_loads_total')})", "none", steps(GOOD, (1, BAD)), width=4, height=8,
             alert="LockstepDoubleLoad"),
        stat("Stuck now", "Locks held and loads running beyond the watchdog's limit.",
             zero_unless(series('lockstep_watchdog_stuck'), series('lockstep_lock_waiters')), "none", steps(GOOD, (1, BAD)), width=4,
             height=8, alert="LockstepWatchdogReport"),
        stat("Requests that waited", "For a lock or for another's load. The target is under 5 %.",
             ratio((WAITED, ""), (REQUESTS, ""), ""), "percentunit", steps(GOOD, (0.03, WARN), (0.05, BAD)), width=4,
             height=8, decimals=1, alert="LockstepLockContentionHigh"),
        graph("Requests that waited, by tool", "Of this tool's requests, how many waited. The line is the target.",
              [target(ratio((WAITED, ""), (REQUESTS, ""), "gen_ai_tool_name"), "{{gen_ai_tool_name}}")], "percentunit",
              width=12, limit=0.05, alert="LockstepLockContentionHigh"),
    ]


def caches():
    hit, whole = (LOOKUPS, 'cache_outcome="hit"'), (LOOKUPS, 'cache_outcome=~"hit|miss|coalesced"')
    load, wait = "lockstep_cache_load_duration_seconds", "lockstep_cache_wait_duration_seconds"
    return [
        row("Caches"),
        graph("Hit ratio", "Lookups that found the value, of those that got one.",
              [target(ratio(hit, whole, "cache_name"), "{{cache_name}}")], "percentunit", top=1,
              alert="LockstepCacheHitRatioLow"),
        graph("Lookups by outcome", "coalesced: waited for another's load of the same key. abandoned: the caller went "
              "away.", [target(rate(LOOKUPS, "", "cache_outcome"), "{{cache_outcome}}")],
              "ops", stack=True, alert="LockstepCacheLoadErrors"),
        graph("Spared loads", "Of those who came to an absent value, how many waited for a running load instead of "
              "starting one.",
              [target(ratio((LOOKUPS, 'cache_outcome="coalesced"'), (LOOKUPS, 'cache_outcome=~"coalesced|miss"'),
                            "cache_name"), "{{cache_name}}")], "percentunit", top=1),
        heatmap("Duration of loads", "From a file's read to a slow model.", load),
        heatmap("Waits for another's load", "What coalesced callers wait; not longer than the loads.", wait),
        graph("Loads in flight", "Loads that run now. One that never ends is the watchdog's.",
              [target(f"sum by (cache_name) ({series('lockstep_cache_loads_active')})", "{{cache_name}}")], "none",
              alert="LockstepWatchdogReport"),
        graph("Loads by result, p99", "Of each cache, the loads that succeed and those that fail.",
              [target(quantile(0.99, load, "", "cache_name, cache_load_result"),
                      "{{cache_name}} {{cache_load_result}}")], "s"),
        graph("Evictions by cause", "size: the cache is full. expired: nobody asked for long. Replaced values are no loss.",
              [target(rate("lockstep_cache_evictions_total", 'cache_eviction_cause!="replaced"', "cache_name, cache_eviction_cause"),
                      "{{cache_name}} {{cache_eviction_cause}}")], "ops", alert="LockstepCacheThrash"),
        graph("Entries", "In each pod's caches.",
              [target(f"sum by (instance, cache_name) ({series('lockstep_cache_entries')})",
                      "{{cache_name}} {{instance}}")], "none"),
        graph("Weight", "What the entries weigh in memory, where the cache is bounded by weight.",
              [target(f"sum by (instance, cache_name) ({series('lockstep_cache_weight_bytes')})",
                      "{{cache_name}} {{instance}}")], "bytes"),
        graph("Double loads in 10 minutes", "By cache. Flat at 0.",
              [target(increase("lockstep_cache_double_loads_total", "", "cache_name", "10m"), "{{cache_name}}")],
              "none", alert="LockstepDoubleLoad"),
    ]


def locks():
    acquisitions = "lockstep_lock_acquisitions_total"
    wait, hold = "lockstep_lock_wait_duration_seconds", "lockstep_lock_hold_duration_seconds"
    return [
        row("Locks"),
        graph("Contention by lock", "Acquisitions that had to wait.",
              [target(ratio((acquisitions, 'lock_contended="true"'), (acquisitions, ""), "lock_name"),
                      "{{lock_name}}")], "percentunit", limit=0.05, alert="LockstepLockContentionHigh"),
        graph("Waiters now", "Callers that wait. Never falling to 0 while nothing is acquired: stuck.",
              [target(f"sum by (lock_name) ({series('lockstep_lock_waiters')})", "{{lock_name}}")], "none",
              alert="LockstepLockStuck"),
        graph("Acquisitions", "Free and contended, a second.",
              [target(rate(acquisitions, "", "lock_name"), "{{lock_name}}")], "ops"),
        heatmap("Waits for locks", "All locks; only those who waited.", wait, alert="LockstepLockContentionHigh"),
        heatmap("How long locks are held", "All locks. What is held long is waited for long.", hold),
        graph("Wait by lock, p99", "Of those who waited.",
              [target(quantile(0.99, wait, "", "lock_name"), "{{lock_name}}")], "s"),
        graph("Hold by lock, p99", "From getting it to giving it back.",
              [target(quantile(0.99, hold, "", "lock_name"), "{{lock_name}}")], "s"),
        graph("Waits given up", "The caller went away before it got the lock.",
              [target(rate("lockstep_lock_abandoned_total", "", "lock_name"), "{{lock_name}}")], "ops"),
        graph("Watchdog", "Reports in 10 minutes by what was stuck.",
              [target(increase("lockstep_watchdog_reports_total", "", "watchdog_kind, watchdog_name", "10m"),
                      "{{watchdog_kind}} {{watchdog_name}}")], "none", width=12, alert="LockstepWatchdogReport"),
        text("From a wait to whoever caused it", TRACES, width=12, height=8),
    ]


def page():
    return dashboard("caches-and-locks", "Caches and locks", "Who waits, for what, and whether each key loads once.",
                     [*headline(), *caches(), *locks()])
