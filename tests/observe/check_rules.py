"""Holds alert rules, their tests, runbooks and dashboards to each other and to the catalogue.

    check_rules.py PROMTOOL
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

import catalogue
import panels

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "charts/lockstep/rules"
TESTS = ROOT / "tests/observe/rules"
RUNBOOKS = ROOT / "content/standards/runbooks"
RUNBOOK = "standards://runbooks"
QUERIES_A_RUNBOOK = 3


def main():
    promtool = sys.argv[1]
    alerts = [rule for file in sorted(RULES.glob("*.yaml")) for rule in rules_of(file) if "alert" in rule]
    faults = [
        *generated(),
        *tested(alerts),
        *explained(alerts),
        *linked(alerts),
    ]
    subprocess.run([promtool, "check", "rules", *sorted(RULES.glob("*.yaml"))], check=True)
    expressions = {**panels.expressions(), **runbook_queries()}
    faults += parsed(promtool, expressions)
    for file in sorted(RULES.glob("*.yaml")):
        for rule in rules_of(file):
            expressions[f"{file.name} {rule.get('alert') or rule['record']}"] = rule["expr"]
    faults += unknown(expressions)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(1)
    subprocess.run([promtool, "test", "rules", *sorted(TESTS.glob("*.yaml"))], check=True)
    print(f"{len(alerts)} alert rules, {len(expressions)} queries: well")


def unknown(expressions):
    """Yields metrics, labels and values that the catalogue does not have."""
    known = catalogue.Catalogue.read()
    recorded = {rule["record"] for file in RULES.glob("*.yaml") for rule in rules_of(file) if "record" in rule}
    for where, expr in expressions.items():
        for name in sorted(names(expr) - recorded - known.series()):
            yield f"{where}: {name} is not in the catalogue"
        yield from (f"{where}: {fault}" for fault in known.labels(expr))


def rules_of(file):
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def generated():
    """Runs the generators' own checks."""
    for command in (["tools/slo-rules", "--check"], ["tools/dashboards", "--check"]):
        ran = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
        if ran.returncode:
            yield ran.stderr.strip()


def tested(alerts):
    """Yields alerts that no test fires, or of which no test says that they stay quiet."""
    fired, quiet = set(), set()
    for file in TESTS.glob("*.yaml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                name, expected = case["alertname"], case["exp_alerts"]
                fired |= {(name, alert["exp_labels"].get("burn")) for alert in expected}
                quiet |= set() if expected else {name}
    for alert in alerts:
        name, burn = alert["alert"], alert["labels"].get("burn")
        if (name, burn) not in fired:
            yield f"{name} {burn or ''}: no test in which it fires"
        if name not in quiet:
            yield f"{name}: no test in which it stays quiet"


def explained(alerts):
    """Yields alerts without a runbook, runbooks without an alert, and thin runbooks."""
    names_of_alerts = {alert["alert"] for alert in alerts}
    pages = {page.stem: page.read_text() for page in RUNBOOKS.glob("*.md")}
    for name in sorted(names_of_alerts ^ pages.keys()):
        yield f"{name}: {'no runbook' if name in names_of_alerts else 'a runbook without an alert'}"
    for name, text in pages.items():
        if text.count("```promql") != QUERIES_A_RUNBOOK or "\nLever: " not in text or "\n1. " not in text:
            yield f"runbook {name}: needs {QUERIES_A_RUNBOOK} queries, numbered actions and a lever"
        for other in set(re.findall(r"\bLockstep[A-Z]\w+", text)) - names_of_alerts:
            yield f"runbook {name}: speaks of {other}, which is no alert"


def linked(alerts):
    """Yields alerts and panels that do not lead to a runbook."""
    for alert in alerts:
        if alert["annotations"]["runbook"] != f"{RUNBOOK}/{alert['alert']}.md":
            yield f"{alert['alert']}: its runbook is another"
    names_of_alerts = {alert["alert"] for alert in alerts}
    seen = set()
    for where, panel in panels.panels():
        if where in seen:
            yield f"{where}: two panels of one title, of which one would not be checked"
        seen.add(where)
        for name in panel.get("runbooks", []):
            if name not in names_of_alerts:
                yield f"{where}: {name} is no alert"
        if panel["type"] != "row" and not (panel.get("description") or panel["type"] == "text"):
            yield f"{where}: has no description"
        if panel["type"] not in ("row", "text") and not panel["fieldConfig"]["defaults"]["unit"]:
            yield f"{where}: has no unit"


def runbook_queries():
    found = {}
    for page in sorted(RUNBOOKS.glob("*.md")):
        for number, query in enumerate(re.findall(r"```promql\n\s*(.*?)\n\s*```", page.read_text(), re.S), 1):
            found[f"runbook {page.stem}, query {number}"] = query
    return found


def parsed(promtool, expressions):
    """Yields expressions that are no PromQL. One call for all: each is a rule of one file."""
    rules = [{"record": "x:x", "labels": {"at": str(n)}, "expr": e} for n, e in enumerate(expressions.values())]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        ran = subprocess.run([promtool, "check", "rules", "--lint=none", file.name], capture_output=True, text=True)
    if ran.returncode:
        yield f"{ran.stdout}{ran.stderr}"


def names(expr):
    """Returns the metrics that an expression reads."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expr)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}", " ", bare)
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    found = set(re.findall(r"[A-Za-z_:][\w:]*(?!\w*\s*\()", bare))
    return {name for name in found if re.match(r"(lockstep|mcp|http|process|otel|rpc)[_:]", name)}


if __name__ == "__main__":
    main()
