"""A real Prometheus that takes the servers' metrics by OTLP."""

import contextlib
import http.server
import pathlib
import resource
import subprocess
import sys
import threading
import time
import urllib.request

import servers

EXPORT_MS = 500
CONFIGURATION = """\
otlp:
  promote_resource_attributes: [lockstep.track]
scrape_configs:
  - job_name: memory
    scrape_interval: 500ms
    scrape_timeout: 500ms
    static_configs: [{{targets: ["127.0.0.1:{memory}"]}}]
"""


class Prometheus:
    """One in a scratch directory, for as long as a test takes."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "prometheus"
        self.directory.mkdir()
        self.memory = Memory()
        text = CONFIGURATION.format(memory=self.memory.port)
        (self.directory / "prometheus.yml").write_text(text)
        self.url = f"http://127.0.0.1:{servers.free_port()}"

    @contextlib.contextmanager
    def running(self):
        command = [
            servers.go_tool("prometheus"),
            f"--config.file={self.directory}/prometheus.yml",
            f"--storage.tsdb.path={self.directory}/data",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--web.enable-otlp-receiver",
        ]
        with open(self.directory / "log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self.wait_until_ready(process)
            with self.memory.running():
                yield self
        finally:
            process.terminate()
            process.wait()

    def wait_until_ready(self, process):
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).read()
                return
            if process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"prometheus does not start: {(self.directory / 'log').read_text()[-2000:]}")

    def environment(self, track):
        """Returns what makes a server export to it, as the version of that track."""
        return {
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{self.url}/api/v1/otlp/v1/metrics",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRIC_EXPORT_INTERVAL": str(EXPORT_MS),
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_RESOURCE_ATTRIBUTES": f"lockstep.track={track},service.instance.id={track}",
        }

    def wait_for_export(self):
        """Waits until what has happened is there."""
        time.sleep(EXPORT_MS / 1000 * 2.5)


class Memory:
    """Tells Prometheus the resident memory of servers, under the name that they will have for it."""

    def __init__(self):
        memory = self
        self.servers = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = memory.exposition().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port

    def exposition(self):
        lines = []
        for server in self.servers:
            with contextlib.suppress(OSError, AttributeError):  # It is gone, or not there yet.
                pages = int(pathlib.Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
                size = pages * resource.getpagesize()
                lines.append(f'process_memory_usage_bytes{{lockstep_track="{server.name}"}} {size}\n')
        return "".join(lines)

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self.server.shutdown()
            thread.join()
