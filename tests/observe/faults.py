"""A build that is broken on purpose is caught: by alerts, by dashboards, by the watchdog.

    faults.py LOCKSTEP_WITH_FAULTS COLLECTOR PROMETHEUS
"""

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
SECONDS = 15
LOOK_SECONDS = 90
# What is switched on: the alerts that must fire, and the panels that must show more than nothing.
CASES = {
    "double_load": (["LockstepDoubleLoad"], ["overview / Double loads", "caches-and-locks / Double loads in 10 minutes"]),
    "held_lock": (
        ["LockstepWatchdogReport", "LockstepLockContentionHigh"],
        ["overview / Stuck", "caches-and-locks / Waiters now", "caches-and-locks / Watchdog"],
    ),
    "errors": (["LockstepAvailabilityBudgetBurn"], ["overview / Failing", "overview / Outcomes other than ok"]),
    "slow": (["LockstepCachedLatencyBudgetBurn"], []),
}


def main():
    lockstep, collector, program = sys.argv[1:4]
    report = Report()
    for fault, (alerts, shown) in CASES.items():
        with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as running:
            inject(report, fault, alerts, shown, (lockstep, collector, program), pathlib.Path(scratch), running)
    report.end()


def inject(report, fault, alerts, shown, programs, scratch, running):
    content(scratch)
    collector = running.enter_context(Collector(programs[1], scratch)).wait_until_ready()
    env = collector.environment() | {"LOCKSTEP_FAULTS__INJECT": f"[{fault}]"}
    server = running.enter_context(Lockstep(programs[0], fault, scratch, env)).wait_until_ready()
    api = prometheus.Api(
        running.enter_context(Prometheus(programs[2], scratch, collector, {fault: server.admin})).wait_until_ready().url
    )
    # Beside the looks: a lock that is held shows only while it is.
    work = threading.Thread(target=load.drive, args=([(server.url, load.Tally())], SECONDS, AGENTS))
    work.start()
    seen, panels_seen = set(), {}
    expressions = panels.expressions(interval="30s")
    until = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < until and (not set(alerts) <= seen or not set(shown) <= panels_seen.keys()):
        seen |= api.firing()
        for where, expr in expressions.items():
            panel = where.rsplit(" [", 1)[0]
            if panel in shown and (value := api.value(expr)) > 0:
                panels_seen[panel] = max(value, panels_seen.get(panel, 0))
        time.sleep(0.5)
    work.join()
    for alert in alerts:
        summaries = [one["annotations"]["summary"] for one in api.ask("alerts")["alerts"]
                     if one["labels"]["alertname"] == alert]
        report.check(f"{fault}: alert {alert}", alert in seen, (summaries or ["over by now" if alert in seen else "silent"])[0])
    for panel in shown:
        report.check(f"{fault}: panel {panel}", panel in panels_seen, panels_seen.get(panel, 0))
    if fault == "held_lock":
        held = json.loads(get(f"http://127.0.0.1:{server.admin}/debug/locks"))
        reports = api.value("lockstep_watchdog_reports_total")
        report.check("held_lock: watchdog's reports, and its log", reports > 0 and "watchdog" in server.log.read_text(),
                     f"{reports:g}")
        report.check("held_lock: /debug/locks answers", held, list(held)[:6])


if __name__ == "__main__":
    main()
