"""The catalogue of metrics, in Prometheus' words: ours as the chart has it, and the SDK's own (sdk.json)."""

import json
import pathlib
import re

# Prometheus' own, and what every series of ours carries from the resource.
EVERYWHERE = {"job", "instance", "le", "__name__", "otel_metric_overflow", "lockstep_track"}
KINDS = {"counter", "up_down_counter", "gauge", "histogram"}
HERE = pathlib.Path(__file__).parent
OURS = HERE.parent.parent / "charts/lockstep/files/telemetry.json"
UNITS = {"s": "_seconds", "By": "_bytes"}


class Catalogue:
    """Every metric with its kind, unit and attributes."""

    def __init__(self, metrics):
        self.metrics = metrics

    @classmethod
    def read(cls):
        sdk = json.loads((HERE / "sdk.json").read_text())["metrics"]
        return cls([metric_of(entry) for entry in json.loads(OURS.read_text())["instruments"]] + sdk)

    def names(self):
        """Returns each metric's OpenTelemetry name and the name of its series in Prometheus."""
        return {metric["name"]: translated(metric) for metric in self.metrics}

    def series(self):
        """Returns the names of all series."""
        found = set()
        for metric in self.metrics:
            name = translated(metric)
            found |= {f"{name}_{end}" for end in ("bucket", "sum", "count")} if kind(metric) == "histogram" else {name}
        return found

    def labels(self, expr):
        """Yields labels of selectors in `expr` that their metric does not have, and values it never has."""
        known = {}
        for metric in self.metrics:
            attributes = {dots(a["name"]): a.get("values") or [] for a in metric["attributes"]}
            for name in self.series_of(metric):
                known[name] = attributes
        for name, selector in re.findall(r"([a-z][\w]*)\{([^}]*)\}", expr):
            if name not in known:
                continue
            for label, value in re.findall(r'(\w+)\s*!?=~?\s*"([^"]*)"', selector):
                if label not in known[name] and label not in EVERYWHERE:
                    yield f"{name} has no label {label}"
                allowed = known[name].get(label)
                for one in value.split("|") if allowed else []:
                    if one and one not in allowed:
                        yield f"{name}: {label} is never {one}"

        attributes = {dots(a["name"]) for metric in self.metrics for a in metric["attributes"]}
        for grouped in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expr):
            for label in filter(None, re.split(r"[,\s]+", grouped)):
                if label not in attributes | EVERYWHERE:
                    yield f"no metric has a label {label}"

    def series_of(self, metric):
        return Catalogue([metric]).series()


def metric_of(entry):
    """Takes an entry of `lockstep telemetry --format json`: values that are not listed are told in words."""
    attributes = [
        {"name": a["key"], "values": a["values"] if isinstance(a["values"], list) else []}
        for a in entry["attributes"]
    ]
    return {"name": entry["name"], "kind": entry["kind"], "unit": entry["unit"], "attributes": attributes}


def kind(metric):
    found = metric["kind"]
    if found not in KINDS:
        raise ValueError(f"{metric['name']}: {found} is no kind")
    return found


def dots(name):
    return re.sub(r"\W", "_", name)


def translated(metric):
    """Returns the name that Prometheus gives a metric: suffixes for the unit and for counters."""
    unit = UNITS.get(metric["unit"], "")
    total = "_total" if kind(metric) == "counter" else ""
    return dots(metric["name"]) + unit + total
