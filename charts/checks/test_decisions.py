"""What the chart decides: kinds, replicas, settings, who reaches what."""

import unittest

import yaml

import rendering

POSTGRES = {"state": {"kind": "postgres", "postgres": {"existingSecret": "db"}}}
GATEWAY = {
    "exposedBehindAuthenticatingProxy": True,
    "gateway": {"enabled": True, "parentRefs": [{"name": "g"}], "hostnames": ["a.example"]},
}
CANARY = POSTGRES | GATEWAY | {"tracks": {"canary": {"enabled": True, "weight": 25, "image": {"tag": "2"}}}}


# Labels that rules and dashboards go by, which OTLP brings by itself.
PROMOTED = {"job", "instance", "k8s_namespace_name", "k8s_pod_name", "lockstep_track"}


def rendered(values, *more):
    return Objects(rendering.objects_of(values, *more))


class Objects(list):
    """Rendered objects, found by kind and name."""

    def of(self, kind):
        return [o for o in self if o["kind"] == kind]

    def one(self, kind, name="lockstep"):
        found = [o for o in self.of(kind) if o["metadata"]["name"] == name]
        assert len(found) == 1, f"{kind} {name}: {len(found)}"
        return found[0]

    def settings(self, name="lockstep"):
        return yaml.safe_load(self.one("ConfigMap", name)["data"]["lockstep.yaml"])

    def pods(self):
        """Yields the specification of every pod, whatever makes it."""
        for o in self:
            if o["kind"] == "Pod":
                yield o["spec"]
            elif "template" in o.get("spec", {}):
                yield o["spec"]["template"]["spec"]

    def server(self, name="lockstep", kind="Deployment"):
        return self.one(kind, name)["spec"]["template"]["spec"]["containers"][0]


class Workload(unittest.TestCase):
    def test_files_are_one_pod_with_a_volume_and_postgres_is_equal_pods(self):
        files, postgres = rendered({}), rendered(POSTGRES | {"replicas": 3})

        claim = files.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        self.assertEqual(files.settings()["state"], "file:///var/lib/lockstep/state")
        self.assertEqual(files.of("Deployment"), [])
        self.assertEqual(postgres.one("Deployment")["spec"]["replicas"], 3)
        self.assertNotIn("state", postgres.settings())
        self.assertEqual(postgres.of("StatefulSet"), [])

    def test_who_scales_says_the_replicas_and_nobody_else(self):
        for safe, who in [(False, "HorizontalPodAutoscaler"), (True, "Deployment")]:
            objects = rendered(POSTGRES | {"autoscaling": {"enabled": True}, "safeMode": safe})

            says = "replicas" in objects.one("Deployment")["spec"]
            scales = len(objects.of("HorizontalPodAutoscaler")) == 1
            self.assertEqual((says, scales), (who == "Deployment", who != "Deployment"), who)

    def test_the_grace_period_is_the_sum_of_what_happens_in_it(self):
        values = {"shutdown": {"preStopSeconds": 7, "drainSeconds": 100, "flushSeconds": 3}}
        objects = rendered(values)

        pod = objects.one("StatefulSet")["spec"]["template"]["spec"]
        self.assertEqual(pod["terminationGracePeriodSeconds"], 7 + 100 + 3 + 5)
        self.assertEqual(pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"], 7)
        self.assertEqual(objects.settings()["drain_secs"], 100)

    def test_probes_ask_the_admin_port(self):
        server = rendered({}).server(kind="StatefulSet")

        ports = {port["name"]: port["containerPort"] for port in server["ports"]}
        self.assertEqual(ports, {"http": 8080, "admin": 8081})
        paths = {"startup": "/startupz", "readiness": "/readyz", "liveness": "/healthz"}
        for probe, path in paths.items():
            self.assertEqual(server[f"{probe}Probe"]["httpGet"], {"path": path, "port": "admin"})

    def test_a_pod_is_rolled_by_its_own_settings_alone(self):
        def checksums(values):
            objects = rendered(CANARY | values)
            templates = [o["spec"]["template"] for o in objects.of("Deployment")]
            return [t["metadata"]["annotations"]["checksum/config"] for t in templates]

        before = checksums({})
        all_changed = checksums({"config": {"search": {"workers": 3}}})
        tracks = {"canary": CANARY["tracks"]["canary"] | {"config": {"search": {"workers": 3}}}}
        canary_changed = checksums({"tracks": tracks})

        different = lambda now: [a != b for a, b in zip(before, now)]
        self.assertEqual(different(all_changed), [True, True])
        self.assertEqual(different(canary_changed), [False, True])

    def test_every_pod_is_restricted_and_has_no_token(self):
        trial = {"kind": "postgres", "postgres": {"bundled": {"enabled": True, "password": "p"}}}
        git = {"source": "git", "git": {"repository": "https://g", "existingSecret": "s"}}
        pods = list(rendered({"state": trial, "content": git}).pods())

        self.assertEqual(len(pods), 3)
        for pod in pods:
            self.assertIs(pod["automountServiceAccountToken"], False)
            self.assertIs(pod["enableServiceLinks"], False)
            self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
            for container in pod["containers"] + pod.get("initContainers", []):
                context = container["securityContext"]
                self.assertIs(context["readOnlyRootFilesystem"], True, container["name"])
                self.assertIs(context["allowPrivilegeEscalation"], False, container["name"])
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, container["name"])


class Settings(unittest.TestCase):
    def test_settings_are_the_servers_own_file_with_the_charts_over_them(self):
        values = {"config": {"search": {"workers": 7, "queue": 9}, "http": {"allowed_hosts": ["x"]}}}
        settings = rendered(values).settings()

        self.assertEqual(settings["search"]["workers"], 7)
        self.assertEqual(settings["search"]["queue"], 9)
        self.assertEqual(settings["search"]["cache"], "/var/cache/lockstep/vectors")
        self.assertEqual(settings["http"]["allowed_hosts"][-1], "x")
        self.assertIn("lockstep.lockstep.svc", settings["http"]["allowed_hosts"])

    def test_hosts_of_routes_are_answered(self):
        ingress = {"enabled": True, "hosts": ["b.example"]}
        hosts = rendered(GATEWAY | {"ingress": ingress}).settings()["http"]["allowed_hosts"]

        self.assertLessEqual({"a.example", "b.example"}, set(hosts))

    def test_no_secret_is_anywhere_but_in_a_secret(self):
        bundled = {"bundled": {"enabled": True, "password": "s3cret"}}
        for postgres in [{"url": "postgres://u:s3cret@h/d"}, bundled]:
            objects = rendered({"state": {"kind": "postgres", "postgres": postgres}})

            holders = {o["kind"] for o in objects if "s3cret" in yaml.safe_dump(o)}
            self.assertEqual(holders, {"Secret"})
            env = {e["name"]: e for e in objects.server()["env"]}
            reference = env["LOCKSTEP_STATE"]["valueFrom"]["secretKeyRef"]
            self.assertEqual(reference, {"name": "lockstep-database", "key": "url"})

    def test_an_existing_secret_is_used_as_it_is(self):
        postgres = {"existingSecret": "db", "key": "uri"}
        objects = rendered({"state": {"kind": "postgres", "postgres": postgres}})

        env = {e["name"]: e for e in objects.server()["env"]}
        reference = env["LOCKSTEP_STATE"]["valueFrom"]["secretKeyRef"]
        self.assertEqual(reference, {"name": "db", "key": "uri"})
        self.assertEqual(objects.of("Secret"), [])

    def test_tokens_are_in_a_secret_alone_and_the_server_and_helm_test_are_given_them(self):
        given = {"auth": {"mode": "tokens", "tokens": {"values": {"alice": "s3cret-s3cret-s3cret"}}}}
        existing = {
            "auth": {"mode": "tokens", "tokens": {"existingSecret": "mine", "key": "all"}},
            "test": {"token": {"existingSecret": "mine", "key": "one"}},
        }
        for values, secret, file, token in [
            (given, "lockstep-tokens", "tokens.yaml", ("lockstep-tokens", "token")),
            (existing, "mine", "all", ("mine", "one")),
        ]:
            objects = rendered(values)

            holders = {o["kind"] for o in objects if "s3cret" in yaml.safe_dump(o)}
            self.assertLessEqual(holders, {"Secret"})
            self.assertEqual(len(objects.of("Secret")), 1 if values is given else 0)
            pod = objects.one("StatefulSet")["spec"]["template"]["spec"]
            volume = next(v for v in pod["volumes"] if v["name"] == "tokens")["secret"]
            self.assertEqual(volume, {"secretName": secret, "items": [{"key": file, "path": "tokens.yaml"}]})
            mount = next(m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "tokens")
            self.assertNotIn("subPath", mount, "such a mount never changes")
            settings = objects.settings()["auth"]
            self.assertEqual(settings, {"mode": "tokens", "tokens_file": f"{mount['mountPath']}/tokens.yaml"})
            env = objects.one("Pod", "lockstep-test-call")["spec"]["containers"][0]["env"]
            reference = env[0]["valueFrom"]["secretKeyRef"]
            self.assertEqual((env[0]["name"], reference["name"], reference["key"]), ("LOCKSTEP_TOKEN", *token))

    def test_a_test_without_a_token_is_not_run_where_one_is_asked_for(self):
        objects = rendered({"auth": {"mode": "tokens", "tokens": {"existingSecret": "mine"}}})

        self.assertEqual(objects.of("Pod"), [])
        self.assertEqual(len(rendered({}).of("Pod")), 1)

    def test_an_issuer_s_settings_are_the_servers_and_its_keys_can_be_asked_for(self):
        jwt = {"issuer": "https://id.example:8443/realm", "publicUrl": "https://a.example/mcp", "requiredScope": "mcp"}
        config = {"auth": {"jwt": {"leeway_secs": 5}}, "http": {"allowed_hosts": ["a.example"]}}
        objects = rendered({"auth": {"mode": "jwt", "jwt": jwt}, "config": config})

        settings = objects.settings()
        self.assertEqual(settings["http"]["public_url"], "https://a.example/mcp")
        self.assertIn("a.example", settings["http"]["allowed_hosts"])
        expected = {"issuer": jwt["issuer"], "principal_claim": "sub", "required_scope": "mcp", "leeway_secs": 5}
        self.assertEqual(settings["auth"], {"mode": "jwt", "jwt": expected})
        policy = objects.one("NetworkPolicy")["spec"]
        self.assertIn(8443, {port["port"] for rule in policy["egress"] for port in rule["ports"]})

    def test_who_knows_its_callers_may_be_exposed(self):
        values = {"auth": {"mode": "tokens", "tokens": {"existingSecret": "mine"}}}
        route = {"gateway": GATEWAY["gateway"]}

        self.assertEqual(len(rendered(values | route).of("HTTPRoute")), 1)

    def test_metrics_leave_by_the_way_that_is_chosen(self):
        otlp = {"endpoint": "http://c:4318"}
        for metrics, exporter, scraped in [
            ("none", "none", False),
            ("otlp", "otlp", False),
            ("prometheus", "none", True),
            ("both", "otlp", True),
        ]:
            objects = rendered({"telemetry": {"metrics": metrics, "otlp": otlp}})

            env = {e["name"]: e.get("value") for e in objects.server(kind="StatefulSet")["env"]}
            said = objects.settings().get("telemetry", {}).get("prometheus", False)
            self.assertEqual((env["OTEL_METRICS_EXPORTER"], said), (exporter, scraped), metrics)

    def test_traces_are_sampled_by_a_setting_that_callers_cannot_go_around(self):
        otlp = {"endpoint": "http://c:4318", "sampleRatio": 0.25}
        objects = rendered({"telemetry": {"otlp": otlp}})

        self.assertEqual(objects.settings()["telemetry"]["sample_ratio"], 0.25)
        self.assertNotIn("OTEL_TRACES_SAMPLER", str(objects.server(kind="StatefulSet")["env"]))

    def test_files_of_the_values_stand_in_the_pod_under_their_paths(self):
        files = {"standards/b/c.md": "c\n", "standards/a.md": "a\n"}
        objects = rendered({"content": {"source": "files", "files": files}})

        pod = objects.one("StatefulSet")["spec"]["template"]["spec"]
        volume = next(v for v in pod["volumes"] if v["name"] == "content")["configMap"]
        held = objects.one("ConfigMap", volume["name"])["data"]
        shown = {item["path"]: held[item["key"]] for item in volume["items"]}
        self.assertEqual(shown, files)
        self.assertEqual(objects.settings()["content"], "/content")


class Tracks(unittest.TestCase):
    def test_a_canary_gets_its_share_and_whoever_asks_for_it(self):
        route = rendered(CANARY).one("HTTPRoute")
        by_header, by_weight = route["spec"]["rules"]

        header = by_header["matches"][0]["headers"][0]
        self.assertEqual((header["name"], header["value"]), ("x-canary", "always"))
        self.assertEqual([b["name"] for b in by_header["backendRefs"]], ["lockstep-canary"])
        weights = {b["name"]: b["weight"] for b in by_weight["backendRefs"]}
        self.assertEqual(weights, {"lockstep": 75, "lockstep-canary": 25})

    def test_tracks_share_no_pod(self):
        objects = rendered(CANARY)

        for name, tag, track in [("lockstep", "0.1.0", "stable"), ("lockstep-canary", "2", "canary")]:
            deployment = objects.one("Deployment", name)
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(objects.server(name)["image"], f"lockstep:{tag}")
            self.assertEqual(labels["track"], track)
            selectors = [
                deployment["spec"]["selector"]["matchLabels"],
                objects.one("Service", name)["spec"]["selector"],
                objects.one("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"],
            ]
            for selector in selectors:
                self.assertEqual(selector["track"], track)
                self.assertLessEqual(selector.items(), labels.items())

    def test_the_stable_digest_is_not_the_canarys(self):
        digest = "sha256:" + "0" * 64
        objects = rendered(CANARY | {"image": {"digest": digest}})

        self.assertEqual(objects.server("lockstep")["image"], f"lockstep@{digest}")
        self.assertEqual(objects.server("lockstep-canary")["image"], "lockstep:2")

    def test_safe_mode_goes_back_to_what_is_known_to_work(self):
        values = {"safeMode": True, "autoscaling": {"enabled": True}}
        values["config"] = {"workflow": {"authoring": True}, "http": {"legacy_sessions": True}}
        objects = rendered(CANARY | values)

        settings = objects.settings()
        self.assertEqual(settings["transport"], "http")
        self.assertIs(settings["workflow"]["authoring"], False)
        self.assertIs(settings["http"]["legacy_sessions"], False)
        (rule,) = objects.one("HTTPRoute")["spec"]["rules"]
        weights = {b["name"]: b["weight"] for b in rule["backendRefs"]}
        self.assertEqual(weights, {"lockstep": 100, "lockstep-canary": 0})
        self.assertEqual(objects.of("HorizontalPodAutoscaler"), [])


class Network(unittest.TestCase):
    def test_only_what_a_release_needs_leaves_it(self):
        otlp = {"telemetry": {"otlp": {"endpoint": "http://collector.o11y:4317"}}}
        git = {"content": {"source": "git", "git": {"repository": "https://g"}}}
        jwt = {"auth": {"mode": "jwt", "jwt": {"issuer": "https://i", "publicUrl": "https://a/mcp"}}}
        for values, ports in [
            ({}, {53}),
            (POSTGRES, {53, 5432}),
            (otlp, {53, 4317}),
            (git, {53, 443, 22}),
            (jwt, {53, 443}),
        ]:
            policy = rendered(values).one("NetworkPolicy")["spec"]

            self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
            opened = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
            self.assertEqual(opened, ports, values)

    def test_the_policy_finds_the_pods_and_their_ports(self):
        objects = rendered({})
        policy = objects.one("NetworkPolicy")["spec"]

        labels = objects.one("StatefulSet")["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(policy["podSelector"]["matchLabels"].items(), labels.items())
        ports = {p["port"] for rule in policy["ingress"] for p in rule["ports"]}
        self.assertEqual(ports, {"http", "admin"})

    def test_runbooks_are_linked_where_they_are_published_and_named_everywhere(self):
        on = {"rules": {"enabled": True}, "dashboards": {"enabled": True}}
        url = "https://wiki.example/run$1books"
        for published in ("", url):
            objects = rendered({"telemetry": on | {"runbooksUrl": published}})
            rules = [rule for o in objects.of("PrometheusRule") for g in o["spec"]["groups"] for rule in g["rules"]]
            alerts = [rule for rule in rules if "alert" in rule]
            pages = [yaml.safe_load(text) for o in objects.of("ConfigMap") if "dashboard" in o["metadata"]["name"]
                     for text in o["data"].values()]
            links = [link["url"] for page in pages for panel in page["panels"] for link in panel.get("links", [])]

            self.assertGreater(len(alerts), 30)
            for alert in alerts:
                name, told = alert["alert"], alert["annotations"]
                self.assertEqual(told["runbook"], f"standards://runbooks/{name}.md")
                self.assertEqual(told.get("runbook_url"), f"{url}/{name}" if published else None)
            named = [f"{url}/{name}" for page in pages for panel in page["panels"] for name in panel.get("runbooks", [])]
            self.assertEqual(sorted(links), sorted(named) if published else [])
            self.assertGreater(len(named), 30)

    def test_scrapers_find_every_pod(self):
        telemetry = {"metrics": "prometheus", "serviceMonitor": {"enabled": True}}
        objects = rendered(CANARY | {"telemetry": telemetry})

        monitor = objects.one("ServiceMonitor")["spec"]
        admin = objects.one("Service", "lockstep-admin")
        wanted = monitor["selector"]["matchLabels"]
        self.assertLessEqual(wanted.items(), admin["metadata"]["labels"].items())
        found = [s["metadata"]["name"] for s in objects.of("Service") if wanted.items() <= s["metadata"]["labels"].items()]
        self.assertEqual(found, ["lockstep-admin"])
        (endpoint,) = monitor["endpoints"]
        self.assertEqual(endpoint["port"], admin["spec"]["ports"][0]["name"])
        relabelled = {rule["targetLabel"]: rule for rule in endpoint["relabelings"]}
        self.assertEqual(relabelled["job"]["replacement"], "lockstep/lockstep")
        self.assertEqual(set(relabelled), PROMOTED)
        for deployment in objects.of("Deployment"):
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            self.assertLessEqual(admin["spec"]["selector"].items(), labels.items())
