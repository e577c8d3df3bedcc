"""Runs the checks that are named, or all: see charts/check."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import yaml

import gates
import kustomize
import objects
import rendering
from rendering import CHART, ROOT

TOOLS = pathlib.Path(os.environ["TOOLS"])


def lint(_write):
    """The chart is well-formed with the values of every example."""
    for example in rendering.examples():
        values = ["--values", example / "values.yaml"]
        rendering.helm("lint", "--strict", "--quiet", "--kube-version", rendering.KUBERNETES, *values, CHART)


def rendered(write):
    """What the chart makes of every example, and k8s/base, is what is committed: for reviewers."""
    for example in rendering.examples():
        rendering.keep(example / "rendered", rendering.by_template(example), write)
    kustomize.complete()
    for file, text in kustomize.generated().items():
        rendering.keep_file(file, text, write)


def valid(_write):
    """Every object is one that Kubernetes, or the owner of its kind, knows: no key is misspelt."""
    for name, documents in everything():
        for document in documents:
            objects.validate(document, name)


def config(_write):
    """The server itself accepts each file of settings that was rendered."""
    for name, documents in everything():
        for document in documents:
            settings = document.get("data", {}).get("lockstep.yaml") if document["kind"] == "ConfigMap" else None
            if settings:
                judged_by_the_server(name, settings)


def judged_by_the_server(name, settings):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(settings)
        file.flush()
        command = [os.environ["LOCKSTEP"], "config", "--config", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr.strip()}\n{settings}")


def decisions(_write):
    """What the chart decides and refuses: test_*.py."""
    suite = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent))
    if not unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful():
        sys.exit(1)


def queries(_write):
    """Prometheus parses the gates of k8s/rollout, and both controllers have the same."""
    gates.parse(kustomize.built())


def policy(_write):
    """Checkov finds nothing but what checkov.yaml gives a reason for."""
    with tempfile.TemporaryDirectory() as folder:
        for name, documents in everything():
            name = name.replace("/", "-").replace(".", "-")
            for document in documents:
                # One run for all: a policy of one release must not stand in for that of another.
                document["metadata"]["namespace"] = name
            (pathlib.Path(folder) / f"{name}.yaml").write_text(yaml.safe_dump_all(documents))
        settings = ROOT / "charts/checks/checkov.yaml"
        run([TOOLS / "checkov", "--config-file", settings, "--directory", folder])


def dockerfile(_write):
    """Hadolint finds nothing but what the Dockerfile gives a reason for."""
    settings = ROOT / "charts/checks/hadolint.yaml"
    run([TOOLS / "hadolint", "--config", settings, ROOT / "Dockerfile"])


def everything():
    """Yields the name and the objects of every example and every overlay."""
    for example in rendering.examples():
        yield str(example.relative_to(ROOT)), rendering.documents(example)
    yield from kustomize.built()


def run(command):
    done = subprocess.run(command, cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


CHECKS = {
    "lint": lint,
    "rendered": rendered,
    "objects": valid,
    "config": config,
    "decisions": decisions,
    "gates": queries,
    "policy": policy,
    "dockerfile": dockerfile,
}


def main(arguments):
    if arguments == ["definitions"]:
        print(*objects.definition_files(), sep="\n")
        return
    write = "--write" in arguments
    named = [name for name in arguments if name != "--write"]
    for name in named or CHECKS:
        started = time.monotonic()
        CHECKS[name](write)
        print(f"chart: {name}: {CHECKS[name].__doc__} ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
