"""Is it well, and if not, where is it not?"""

from grafana import BAD, GOOD, QUIET, WARN, SELECT, dashboard, graph, heatmap, quantile, rate, row, series, stat, steps
from grafana import table, target, zero_unless

OPERATIONS = "mcp_server_operation_duration_seconds"
COUNT = f"{OPERATIONS}_count"
BAD_OUTCOMES = 'lockstep_outcome=~"internal|timeout|overloaded"'
CALLS = 'mcp_method_name="tools/call"'


def failing(by=""):
    return f"({rate(COUNT, BAD_OUTCOMES, by)} or 0 * {rate(COUNT, '', by)}) / {rate(COUNT, '', by)}"


def waited(by=""):
    return f"{rate('lockstep_requests_waited_total', '', by)} / {rate(COUNT, '', by)}"


def wellness():
    return [
        row("Is it well?"),
        stat("Not ready", "Parts of any pod that do not work yet, or no more: search, vectors, store.",
             f"sum(1 - {series('lockstep_ready')})", "none", steps(GOOD, (1, BAD)), width=3,
             alert="LockstepNotReady"),
        stat("Requests", "MCP requests of all methods, a second.", rate(COUNT), "reqps", steps(QUIET), width=3),
        stat("Failing", "Requests that end as internal, timeout or overloaded. A refused gate or a lost race is "
             "the caller's affair and does not count.", failing(), "percentunit",
             steps(GOOD, (0.001, WARN), (0.01, BAD)), width=3, decimals=2, alert="LockstepAvailabilityBudgetBurn"),
        stat("p95 of calls", "95 of 100 tool calls are answered within this time.", quantile(0.95, OPERATIONS, CALLS),
             "s", steps(GOOD, (0.1, WARN), (0.5, BAD)), width=3, alert="LockstepCachedLatencyBudgetBurn"),
        stat("Waited", "Requests that waited for a lock or for another's load. The target is under 5 %.", waited(),
             "percentunit", steps(GOOD, (0.03, WARN), (0.05, BAD)), width=3, decimals=1,
             alert="LockstepLockContentionHigh"),
        stat("Double loads", "Loads that began while the same key was being loaded. Anything but 0 is a bug.",
             f"sum({series('lockstep_cache_double_loads_total')})", "none", steps(GOOD, (1, BAD)), width=3,
             alert="LockstepDoubleLoad"),
        stat("Stuck", "Locks held and loads running beyond the watchdog's limit, now.",
             zero_unless(series('lockstep_watchdog_stuck'), series('lockstep_lock_waiters')), "none", steps(GOOD, (1, BAD)), width=3,
             alert=["LockstepWatchdogReport", "LockstepLockStuck"]),
        stat("Open sessions", "Sessions that are neither completed nor expired, as each pod sees them.",
             f"max({series('lockstep_sessions_active')})", "none", steps(QUIET), width=3,
             alert="LockstepSessionsRefused"),
    ]


def traffic():
    return [
        row("Traffic and errors"),
        graph("Requests by method and tool", "A method that is no tool call stands by its own name.",
              [target(rate(COUNT, "", "mcp_method_name, gen_ai_tool_name"),
                      "{{mcp_method_name}} {{gen_ai_tool_name}}")], "reqps", stack=True),
        graph("Outcomes other than ok", "invalid, refused, conflict and expired are answers to the caller; internal, "
              "timeout and overloaded are ours to mend.",
              [target(rate(COUNT, 'lockstep_outcome!="ok"', "lockstep_outcome"), "{{lockstep_outcome}}")], "reqps",
              stack=True, alert=["LockstepAvailabilityBudgetBurn", "LockstepOverloaded"]),
        graph("Requests by protocol version", "Which era of the protocol clients speak, and over what.",
              [target(rate("lockstep_mcp_requests_total", "", "mcp_protocol_version, network_transport"),
                      "{{mcp_protocol_version}} {{network_transport}}")], "reqps", stack=True),
        graph("HTTP answers", "All answers of the public listener by status.",
              [target(rate("http_server_request_duration_seconds_count", "", "http_response_status_code"),
                      "{{http_response_status_code}}")], "reqps", stack=True),
        graph("Requests in flight", "MCP requests being answered now, and HTTP requests that are open.",
              [target(f"sum by (instance) ({series('lockstep_requests_active')})", "MCP {{instance}}"),
               target(f"sum by (instance) ({series('http_server_active_requests')})", "HTTP {{instance}}")], "none"),
        graph("Size of bodies, p99", "99 of 100 bodies are not larger.",
              [target(quantile(0.99, "http_server_request_body_size_bytes"), "request"),
               target(quantile(0.99, "http_server_response_body_size_bytes"), "answer")], "bytes"),
    ]


def latency():
    return [
        row("Latency"),
        graph("Calls by tool: p50, p95 and p99", "From the request's arrival to its answer.",
              [target(quantile(q, OPERATIONS, CALLS, "gen_ai_tool_name"), f"{{{{gen_ai_tool_name}}}} p{q * 100:g}")
               for q in (0.5, 0.95, 0.99)], "s", width=12,
              alert=["LockstepCachedLatencyBudgetBurn", "LockstepColdLatencyBudgetBurn"]),
        heatmap("All calls by duration", "Two bands are normal: cached answers below, cold searches above. A third "
                "one is what you look for.", OPERATIONS, CALLS),
    ]


def objectives():
    graphs = []
    for name, title, budget, alert in [
        ("availability", "Availability: burn of the budget of 0.1 %", 0.001, "LockstepAvailabilityBudgetBurn"),
        ("cached_latency", "Cached calls within 0.05 s: burn of 1 %", 0.01, "LockstepCachedLatencyBudgetBurn"),
        ("cold_latency", "Cold searches within 0.5 s: burn of 1 %", 0.01, "LockstepColdLatencyBudgetBurn"),
    ]:
        targets = [target(f"max by (job) (lockstep:{name}_bad:ratio_rate{window}{{{SELECT}}}) / {budget}",
                          f"{{{{job}}}} {window}") for window in ("5m", "1h", "6h", "3d")]
        graphs.append(graph(title, "1 spends the budget of 30 days in 30 days; at 14.4 somebody is called. Needs the "
                            "chart's recording rules.", targets, "none", limit=14.4, alert=alert))
    return [row("Promises (SLO)"), *graphs]


def saturation():
    return [
        row("Saturation"),
        graph("CPU", "Cores in use by each pod.", [target(rate("process_cpu_time_seconds_total", "", "instance"),
                                                          "{{instance}}")], "cores"),
        graph("Memory", "Resident. Flat after the caches are full.",
              [target(f"sum by (instance) ({series('process_memory_usage_bytes')})", "{{instance}}")], "bytes",
              alert="LockstepMemoryGrowing"),
        graph("Workers busy", "Share of the time in which the runtime's workers had something to do.",
              [target(f"{rate('lockstep_runtime_workers_busy_time_seconds_total', '', 'instance')} / "
                      f"sum by (instance) ({series('lockstep_runtime_workers')})", "{{instance}}")], "percentunit",
              limit=0.9, alert="LockstepWorkersBusy"),
        graph("Scheduler lag, p99", "How late a timer comes. High with idle CPU: something blocks a worker. High with "
              "busy CPU: too little of it.",
              [target(quantile(0.99, "lockstep_runtime_scheduler_lag_seconds", "", "instance"), "{{instance}}")], "s",
              limit=0.1, alert="LockstepSchedulerLag"),
        graph("Tasks", "Tasks alive, and tasks that wait in the runtime's global queue.",
              [target(f"sum by (instance) ({series('lockstep_runtime_tasks_alive')})", "alive {{instance}}"),
               target(f"sum by (instance) ({series('lockstep_runtime_global_queue_depth')})", "queue {{instance}}")],
              "none"),
        graph("Threads and open files", "Both are flat under a steady load.",
              [target(f"sum by (instance) ({series('process_thread_count')})", "threads {{instance}}"),
               target(f"sum by (instance) ({series('process_unix_file_descriptor_count')})", "files {{instance}}")],
              "none"),
        graph("Telemetry dropped", "Spans and log records that did not reach the collector, a second.",
              [target(rate("otel_sdk_processor_span_processed_total", 'error_type!=""', "instance, error_type"),
                      "spans {{instance}} {{error_type}}"),
               target(rate("otel_sdk_processor_log_processed_total", 'error_type!=""', "instance, error_type"),
                      "logs {{instance}} {{error_type}}")], "cps", alert="LockstepTelemetryDropped"),
        graph("Up since", "Falls to 0 where a pod starts again.",
              [target(f"max by (instance) ({series('process_uptime_seconds')})", "{{instance}}")], "s",
              alert="LockstepRestarting"),
        table("Versions", "What runs where.", series("lockstep_build_info"),
              ["__name__", "service_name", "otel_scope_name"], width=8, height=8),
    ]


def page():
    return dashboard("overview", "Overview", "Traffic, errors, latency and saturation of Lockstep.",
                     [*wellness(), *traffic(), *latency(), *objectives(), *saturation()])
