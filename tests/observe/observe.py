"""Brings up servers, Collector and Prometheus, drives load, and checks telemetry from outside.

    observe.py LOCKSTEP COLLECTOR PROMETHEUS [--seconds N] [--outage N] [--pictures DIR] [--keep DIR]
"""

import argparse
import asyncio
import contextlib
import pathlib
import tempfile
import time

import catalogue
import contract
import load
import outage
import prometheus
import spans
from processes import Collector, Lockstep, Prometheus, content
from report import Report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for program in ("lockstep", "collector", "prometheus"):
        parser.add_argument(program)
    parser.add_argument("--seconds", type=float, default=30, help="of load")
    parser.add_argument("--agents", type=int, default=10, help="on each of two servers")
    parser.add_argument("--outage", type=float, default=15, help="seconds without a Collector")
    parser.add_argument("--pictures", type=pathlib.Path, help="draw the panels into this directory")
    parser.add_argument("--keep", type=pathlib.Path, help="leave logs and what the Collector got in this directory")
    options = parser.parse_args()
    programs = {name: getattr(options, name) for name in ("lockstep", "collector", "prometheus")}
    report = Report()
    with contextlib.ExitStack() as running:
        scratch = options.keep or pathlib.Path(running.enter_context(tempfile.TemporaryDirectory()))
        scratch.mkdir(parents=True, exist_ok=True)
        observe(report, options, programs, scratch, running)
    report.end()


def observe(report, options, programs, scratch, running):
    content(scratch)
    known = catalogue.Catalogue.read()
    collector = running.enter_context(Collector(programs["collector"], scratch)).wait_until_ready()
    env = collector.environment()
    # Two tracks over one state, as in a rollout.
    stable = running.enter_context(Lockstep(programs["lockstep"], "stable-0", scratch, env))
    canary = running.enter_context(Lockstep(programs["lockstep"], "canary-0", scratch, env, "canary"))
    admins = {server.name: server.admin for server in (stable, canary)}
    api = prometheus.Api(
        running.enter_context(Prometheus(programs["prometheus"], scratch, collector, admins)).wait_until_ready().url
    )
    servers = [server.wait_until_ready() for server in (stable, canary)]
    tallies = [load.Tally() for _ in servers]
    began = time.monotonic()
    load.drive(list(zip([server.url for server in servers], tallies)), options.seconds, options.agents)
    (scratch / "content/standards/new.md").write_text("# New\n\nWhat has been added while the server runs.\n")
    took = time.monotonic() - began
    print(f"{sum(tally.count() for tally in tallies)} requests in {took:.0f} s\n", flush=True)
    report.none("failures that the load generator saw", {fault for tally in tallies for fault in tally.failures})

    contract.requests(report, api, tallies)
    contract.sums(report, api, tallies)
    contract.durations(report, api, tallies)
    contract.names(report, api, known)
    contract.labels(report, api, known)
    contract.dashboards(report, api, known)
    if options.pictures:
        import pictures

        pictures.draw(api, options.pictures, time.monotonic() - began)
    time.sleep(6)  # The batch of spans leaves every five seconds.
    traces = spans.received(collector)
    spans.whole(report, traces, tallies)
    spans.linked(report, traces)
    spans.bare(report, traces)
    contract.runbooks(report, lambda question: asyncio.run(asked(canary.url, question)),
                      lambda uri: asyncio.run(read(canary.url, uri)))

    over = outage.flushed(report, api, programs, scratch, collector, api.url)
    for way, found in zip(("gRPC", "Prometheus' own OTLP receiver"), over):
        missing = set(contract.CORE) - found
        report.none(f"names missing, {way}", missing)
    outage.stalled(report, programs, scratch)
    outage.away(report, api, programs, scratch, collector, stable, tallies[0], options.outage)
    code, took = stable.stop()
    report.check("the server ends", code == 0, f"code {code} in {took:.1f} s")


async def asked(url, question):
    client = load.Client(url, load.Tally())
    try:
        return await client.search(question)
    finally:
        client.close()


async def read(url, uri):
    client = load.Client(url, load.Tally())
    try:
        answer = await client.request("resources/read", {"uri": uri}, uri)
    finally:
        client.close()
    return "".join(one.get("text", "") for one in answer.get("result", {}).get("contents", []))


if __name__ == "__main__":
    main()
