"""What cannot work is refused before anything is changed, with what to do."""

import json
import unittest

import yaml

import rendering
from test_decisions import CANARY, POSTGRES


class Refusals(unittest.TestCase):
    def refused(self, values, *more):
        with self.assertRaises(rendering.Refused, msg=values) as refusal:
            rendering.objects_of(values, *more)
        return str(refusal.exception)

    def test_what_cannot_work_is_refused_with_what_to_do(self):
        postgres = lambda **ways: {"state": {"kind": "postgres", "postgres": ways}}
        cases = [
            ({"replicas": 2}, "replicas is 2", "state.kind to postgres"),
            ({"autoscaling": {"enabled": True}}, "autoscaling.enabled", "state.kind to postgres"),
            ({"tracks": {"canary": {"enabled": True}}}, "canary.enabled", "state.kind to postgres"),
            (postgres(), "exactly one of", "existingSecret"),
            (postgres(existingSecret="a", url="postgres://b"), "exactly one of", "url"),
            (postgres(bundled={"enabled": True}), "password is empty", "choose one"),
            ({"config": {"listen": "x"}}, "config.listen is the chart's", "bindAddress"),
            ({"config": {"state": "postgres://u:p@h"}}, "config.state is the chart's", "state"),
            ({"config": {"drain_delay_secs": 5}}, "config.drain_delay_secs is the chart's", "shutdown"),
            ({"tracks": {"canary": {"config": {"admin": {}}}}}, "tracks.canary.config.admin", "chart's"),
            ({"content": {"source": "git"}}, "source is git", "content.git.repository"),
            ({"content": {"source": "claim"}}, "source is claim", "content.claim.name"),
            ({"content": {"source": "files"}}, "source is files", "content.files"),
            ({"ingress": {"enabled": True, "hosts": ["a"]}}, "auth.mode is none", "exposedBehind"),
            ({"gateway": {"enabled": True}}, "auth.mode is none", "tokens or jwt"),
            ({"auth": {"mode": "tokens"}}, "exactly one of", "auth.tokens.existingSecret"),
            ({"auth": {"mode": "tokens", "tokens": {"values": {"a": "sha256:" + 64 * "0"}}}}, "digest", "existingSecret"),
            ({"auth": {"mode": "jwt"}}, "auth.mode is jwt", "auth.jwt.issuer"),
            ({"auth": {"mode": "jwt", "jwt": {"issuer": "https://i"}}}, "auth.mode is jwt", "auth.jwt.publicUrl"),
            ({"config": {"auth": {"mode": "none"}}}, "config.auth.mode is the chart's", "see auth"),
            ({"telemetry": {"serviceMonitor": {"enabled": True}}}, "metrics is none", "prometheus"),
            ({"telemetry": {"metrics": "otlp"}}, "metrics is otlp", "otlp.endpoint"),
        ]
        for values, what, to_do in cases:
            said = self.refused(values)

            self.assertIn(what, said, values)
            self.assertIn(to_do, said, values)

    def test_an_image_volume_is_refused_where_kubernetes_has_none(self):
        values = {"content": {"source": "ociImage", "ociImage": {"reference": "r"}}}

        self.assertIn("1.33", self.refused(values, "--kube-version", "1.32.0"))
        rendering.objects_of(values, "--kube-version", "1.33.0")

    def test_a_misspelt_or_impossible_value_is_refused_by_name(self):
        cases = [
            ({"replicass": 1}, "replicass"),
            ({"state": {"knd": "files"}}, "knd"),
            ({"state": {"kind": "redis"}}, "state.kind"),
            ({"telemetry": {"otlp": {"endpont": "http://c"}}}, "endpont"),
            ({"telemetry": {"otlp": {"endpoint": "https://c"}}}, "telemetry.otlp.endpoint"),
            ({"tracks": {"canary": {"weight": 101}}}, "tracks.canary.weight"),
            ({"tracks": {"canary": {"wieght": 5}}}, "wieght"),
            ({"probes": {"readyness": {}}}, "readyness"),
            ({"shutdown": {"drainSeconds": 301}}, "shutdown.drainSeconds"),
            ({"image": {"digest": "sha256:short"}}, "image.digest"),
            ({"content": {"source": "files", "files": {"../x.md": "x"}}}, "../x.md"),
            ({"resources": {"limit": {}}}, "limit"),
            ({"auth": {"mode": "token"}}, "auth.mode"),
            ({"auth": {"tokens": {"values": {"a": "short"}}}}, "auth.tokens.values"),
            ({"auth": {"jwt": {"jwksUrl": "http://keys"}}}, "auth.jwt.jwksUrl"),
        ]
        for values, named in cases:
            # Helm shows a path with slashes or with dots, by its version.
            said = self.refused(values).replace("/", ".")

            self.assertIn(named.replace("/", "."), said, values)

    def test_what_is_refused_in_files_works_with_postgres(self):
        rendering.objects_of(POSTGRES | {"replicas": 2, "autoscaling": {"enabled": True}})
        rendering.objects_of(CANARY)


class Values(unittest.TestCase):
    def test_two_replicas_with_telemetry_and_authentication_take_under_thirty_lines(self):
        file = rendering.CHART / "examples/two-replicas/values.yaml"
        values = yaml.safe_load(file.read_text())

        self.assertLess(len(file.read_text().splitlines()), 30)
        self.assertEqual(values["replicas"], 2)
        self.assertEqual(values["auth"]["mode"], "tokens")
        self.assertTrue(values["telemetry"]["otlp"]["endpoint"])

    def test_the_schema_knows_every_default_and_nothing_more(self):
        schema = json.loads((rendering.CHART / "values.schema.json").read_text())
        values = yaml.safe_load((rendering.CHART / "values.yaml").read_text())

        self.assertEqual(set(schema["properties"]) - {"global"}, set(values))
        self.assertEqual(differences(schema, values), [])


def differences(schema, values, path=""):
    """Returns the keys that only one of schema and values has, where the schema names keys."""
    if not isinstance(values, dict) or "properties" not in schema:
        return []
    named = set(schema["properties"]) - {"global"}
    found = [f"{path}.{key}" for key in set(values) ^ named]
    for key in set(values) & named:
        found += differences(schema["properties"][key], values[key], f"{path}.{key}")
    return found
