"""Judges objects by the schemas of whoever owns their kind.

Kubernetes' own come with the package kubernetes-validate. All others are made here from the custom
resource definitions that their projects publish, each from its Go module at a pinned version.
"""

import functools
import json
import pathlib
import subprocess
import sys

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.37"

# Module, version, files with definitions. Where Go's checksum database answers, it vouches for them.
DEFINITIONS = [
    ("sigs.k8s.io/gateway-api", "v1.6.0", ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"]),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        [
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        ],
    ),
    (
        "github.com/argoproj/argo-rollouts",
        "v1.10.1",
        ["manifests/crds/rollout-crd.yaml", "manifests/crds/analysis-template-crd.yaml"],
    ),
    ("github.com/fluxcd/flagger", "v1.36.1", ["artifacts/flagger/crd.yaml"]),
    ("github.com/grafana/k6-operator", "v0.0.19", ["config/crd/bases/k6.io_testruns.yaml"]),
]


def validate(document, where):
    """Ends the program with what is wrong with an object, if anything is."""
    version, kind = document["apiVersion"], document["kind"]
    what = f"{where}: {kind} {document['metadata']['name']}"
    schema = custom().get((version, kind))
    try:
        if schema:
            jsonschema.Draft7Validator(schema).validate(document)
        else:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        path = ".".join(str(part) for part in error.path)
        sys.exit(f"{what}: {path}: {error.message}")
    except kubernetes_validate.SchemaNotFoundError:
        sys.exit(f"{what}: nobody knows this kind: name its definition in charts/checks/objects.py")


@functools.cache
def custom():
    """Returns the schemas of custom resources by version and kind."""
    found = {}
    for definition in definitions():
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            strict(schema)
            # Its schema leaves this to Kubernetes.
            schema["properties"]["metadata"] = {"type": "object"}
            found[(f"{spec['group']}/{version['name']}", spec["names"]["kind"])] = schema
    return found


def definitions():
    for file in definition_files():
        for document in yaml.safe_load_all(file.read_text()):
            if document and document["kind"] == "CustomResourceDefinition":
                yield document


def definition_files():
    """Returns the files with custom resource definitions, fetched where they are missing."""
    files = []
    for module, version, paths in DEFINITIONS:
        command = ["go", "mod", "download", "-json", f"{module}@{version}"]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        folder = pathlib.Path(json.loads(done.stdout)["Dir"])
        files += [folder / path for path in paths]
    return files


def strict(schema):
    """Makes a key that is not named an error, as the API server does when it is asked to be strict."""
    if isinstance(schema, list):
        for part in schema:
            strict(part)
    if not isinstance(schema, dict):
        return
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not open_ended:
        schema.setdefault("additionalProperties", False)
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
        schema["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    for part in schema.values():
        strict(part)
