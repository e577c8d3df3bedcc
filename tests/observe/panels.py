"""The panels of the dashboards, and their queries."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "charts/lockstep/dashboards"


def panels():
    """Yields each panel of each dashboard, with the words to find it by."""
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            yield f"{file.stem} / {panel['title']}", panel


def expressions(interval="5m", spanned="15m"):
    """Returns each panel's queries as Grafana would send them for all workloads."""
    variables = {
        "$__rate_interval": interval,
        "$__range": spanned,
        "$namespace": "observe",
        "$workload": "lockstep",
        "$track": ".*",
    }
    found = {}
    for where, panel in panels():
        for target in panel.get("targets", []):
            expr = target["expr"]
            for name, value in variables.items():
                expr = expr.replace(name, value)
            found[f"{where} [{target['refId']}]"] = expr
    return found
