"""The overlays of k8s/, and the base that is generated from the chart."""

import subprocess
import sys

import yaml

import rendering
from rendering import ROOT

K8S = ROOT / "k8s"
HEADER = "# Generated from the chart with values.yaml: charts/check --write rendered.\n"


def generated():
    """Returns the files of the base: what is always there, and what a canary adds to it."""
    base = without_tests(rendering.template(K8S / "base/values.yaml"))
    canary = ["--values", K8S / "components/canary/values.yaml"]
    both = without_tests(rendering.template(K8S / "base/values.yaml", "--kube-version", rendering.KUBERNETES, *canary))
    changed = [name(o) for o in base if o not in both]
    if changed:
        sys.exit(f"a canary must only add to k8s/base, but it changes {', '.join(changed)}")
    added = [o for o in both if o not in base]
    return {
        K8S / "base/lockstep.yaml": HEADER + dumped(base),
        K8S / "components/canary/lockstep.yaml": HEADER + dumped(added),
    }


def complete():
    """Ends the program unless each folder of the chart is mounted whole by k8s/observability."""
    for folder, ending in [("dashboards", ".json"), ("rules", ".yaml")]:
        described = yaml.safe_load((rendering.CHART / folder / "Kustomization").read_text())
        listed = described["configMapGenerator"][0]["files"]
        there = sorted(file.name for file in (rendering.CHART / folder).glob(f"*{ending}"))
        if listed != there:
            sys.exit(f"charts/lockstep/{folder}/Kustomization lists {listed}, but there is {there}")


def built():
    """Yields the name and the objects of each overlay, as `kubectl apply` would send them."""
    for file in sorted(K8S.glob("**/kustomization.yaml")):
        folder = file.parent
        described = yaml.safe_load(file.read_text())
        if described["kind"] == "Component":
            continue
        done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{folder.relative_to(ROOT)}: {done.stderr}")
        yield str(folder.relative_to(ROOT)), rendering.parsed(done.stdout)
    # Applied one by one: what makes load.
    for file in sorted((K8S / "k6").glob("*.yaml")):
        yield str(file.relative_to(ROOT)), rendering.parsed(file.read_text())


def without_tests(text):
    hooks = "helm.sh/hook"
    objects = rendering.parsed(text)
    return [o for o in objects if hooks not in o["metadata"].get("annotations", {})]


def dumped(objects):
    return yaml.safe_dump_all(objects, sort_keys=False, width=1000)


def name(document):
    return f"{document['kind']} {document['metadata']['name']}"
