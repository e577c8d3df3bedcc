"""A build that is broken on purpose is caught: by alerts, by dashboards, by the watchdog.

Each fault has a server, a Collector and a Prometheus of its own. The held lock, at which nearly all
the time is waiting, is watched beside the others.

    faults.py LOCKSTEP_WITH_FAULTS COLLECTOR PROMETHEUS
"""

import asyncio
import contextlib
import json
import pathlib
import sys
import tempfile
import threading
import time

import load
import panels
import prometheus
from processes import Collector, Lockstep, Prometheus, content, get
from report import Report

AGENTS = 10
CROWD = 6
SECONDS = 15
LOOK_SECONDS = 180
# What is switched on: the alerts that must fire, and the panels that must show more than nothing.
CASES = {
    "double_load": (["LockstepDoubleLoad"], ["overview / Double loads", "caches-and-locks / Double loads in 10 minutes"]),
    "held_lock": (
        ["LockstepWatchdogReport", "LockstepLockContentionHigh"],
        ["overview / Stuck", "caches-and-locks / Waiters now", "caches-and-locks / Watchdog",
         "caches-and-locks / Requests that waited"],
    ),
    "errors": (["LockstepAvailabilityBudgetBurn"], ["overview / Failing", "overview / Outcomes other than ok"]),
    "slow": (["LockstepCachedLatencyBudgetBurn"], []),
}


def main():
    lockstep, collector, program = sys.argv[1:4]
    report = Report()
    programs = (lockstep, collector, program)
    held = threading.Thread(target=watch, args=(report, "held_lock", programs))
    held.start()
    for fault in CASES.keys() - {"held_lock"}:
        watch(report, fault, programs)
    held.join()
    promised = sum(len(alerts) + len(shown) for alerts, shown in CASES.values())
    report.check("checks made", len(report.rows) >= promised, f"{len(report.rows)} of {promised} at least")
    report.end()


def watch(report, fault, programs):
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as running:
        inject(report, fault, *CASES[fault], programs, pathlib.Path(scratch), running)


def work(fault, url):
    """Lets agents work until the server ends, which it does when enough was seen. At a lock that is
    held they queue: all want the same session, once each."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        if fault == "held_lock":
            asyncio.run(crowd(url))
        else:
            load.drive([(url, load.Tally())], SECONDS, AGENTS)


async def crowd(url):
    clients = [load.Client(url, load.Tally()) for _ in range(CROWD)]
    starts = [client.workflow("start", workflow_type="load_v1", target_file="one.rs") for client in clients]
    await asyncio.gather(*starts)


def inject(report, fault, alerts, shown, programs, scratch, running):
    content(scratch)
    collector = running.enter_context(Collector(programs[1], scratch)).wait_until_ready()
    env = collector.environment() | {"LOCKSTEP_FAULTS__INJECT": f"[{fault}]"}
    server = running.enter_context(Lockstep(programs[0], fault, scratch, env)).wait_until_ready()
    api = prometheus.Api(
        running.enter_context(Prometheus(programs[2], scratch, collector, {fault: server.admin})).wait_until_ready().url
    )
    # Beside the looks: a lock that is held shows only while it is.
    agents = threading.Thread(target=work, args=(fault, server.url))
    agents.start()
    seen, values, waited_for = look(api, alerts, shown, server)
    for alert in alerts:
        summaries = [one["annotations"]["summary"] for one in api.ask("alerts")["alerts"]
                     if one["labels"]["alertname"] == alert]
        report.check(f"{fault}: alert {alert}", alert in seen, (summaries or ["over by now" if alert in seen else "silent"])[0])
    for panel in shown:
        report.check(f"{fault}: panel {panel}", panel in values, values.get(panel, 0))
    if fault == "held_lock":
        caught(report, api, server, waited_for)
    server.kill()
    agents.join()


def look(api, alerts, shown, server):
    """Looks until everything was seen that is to be seen, or for long enough. Returns the alerts that
    fired, the largest value of each panel, and the locks that others waited for."""
    seen, values, waited_for = set(), {}, {}
    expressions = panels.expressions(interval="30s")
    until = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < until and (not set(alerts) <= seen or not set(shown) <= values.keys()):
        seen |= api.firing()
        for where, expr in expressions.items():
            panel = where.rsplit(" [", 1)[0]
            if panel in shown and (value := api.value(expr)) > 0:
                values[panel] = max(value, values.get(panel, 0))
        for held in json.loads(get(f"http://127.0.0.1:{server.admin}/debug/locks"))["held"]:
            if held["waiters"] > waited_for.get(held["name"], {}).get("waiters", 0):
                waited_for[held["name"]] = held
        time.sleep(0.5)
    return seen, values, waited_for


def caught(report, api, server, waited_for):
    """The watchdog counted and logged who held the lock, and operators could see who waited."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    reports = [line for line in lines if line.get("event") == "lockstep.watchdog.stuck"]
    told = reports[0] if reports else {}
    well = told.get("watchdog.name") == "workflow.start" and int(told.get("holder.span_id", "0"), 16) and told["waiters"] > 0
    report.check("held_lock: the watchdog's line names holder and waiters", well,
                 {key: told.get(key) for key in ("watchdog.name", "waiters", "held_secs", "holder.trace_id")})
    counted = api.value('lockstep_watchdog_reports_total{job="observe/lockstep"}')
    report.check("held_lock: the watchdog's reports are counted", 0 < counted <= len(reports), f"{counted:g}")
    report.check("held_lock: /debug/locks shows who waits", waited_for.get("workflow.start", {}).get("waiters", 0) > 0,
                 {name: held["waiters"] for name, held in waited_for.items()})


if __name__ == "__main__":
    main()
