"""What Helm makes of the chart."""

import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/lockstep"
KUBERNETES = "1.37.2"

# These repeat files of the chart word for word: a copy of the copy would tell a reviewer nothing.
VERBATIM = ("dashboards.yaml", "prometheusrule.yaml")


class Refused(Exception):
    """Helm would not install this."""


def examples():
    return sorted(path.parent for path in (CHART / "examples").glob("*/values.yaml"))


def helm(*arguments, given=None):
    command = [os.environ["HELM"], *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def template(values, *more, given=None):
    arguments = ["template", "lockstep", CHART, "--namespace", "lockstep", "--values", values]
    return helm(*arguments, *(more or ("--kube-version", KUBERNETES)), given=given)


def objects_of(values, *more):
    """Returns the objects for values that are given as a dictionary."""
    return parsed(template("-", *more, given=json.dumps(values)))


def documents(example):
    return parsed(template(example / "values.yaml"))


def parsed(text):
    return [document for document in yaml.safe_load_all(text) if document]


def by_template(example):
    """Returns what each template became, by the template's name."""
    text = template(example / "values.yaml")
    files = {}
    for part in re.split(r"^---\n", text, flags=re.MULTILINE):
        if match := re.match(r"# Source: lockstep/templates/(\S+)\n", part):
            name = match[1].replace("/", "-")
            files[name] = files.get(name, "") + "---\n" + part[match.end() :]
    return {name: text for name, text in files.items() if name not in VERBATIM}


def keep(folder, files, write):
    """Holds a folder to contain exactly `files`, or makes it so."""
    for stale in folder.glob("*"):
        if stale.name not in files:
            if not write:
                sys.exit(f"{stale.relative_to(ROOT)} is rendered no more: run charts/check --write rendered")
            stale.unlink()
    for name, text in files.items():
        keep_file(folder / name, text, write)


def keep_file(file, text, write):
    if write:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    elif not file.exists() or file.read_text() != text:
        aside = file.with_suffix(".now")
        aside.write_text(text)
        subprocess.run(["diff", "--unified", file, aside])
        aside.unlink()
        sys.exit(f"{file.relative_to(ROOT)} differs: run charts/check --write rendered, and look at the change")
