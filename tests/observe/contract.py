"""What the server tells about a load, held against what the load generator knows about it."""

import pathlib
import statistics

import catalogue as words
import panels
from check_rules import names as metrics_of

OPERATIONS = "mcp_server_operation_duration_seconds"
CALLED = [("tools/call", "workflow"), ("tools/call", "search_standards"), ("tools/list", "")]
OURS = 'job="observe/lockstep"'
SCRAPED = 'job="scraped/lockstep"'

# What the Collector adds to each series from the resource.
RESOURCE = {"service_name", "service_namespace", "service_instance_id", "service_version", "otel_scope_name",
            "otel_scope_version", "otel_scope_schema_url"}
# What arrives whatever the way.
CORE = [
    f"{OPERATIONS}_count", "http_server_request_duration_seconds_count", "lockstep_cache_lookups_total",
    "lockstep_lock_acquisitions_total", "lockstep_mcp_requests_total",
]

# What a well server has no reason to tell: these begin with the first event.
NOT_PROVOKED = {
    "lockstep.lock.wait.duration", "lockstep.watchdog.reports", "lockstep.watchdog.stuck", "lockstep.requests.waited",
    "lockstep.store.conflicts", "lockstep.store.retries", "lockstep.sessions.refused",
    "lockstep.search.queue.refused",
}
# Panels that show nothing while all is well.
EMPTY_PANELS = {
    "caches-and-locks / Watchdog", "overview / Telemetry dropped",
    "overview / Outcomes other than ok", "sessions / Failed operations in 10 minutes",
    "sessions / Turns of sessions: wait and hold, p99",
}
# About time, and this machine may be too small for its own load.
ALERTS_OF_A_SMALL_MACHINE = {
    "LockstepCachedLatencyBudgetBurn", "LockstepColdLatencyBudgetBurn", "LockstepWorkersBusy", "LockstepSchedulerLag",
}
# In the catalogue, but no build tells them yet. Take out what arrives.
NOT_YET = set((pathlib.Path(__file__).parent / "not-yet.txt").read_text().split())


def told(name):
    """Says whether builds tell this metric by now."""
    return name not in NOT_YET


def names(report, api, known):
    """Every name of the catalogue arrives, as the catalogue has it, and no other of ours."""
    for way, selector in [("OTLP by the Collector", f"{{{OURS}}}"), ("scrape", f"{{{SCRAPED}}}")][: 1 + told("scrape")]:
        found = {name for name in api.names(selector) if not name.startswith(("ALERTS", "lockstep:"))}
        missing = {
            name for name, series in known.names().items()
            if not {series, f"{series}_count"} & found and name not in NOT_PROVOKED
        }
        report.none(f"names of the catalogue missing, {way}", missing - NOT_YET)
        report.none(f"names that arrive, but are said not to, {way}", NOT_YET - missing - {"scrape"})
        strange = {name for name in found - known.series() if not name.startswith(("up", "scrape_", "target_info", "otel_sdk_"))}
        report.none(f"names that are not in the catalogue, {way}", strange)


def labels(report, api, known):
    """No series has an attribute, or a value of a bounded one, that the catalogue does not name."""
    wrong, most = set(), (0, "")
    for metric in known.metrics:
        series = words.translated(metric)
        attributes = {words.dots(a["name"]): a.get("values") for a in metric["attributes"]}
        found = [one for name in {series, f"{series}_count"} for one, _ in api.vector(f"{name}{{{SCRAPED if told('scrape') else OURS}}}")]
        most = max(most, (len(found), metric["name"]))
        for one in found:
            for label, value in one.items():
                if label in words.EVERYWHERE | RESOURCE:
                    continue
                if label not in attributes:
                    wrong.add(f"{metric['name']} has {label}")
                elif attributes[label] and value not in attributes[label]:
                    wrong.add(f"{metric['name']}: {label} is {value}")
    report.none("attributes and values that are not in the catalogue", wrong)
    report.check("series of the largest metric, both servers", most[0] <= 600, f"{most[0]} of {most[1]}")


def requests(report, api, tallies):
    """What was sent is what was counted, exactly."""
    for method, tool in CALLED:
        sent = sum(tally.count(method, tool) for tally in tallies)
        selector = f'{OURS},mcp_method_name="{method}"' + (f',gen_ai_tool_name="{tool}"' if tool else "")
        found = api.until(f"{OPERATIONS}_count{{{selector}}}", sent)
        report.equal(f"requests sent = counted: {method} {tool}", sent, found)
    sent = sum(tally.count() for tally in tallies)
    for what, expr in [
        ("HTTP requests", f'http_server_request_duration_seconds_count{{{OURS},http_response_status_code="200"}}'),
        ("MCP requests by version", f'lockstep_mcp_requests_total{{{OURS},mcp_protocol_version="2026-07-28"}}'),
    ]:
        report.equal(f"requests sent = counted: {what}", sent, api.until(expr, sent))
    report.equal("requests in flight afterwards", 0, api.until(f"lockstep_requests_active{{{OURS}}}", 0))
    if told("scrape"):
        report.equal("OTLP and scrape count the same", sent, api.until(f"{OPERATIONS}_count{{{SCRAPED}}}", sent))


def sums(report, api, tallies):
    """Counters that say the same thing in two ways agree."""
    looked = f"lockstep_cache_lookups_total{{{OURS}"
    searches = sum(tally.count("tools/call", "search_standards") for tally in tallies)
    answers = api.value(f'{looked},cache_name="answers"}}')
    report.equal("searches sent = lookups of answers (all outcomes)", searches, answers)
    for cache in sorted({one["cache_name"] for one, _ in api.vector(f"{looked}}}")}):
        of = f'cache_name="{cache}"'
        misses = api.value(f'{looked},{of},cache_outcome="miss"}}')
        loads = api.value(f'lockstep_cache_load_duration_seconds_count{{{OURS},{of},cache_load_result="ok"}}')
        report.equal(f"misses = loads that succeeded: {cache}", loads, misses)
        coalesced = api.value(f'{looked},{of},cache_outcome="coalesced"}}')
        waits = api.value(f"lockstep_cache_wait_duration_seconds_count{{{OURS},{of}}}")
        report.equal(f"coalesced = waits for a load: {cache}", coalesced, waits)
    if told("lockstep.search.stage.duration"):
        misses = api.value(f'{looked},cache_name="answers",cache_outcome="miss"}}')
        cold = api.value(f'lockstep_search_stage_duration_seconds_count{{{OURS},search_stage="total"}}')
        report.equal("cold searches = misses of answers", misses, cold)
    waited = api.value(f"lockstep_requests_waited_total{{{OURS}}}") / sum(tally.count() for tally in tallies)
    report.check("requests that waited, of all", waited < 0.05, f"{waited:.1%}")
    contended = api.value(f'lockstep_lock_acquisitions_total{{{OURS},lock_contended="true"}}')
    report.equal("contended acquisitions = waits for locks",
                 contended, api.value(f"lockstep_lock_wait_duration_seconds_count{{{OURS}}}"))
    report.equal("double loads", 0, api.value(f"lockstep_cache_double_loads_total{{{OURS}}}"))
    report.equal("loads in flight afterwards", 0, api.value(f"lockstep_cache_loads_active{{{OURS}}}"))
    report.equal("waiters afterwards", 0, api.value(f"lockstep_lock_waiters{{{OURS}}}"))
    if told("lockstep.sessions.created"):
        created = api.value(f"lockstep_sessions_created_total{{{OURS}}}")
        ended = api.value(f'lockstep_sessions_ended_total{{{OURS},session_end_reason="completed"}}')
        report.check("sessions completed, of those created", 0 < ended <= created, f"{ended:g} of {created:g}")


def durations(report, api, tallies):
    """Histograms fit what the load generator measured: it sees the network and its own queue on top."""
    for tool in ("workflow", "search_standards"):
        own = [second for tally in tallies for second in tally.spent("tools/call", tool)]
        selector = f'{OURS},gen_ai_tool_name="{tool}"'
        theirs = api.value(f"{OPERATIONS}_sum{{{selector}}}")
        report.check(f"time in the server is part of the time outside: {tool}",
                     0.02 * sum(own) < theirs <= sum(own), f"{theirs:.2f} s of {sum(own):.2f} s")
        median = api.value(f"histogram_quantile(0.5, sum by (le) ({OPERATIONS}_bucket{{{selector}}}))")
        report.check(f"median in the server, and outside: {tool}", 0 < median <= statistics.median(own) * 1.05,
                     f"{median * 1e3:.2f} ms, {statistics.median(own) * 1e3:.2f} ms")


def dashboards(report, api, known):
    """Each panel's query returns data, but those that show trouble only, or what is not told yet."""
    not_yet = {series for metric in known.metrics if metric["name"] in NOT_YET for series in known.series_of(metric)}
    never = {series for metric in known.metrics if metric["name"] in NOT_PROVOKED for series in known.series_of(metric)}
    empty, waiting = set(), set()
    for where, expr in panels.expressions(interval="30s").items():
        panel = where.rsplit(" [", 1)[0]
        if panel in EMPTY_PANELS or metrics_of(expr) & never or api.vector(expr):
            continue
        (waiting if metrics_of(expr) & not_yet or "lockstep:cold" in expr else empty).add(panel)
    report.none("panels without data", empty)
    report.check("panels that wait for metrics that are not told yet", True, len(waiting))
    report.none("alerts that fire although all is well", api.firing() - ALERTS_OF_A_SMALL_MACHINE)


def runbooks(report, ask, read):
    """`search_standards` asked for an alert's name answers with its runbook, and what its `runbook`
    names can be read."""
    names_of_alerts = {page.stem for page in (panels.FOLDER.parents[2] / "content/standards/runbooks").glob("*.md")}
    wrong = {}
    for name in sorted(names_of_alerts):
        found = ask(f"what do I do about {name}")["results"][0]["file"]
        if not found.endswith(f"runbooks/{name}.md"):
            wrong[name] = found
    report.none(f"alerts whose runbook is not found first, of {len(names_of_alerts)}", wrong.items())
    unread = {name for name in names_of_alerts if name not in read(f"standards://runbooks/{name}.md")}
    report.none("alerts whose `runbook` cannot be read", unread)
