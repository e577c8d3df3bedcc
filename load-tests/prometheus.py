"""A real Prometheus that takes the servers' metrics by OTLP."""

import contextlib
import pathlib
import subprocess
import sys
import time
import urllib.request

import servers

EXPORT_MS = 500
CONFIGURATION = """\
otlp:
  promote_resource_attributes: [lockstep.track]
"""


class Prometheus:
    """One in a scratch directory, for as long as a test takes."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory) / "prometheus"
        self.directory.mkdir()
        (self.directory / "prometheus.yml").write_text(CONFIGURATION)
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
