"""The queries by which a rollout goes on or back, in k8s/rollout."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# What the controllers put into a query, and something that may stand in its place.
FILLED = {
    r"\{\{ ?args\.\w+ ?\}\}": "5d9c7b4f66",
    r"\{\{ ?interval ?\}\}": "5m",
    r"\{\{ ?\w+ ?\}\}": "lockstep",
}


def queries(documents):
    """Yields the name and the PromQL of every gate among the objects."""
    for document in documents:
        if document["kind"] == "AnalysisTemplate":
            for metric in document["spec"]["metrics"]:
                yield metric["name"], metric["provider"]["prometheus"]["query"]
        elif document["kind"] == "MetricTemplate":
            yield document["metadata"]["name"].removeprefix("lockstep-"), document["spec"]["query"]


def parse(built):
    """Ends the program unless Prometheus parses every query, and both controllers ask the same."""
    asked = {}
    for where, documents in built:
        gates = dict(queries(documents))
        if gates:
            asked[where] = list(gates)
            judged(where, {name: filled(query) for name, query in gates.items()})
    names = [sorted(gates) for gates in asked.values()]
    if len(names) != 2 or names[0] != names[1]:
        sys.exit(f"the controllers have different gates: {asked}")


def filled(query):
    for pattern, value in FILLED.items():
        query = re.sub(pattern, value, query)
    return query


def judged(where, gates):
    rules = [{"record": f"gate:{name.replace('-', '_')}", "expr": query} for name, query in gates.items()]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "gates.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "gates", "rules": rules}]}))
        done = subprocess.run([os.environ["PROMTOOL"], "check", "rules", file], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{where}: {done.stderr}{done.stdout}")
