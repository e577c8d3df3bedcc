"""The Collector goes away for a while, or takes connections and never answers."""

import contextlib
import socket
import statistics
import time

import load
from contract import told
from processes import Collector, Lockstep

AGENTS = 8
# Buffers, and what agents leave: a server without telemetry grows by 1.1 kB a request (soak.py).
GROWTH_BYTES = 64 * 1024 * 1024
GROWTH_BYTES_A_REQUEST = 2 * 1024


def away(report, api, programs, scratch, collector, server, tally, seconds):
    """Without a Collector the server works as before, and counts what it drops."""
    before = load.Tally()
    load.drive([(server.url, before)], seconds / 2, AGENTS, think=0)
    resident = server.resident_bytes()
    collector.stop()
    during = load.Tally()
    load.drive([(server.url, during)], seconds, AGENTS, think=0)
    grown = server.resident_bytes() - resident
    with Collector(programs["collector"], scratch, collector.http, collector.grpc, collector.scrape) as back:
        back.wait_until_ready()
        sent = sum(one.count("tools/call") for one in (tally, before, during))
        selector = f'job="observe/lockstep",instance="{server.name}",mcp_method_name="tools/call"'
        found = api.until(f"mcp_server_operation_duration_seconds_count{{{selector}}}", sent, 60)
        report.equal(f"Collector away for {seconds:g} s: requests counted afterwards", sent, found)
        report.none("Collector away: failures that agents saw", set(during.failures))
        medians = [statistics.median(one.spent("tools/call", "workflow")) for one in (before, during)]
        report.check("Collector away: median of calls, before and during", medians[1] < 2 * medians[0] + 0.005,
                     f"{medians[0] * 1e3:.2f} ms, {medians[1] * 1e3:.2f} ms")
        report.check("Collector away: memory grew by", grown < GROWTH_BYTES + during.count() * GROWTH_BYTES_A_REQUEST,
                     f"{grown / 2**20:.1f} MiB in {during.count()} requests")
        if not told("otel.sdk.processor.span.processed"):
            return
        dropped = api.value(f'otel_sdk_processor_span_processed_total{{instance="{server.name}",error_type!=""}}')
        report.check("Collector away: spans dropped and counted", dropped > 0, f"{dropped:g}")


def stalled(report, programs, scratch):
    """A Collector that takes connections and never answers holds up no end of the process."""
    for protocol in ("http/protobuf", "grpc"):
        with contextlib.ExitStack() as running:
            listener = running.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
            name = f"stalled-{protocol.split('/')[0]}"
            env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{listener.getsockname()[1]}",
                   "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "TOKIO_WORKER_THREADS": "1"}
            server = running.enter_context(Lockstep(programs["lockstep"], name, scratch, env, state=name))
            server.wait_until_ready()
            load.drive([(server.url, tally := load.Tally())], 2, 4, think=0)
            time.sleep(1)
            code, took = server.stop()
            report.check(f"stalled Collector, one worker, {protocol}: the end takes", code == 0 and took < 12,
                         f"{took:.1f} s, exit code {code}, {len(tally.failures)} failures")


def flushed(report, api, programs, scratch, collector, prometheus_url):
    """What nobody exported yet is exported at the end of the process: over gRPC, and to Prometheus directly."""
    direct = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{prometheus_url}/api/v1/otlp/v1/metrics"}
    for name, env in [("grpc", collector.environment("grpc")), ("direct", direct)]:
        env |= {"OTEL_METRIC_EXPORT_INTERVAL": "600000", "OTEL_SERVICE_NAME": name}
        with Lockstep(programs["lockstep"], name, scratch, env, state=name) as server:
            server.wait_until_ready()
            load.drive([(server.url, tally := load.Tally())], 2, 4, think=0)
            code, took = server.stop()
        selector = f'job="observe/{name}",mcp_method_name="tools/call"'
        found = api.until(f"mcp_server_operation_duration_seconds_count{{{selector}}}", tally.count("tools/call"))
        report.equal(f"flushed at the end, {name}: requests counted", tally.count("tools/call"), found)
        report.check(f"flushed at the end, {name}: exit", code == 0 and took < 12, f"code {code} in {took:.1f} s")
    return api.names('{job="observe/grpc"}'), api.names('{job="observe/direct"}')
