"""Is the canary as good as the stable track?"""

from grafana import BAD, GOOD, QUIET, dashboard, graph, heatmap, quantile, rate, row, series, stat, steps, table, target
from overview import CALLS, COUNT, OPERATIONS, failing, waited

BY = "lockstep_track"
LEGEND = "{{lockstep_track}}"


def tracked(title, description, expr, unit, alert="LockstepCanaryWorse", **more):
    return graph(title, description, [target(expr, LEGEND)], unit, alert=alert, **more)


def page():
    return dashboard("rollout", "Rollout", "Stable against canary, side by side.", [
        row("Judge"),
        stat("Requests of the range", "Enough to tell? Below 500 of the canary, nothing is shown.",
             f"sum by ({BY}) (increase({series(COUNT)}[$__range]))", "none", steps(QUIET), width=6, legend=LEGEND,
             decimals=0),
        stat("Failing now", "Internal, timeout, overloaded.", failing(BY), "percentunit", steps(GOOD, (0.005, BAD)),
             width=6, legend=LEGEND, decimals=2, alert="LockstepCanaryWorse"),
        stat("p99 of calls", "99 of 100 calls end within this time.", quantile(0.99, OPERATIONS, CALLS, BY), "s",
             steps(QUIET), width=6, legend=LEGEND, alert="LockstepCanaryWorse"),
        stat("Double loads", "Anything but 0 ends the rollout.",
             f"sum by ({BY}) ({series('lockstep_cache_double_loads_total')})", "none", steps(GOOD, (1, BAD)), width=6,
             legend=LEGEND, alert="LockstepDoubleLoad"),
        row("Side by side"),
        tracked("Requests", "Does the canary get its share?", rate(COUNT, "", BY), "reqps", alert=None),
        tracked("Failing", "Share of requests.", failing(BY), "percentunit", limit=0.005),
        graph("Calls: p50 and p99", "By track.",
              [target(quantile(q, OPERATIONS, CALLS, BY), f"{LEGEND} p{q * 100:g}") for q in (0.5, 0.99)], "s",
              alert="LockstepCanaryWorse"),
        graph("p99 by tool", "Where the canary is slower.",
              [target(quantile(0.99, OPERATIONS, CALLS, f"{BY}, gen_ai_tool_name"),
                      f"{LEGEND} {{{{gen_ai_tool_name}}}}")], "s"),
        tracked("Requests that waited", "For a lock or a load.", waited(BY), "percentunit", limit=0.05,
                alert="LockstepLockContentionHigh"),
        tracked("CPU a request", "Seconds of CPU by requests served.",
                f"{rate('process_cpu_time_seconds_total', '', BY)} / {rate(COUNT, '', BY)}", "s", alert=None),
        tracked("Memory of the largest pod", "Resident.", f"max by ({BY}) ({series('process_memory_usage_bytes')})",
                "bytes", alert="LockstepMemoryGrowing"),
        tracked("Restarts in 30 minutes", "By track. Flat at 0.",
                f"sum by ({BY}) (resets({series('process_uptime_seconds')}[30m]))", "none",
                alert="LockstepRestarting"),
        tracked("Lost races", "Changes that another writer overtook, a second: both tracks share the store.",
                rate("lockstep_store_conflicts_total", "", BY), "ops", alert="LockstepStoreConflicts"),
        heatmap("Stable: calls by duration", "Compare the shape.", OPERATIONS, f'{CALLS},lockstep_track!="canary"'),
        heatmap("Canary: calls by duration", "Compare the shape.", OPERATIONS, f'{CALLS},lockstep_track="canary"'),
        table("Versions", "What runs on which track.", series("lockstep_build_info"),
              ["__name__", "service_name", "otel_scope_name"], width=24),
    ])
