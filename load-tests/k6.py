"""Runs a scenario with the pinned k6, and keeps what it tells."""

import json
import os
import pathlib
import subprocess
import time

import servers

SCENARIOS = pathlib.Path(__file__).resolve().parent / "scenarios"
BROKEN_PROMISE = 99  # k6's exit code when a threshold is crossed.


def names():
    return sorted(path.stem for path in SCENARIOS.glob("*.js"))


def inspect(scenario):
    """Checks that k6 can read the scenario and its options."""
    command = [servers.go_tool("k6"), "inspect", "--execution-requirements", script(scenario)]
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True)


def start(scenario, url, results, otlp=None, token=None, **settings):
    """Starts a run; `results` gets summary.json, summary.txt and report.html.

    With `otlp` (`http://HOST:PORT[/PATH]` of an OTLP/HTTP receiver) its metrics are pushed there. A
    `token` goes by the environment: arguments can be read by everybody on the machine.
    """
    results = pathlib.Path(results)
    results.mkdir(parents=True, exist_ok=True)
    (results / "summary.json").unlink(missing_ok=True)
    settings = {"URL": url, "RUN": f"{time.time_ns() // 1000:x}", "RESULTS": results, **settings}
    command = [servers.go_tool("k6"), "run", "--quiet", "--address", "localhost:0"]
    command += [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
    report = {
        "K6_WEB_DASHBOARD": "true",
        "K6_WEB_DASHBOARD_PORT": "-1",
        "K6_WEB_DASHBOARD_PERIOD": "1s",
        "K6_WEB_DASHBOARD_EXPORT": str(results / "report.html"),
    }
    pushed = {}
    if otlp:
        command += ["--out", "opentelemetry"]
        endpoint, _, path = otlp.removeprefix("http://").partition("/")
        pushed = {
            "K6_OTEL_EXPORTER_PROTOCOL": "http/protobuf",
            "K6_OTEL_HTTP_EXPORTER_INSECURE": "true",
            "K6_OTEL_HTTP_EXPORTER_ENDPOINT": endpoint,
            "K6_OTEL_HTTP_EXPORTER_URL_PATH": "/" + (path or "v1/metrics"),
            "K6_OTEL_METRIC_PREFIX": "k6_",
        }
    shown = {"TOKEN": token} if token else {}
    return subprocess.Popen([*command, script(scenario)], env=environment(**report, **pushed, **shown))


def promise_kept(results):
    """Returns whether all thresholds held, also of a run that was ended early."""
    told = summary(results)
    return told is not None and told["verdict"] == "kept"


def summary(results):
    """Returns what the run has told, or None if it ended before it could."""
    path = pathlib.Path(results) / "summary.json"
    return json.loads(path.read_text()) if path.exists() else None


def script(scenario):
    return str(SCENARIOS / f"{scenario}.js")


def environment(**more):
    # It neither reports its use nor downloads extensions.
    quiet = {"K6_NO_USAGE_REPORT": "true", "K6_AUTO_EXTENSION_RESOLUTION": "false"}
    return dict(os.environ, **quiet, **more)
