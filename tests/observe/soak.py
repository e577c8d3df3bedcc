"""Full load for minutes with a Collector that is dead, beside a server that exports nothing: both
remember sessions and answers, so what telemetry keeps is the difference.

    soak.py LOCKSTEP [--seconds N]
"""

import argparse
import contextlib
import pathlib
import statistics
import tempfile
import threading
import time

import load
from processes import Lockstep, content, free_port
from report import Report

AGENTS = 5
LOOK_SECONDS = 2
# Beside its own buffers, which are full by then, nothing of telemetry may grow.
DIFFERENCE_MIB_A_MINUTE = 6
BUFFERS_MIB = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lockstep")
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as running:
        content(pathlib.Path(scratch))
        soak(report, options, pathlib.Path(scratch), running)
    report.end()


def soak(report, options, scratch, running):
    dead = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    servers = [
        running.enter_context(Lockstep(options.lockstep, name, scratch, env, state=name)).wait_until_ready()
        for name, env in (("dead", dead), ("off", {}))
    ]
    tallies = [load.Tally() for _ in servers]
    work = threading.Thread(target=load.drive, args=(
        [(server.url, tally) for server, tally in zip(servers, tallies)], options.seconds, AGENTS, 0))
    began = time.monotonic()
    work.start()
    times, sizes = [], [[] for _ in servers]
    while work.is_alive():
        times.append((time.monotonic() - began) / 60)
        for server, size in zip(servers, sizes):
            size.append(server.resident_bytes() / 2**20)
        time.sleep(LOOK_SECONDS)
    half = len(times) // 2
    slopes = [statistics.linear_regression(times[half:], size[half:]).slope for size in sizes]
    for server, tally, size, slope in zip(servers, tallies, sizes, slopes):
        thousands = tally.count() / 1000
        report.check(f"{server.name}: requests, failures", not tally.failures, f"{tally.count()}, {len(tally.failures)}")
        report.check(f"{server.name}: MiB at the start, half time and end", True,
                     f"{size[0]:.0f}, {size[half]:.0f}, {size[-1]:.0f}; {(size[-1] - size[0]) / thousands:.2f} for 1000 requests")
        report.check(f"{server.name}: slope of the second half", True, f"{slope:.2f} MiB a minute")
    report.check("what telemetry adds to the slope", slopes[0] - slopes[1] < DIFFERENCE_MIB_A_MINUTE,
                 f"{slopes[0] - slopes[1]:.2f} MiB a minute")
    more = (sizes[0][-1] - sizes[0][0]) - (sizes[1][-1] - sizes[1][0])
    report.check("what telemetry keeps", more < BUFFERS_MIB, f"{more:.0f} MiB")


if __name__ == "__main__":
    main()
