"""Starts what the checks need: the server, the Collector, Prometheus. Everything ends with the checks."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import yaml

import load

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 120
EXPORT_MILLISECONDS = 1000
SCRAPE = "1s"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Process:
    """A program with a log of its own; ended when the `with` block is left."""

    def __init__(self, name, command, scratch, env=None):
        self.log = scratch / f"{name}.log"
        self.name = name
        # Nothing of the caller's own telemetry settings reaches it.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "LOCKSTEP_"))}
        self.popen = subprocess.Popen(
            [str(part) for part in command], stdout=self.log.open("a"), stderr=subprocess.STDOUT, env=inherited | (env or {})
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()

    def wait_for(self, url):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.popen.returncode}:\n{self.log.read_text()[-3000:]}")
            try:
                return get(url, 2)
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not answer {url}:\n{self.log.read_text()[-3000:]}")

    def stop(self):
        """Ends it as a supervisor would; returns the exit code and the seconds that it took."""
        started = time.monotonic()
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=60), time.monotonic() - started

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Lockstep(Process):
    """A server over the content and state in `scratch`, which takes only callers with `load.TOKEN`."""

    def __init__(self, binary, name, scratch, env, track="stable", state="state"):
        self.port, self.admin = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        resource = f"service.namespace=observe,service.instance.id={name},lockstep.track={track}"
        tokens = scratch / "tokens.yaml"
        tokens.write_text(f"load: {load.TOKEN}\n")
        settings = {
            "LOCKSTEP_AUTH__MODE": "tokens",
            "LOCKSTEP_AUTH__TOKENS_FILE": str(tokens),
            "LOCKSTEP_LOG__FORMAT": "json",
            "LOCKSTEP_TELEMETRY__PROMETHEUS": "true",
            "OTEL_SERVICE_NAME": "lockstep",
            "OTEL_RESOURCE_ATTRIBUTES": resource,
            "OTEL_METRIC_EXPORT_INTERVAL": str(EXPORT_MILLISECONDS),
        }
        command = [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin}"]
        command += ["--content", scratch / "content", "--state", f"file://{scratch / state}"]
        super().__init__(name, command, scratch, settings | env)

    def wait_until_ready(self):
        self.wait_for(f"http://127.0.0.1:{self.admin}/readyz")
        return self


class Collector(Process):
    """A real Collector: takes OTLP, offers a scrape, writes what it got into files."""

    def __init__(self, binary, scratch, http=None, grpc=None, scrape=None):
        self.http, self.grpc, self.scrape = http or free_port(), grpc or free_port(), scrape or free_port()
        self.files = {signal_: scratch / f"{signal_}.jsonl" for signal_ in ("traces", "metrics", "logs")}
        files = {f"file/{name}": {"path": str(path), "append": True} for name, path in self.files.items()}
        offered = {
            "endpoint": f"127.0.0.1:{self.scrape}",
            "resource_to_telemetry_conversion": {"enabled": True},
            "metric_expiration": "30m",
        }
        pipelines = {name: {"receivers": ["otlp"], "exporters": [f"file/{name}"]} for name in self.files}
        pipelines["metrics"]["exporters"].append("prometheus")
        protocols = {
            "http": {"endpoint": f"127.0.0.1:{self.http}"},
            "grpc": {"endpoint": f"127.0.0.1:{self.grpc}"},
        }
        config = scratch / "collector.yaml"
        config.write_text(yaml.safe_dump({
            "receivers": {"otlp": {"protocols": protocols}},
            "exporters": {**files, "prometheus": offered},
            "service": {"pipelines": pipelines, "telemetry": {"metrics": {"level": "none"}}},
        }))
        super().__init__("collector", [binary, "--config", config], scratch)

    def wait_until_ready(self):
        self.wait_for(f"http://127.0.0.1:{self.scrape}/metrics")
        return self

    def environment(self, protocol="http"):
        port = {"http": self.http, "grpc": self.grpc}[protocol]
        chosen = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        return chosen | ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"} if protocol == "grpc" else {})

    def received(self, signal_):
        """Yields what was written of one signal, a request each."""
        path = self.files[signal_]
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return  # The line is being written.


class Prometheus(Process):
    """A real Prometheus with the chart's rules. What they wait for is shortened, so that it can be seen."""

    def __init__(self, binary, scratch, collector, admins):
        self.port = free_port()
        rules = scratch / "rules"
        rules.mkdir()
        for file in (ROOT / "charts/lockstep/rules").glob("*.yaml"):
            found = yaml.safe_load(file.read_text())
            for group in found["groups"]:
                group.pop("interval", None)
                for rule in group["rules"]:
                    if "for" in rule:
                        rule["for"] = "2s"
            (rules / file.name).write_text(yaml.safe_dump(found))
        # The labels that the chart's ServiceMonitor gives; another job, so that nothing is counted twice.
        scraped = [
            {"targets": [f"127.0.0.1:{admin}"], "labels": {"job": "scraped/lockstep", "instance": name}}
            for name, admin in admins.items()
        ]
        config = scratch / "prometheus.yaml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": SCRAPE, "evaluation_interval": SCRAPE, "scrape_timeout": SCRAPE},
            "rule_files": [f"{rules}/*.yaml"],
            "otlp": {"promote_resource_attributes": ["lockstep.track"]},
            "scrape_configs": [
                {"job_name": "collector", "honor_labels": True,
                 "static_configs": [{"targets": [f"127.0.0.1:{collector.scrape}"]}]},
                {"job_name": "admin", "static_configs": scraped},
            ],
        }))
        command = [binary, f"--config.file={config}", f"--storage.tsdb.path={scratch / 'tsdb'}"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-otlp-receiver", "--log.level=warn"]
        super().__init__("prometheus", command, scratch)
        self.url = f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self):
        self.wait_for(f"{self.url}/-/ready")
        return self


def content(scratch):
    """Copies the repository's content, and adds a workflow that a program can walk through."""
    shutil.copytree(ROOT / "content", scratch / "content")
    workflow = scratch / "content/workflows/load_v1"
    phases = [{"phase_number": n, "phase_name": f"Phase {n}", "tasks": []} for n in range(3)]
    for n in range(3):
        phase = workflow / f"phases/{n}"
        phase.mkdir(parents=True)
        (phase / "phase.md").write_text("# Work\n")
        (phase / "gate-definition.yaml").write_text(
            "checkpoint: {strict: true, allow_override: false}\n"
            "evidence_schema: {by: {type: string, required: true, description: who}}\n"
        )
    (workflow / "metadata.json").write_text(json.dumps({
        "workflow_type": "load_v1", "version": "1", "description": "Load", "total_phases": 3,
        "estimated_duration": "", "primary_outputs": [], "phases": phases,
    }))
