"""Servers with other settings, side by side: what a setting costs in calls a second.

All share a core, and the load generator has the other. The ratio is taken within each round, the
median over the rounds.
"""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OFF = "off"
loader = importlib.machinery.SourceFileLoader("tools_call", str(ROOT / "load-tests/tools_call"))
calls = importlib.util.module_from_spec(importlib.util.spec_from_loader("tools_call", loader))
loader.exec_module(calls)
WORK = {
    "search_standards, cached, 1 result": lambda _: (
        "search_standards", {"query": calls.QUESTION, "n_results": 1}
    ),
    "workflow get_state": lambda session: (
        "workflow", {"action": "get_state", "session_id": session}
    ),
}


def options(description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--content", type=pathlib.Path, default=ROOT / "content")
    parsed = parser.parse_args()
    os.sched_setaffinity(0, {int(calls.LOAD_CORE)})
    return parsed


def compare(servers, bars, options):
    """Measures servers by name, each (environment, token): one is OFF, others may have a bar."""
    with contextlib.ExitStack() as running, tempfile.TemporaryDirectory() as scratch:
        started = {}
        for name, (variables, token) in servers.items():
            url = start(running, variables, pathlib.Path(scratch) / name, options)
            started[name] = url, calls.start_session(url, token), token
        rates = {(what, how): [] for what in WORK for how in started}
        for url, session, token in started.values():
            for call in WORK.values():
                calls.call(url, *call(session), token)
        for number in range(options.rounds):
            for what, call in WORK.items():
                for how, (url, session, token) in started.items():
                    rates[what, how].append(calls.load(url, *call(session), options, token))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    print(f"{options.connections} connections, {options.rounds} rounds of {options.seconds} s")
    for (what, how), own in rates.items():
        ratios = [mine / off for mine, off in zip(own, rates[what, OFF])]
        bar = ""
        if how in bars:
            verdict = "within" if statistics.median(ratios) >= bars[how] else "short of"
            bar = f", {verdict} the bar of {bars[how]:.2f}"
        print(f"{what:36} {how:24} {statistics.median(own):8.0f} calls/s   "
              f"{statistics.median(ratios):.3f} of off{bar}, {min(ratios):.3f} to {max(ratios):.3f}")


def start(running, variables, state, options):
    """Starts a server with these variables and returns its URL."""
    state.mkdir()
    with variables_set(variables):
        return calls.start_lockstep(running, options.content, state)


@contextlib.contextmanager
def variables_set(variables):
    """A server that is started meanwhile finds these, and of telemetry no others."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith("OTEL_")]:
        del os.environ[name]
    os.environ.update(variables, LOCKSTEP_ADMIN__LISTEN="off")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
