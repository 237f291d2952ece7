"""The Helm chart, rendered by Helm 4 (its library, from a Python package), and its manifests against the schemas of Kubernetes."""
import unittest
from pathlib import Path

import kubernetes_validate
import yaml
from helm_python import Chart, lint
from helm_python.errors import HelmError

FOLDER = Path(__file__).resolve().parents[2] / "deploy/helm/taskward"
# The oldest that Chart.yaml allows, and the newest that the schemas know.
KUBERNETES = ["1.27", "1.37"]
LEAST = {"image": {"repository": "registry.example.com/taskward"}, "secrets": ["taskward"]}
ALL = LEAST | {
    "image": {"repository": "registry.example.com/taskward", "digest": "sha256:" + "a" * 64, "pullSecrets": ["registry"]},
    "settings": {"BETTER_AUTH_URL": "https://app.example.com", "DATABASE_MAX_CONNECTIONS": "8"},
    "shutdownDelaySeconds": 10,
    "metrics": {"enabled": True, "port": 9999, "from": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
    "autoscaling": {"enabled": True},
    "ingress": {"enabled": True, "className": "nginx", "host": "tasks.example.com", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "networkPolicy": {"ingressFrom": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    "serviceAccount": {"annotations": {"a": "b"}},
    "podAnnotations": {"a": "b"}, "podLabels": {"a": "b"}, "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}}, "priorityClassName": "high",
}


def render(values):
    """The manifests by kind, and the notes."""
    chart = Chart.load(FOLDER)
    chart.validate_schema(values)
    texts = chart.render(values, name="taskward", namespace="tasks")
    found = {}
    for path, text in texts.items():
        if not path.endswith("NOTES.txt"):
            for manifest in filter(None, yaml.safe_load_all(text)):
                found[manifest["kind"]] = manifest
    notes = next(text for path, text in texts.items() if path.endswith("NOTES.txt"))
    return found, notes


def pods(manifests):
    """The specifications of all pods."""
    for kind, manifest in manifests.items():
        if kind == "Pod":
            yield manifest["spec"]
        elif kind in ("Deployment", "Job"):
            yield manifest["spec"]["template"]["spec"]


class ChartTest(unittest.TestCase):
    def test_helm_finds_nothing_to_complain_about(self):
        # A missing icon is an information.
        report = lint(FOLDER, LEAST, strict=True)
        self.assertEqual([], report["errors"])
        self.assertEqual([], [message for message in report["messages"] if message["severity"] > 1])

    def test_kubernetes_takes_the_manifests(self):
        for values, kinds in [
            (LEAST, {"Deployment", "Job", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "Pod"}),
            (ALL, {"Deployment", "Job", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "Pod",
                   "HorizontalPodAutoscaler", "Ingress"}),
        ]:
            manifests, _ = render(values)
            self.assertEqual(kinds, set(manifests))
            for manifest in manifests.values():
                for version in KUBERNETES:
                    kubernetes_validate.validate(manifest, version, strict=True)

    def test_no_pod_can_do_more_than_serve(self):
        found = list(pods(render(ALL)[0]))
        self.assertEqual(3, len(found))
        for spec in found:
            self.assertIs(False, spec["automountServiceAccountToken"])
            self.assertTrue(spec["securityContext"]["runAsNonRoot"])
            self.assertGreater(spec["securityContext"]["runAsUser"], 0)
            self.assertEqual({"type": "RuntimeDefault"}, spec["securityContext"]["seccompProfile"])
            self.assertEqual([{"name": "registry"}], spec["imagePullSecrets"])
            for container in spec["containers"]:
                self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                self.assertFalse(container["securityContext"]["allowPrivilegeEscalation"])
                self.assertEqual(["ALL"], container["securityContext"]["capabilities"]["drop"])
                self.assertIn("memory", container["resources"]["limits"])
                self.assertEqual("registry.example.com/taskward@sha256:" + "a" * 64, container["image"])

    def test_all_pods_have_the_settings_and_the_secrets(self):
        for spec in pods(render(ALL)[0]):
            container = spec["containers"][0]
            self.assertEqual([{"secretRef": {"name": "taskward"}}], container["envFrom"])
            names = [each["name"] for each in container["env"]]
            self.assertEqual(len(names), len(set(names)))
            self.assertIn({"name": "BETTER_AUTH_URL", "value": "https://app.example.com"}, container["env"])

    def test_a_stop_has_the_time_that_it_needs(self):
        for values, delay in [(LEAST, 5), (ALL, 10)]:
            spec = render(values)[0]["Deployment"]["spec"]["template"]["spec"]
            self.assertIn({"name": "SHUTDOWN_DELAY_SECONDS", "value": str(delay)}, spec["containers"][0]["env"])
            # The server's own limit for requests in flight is 20 s.
            self.assertGreater(spec["terminationGracePeriodSeconds"], delay + 20)

    def test_selectors_select_the_server_and_nothing_else(self):
        manifests, _ = render(ALL)
        selectors = [
            manifests["Deployment"]["spec"]["selector"]["matchLabels"], manifests["Service"]["spec"]["selector"],
            manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
            manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        ]
        labels = {kind: manifests[kind]["spec"]["template"]["metadata"]["labels"] for kind in ("Deployment", "Job")}
        labels["Pod"] = manifests["Pod"]["metadata"]["labels"]
        for selector in selectors:
            self.assertEqual(["Deployment"], [kind for kind in labels if selector.items() <= labels[kind].items()])

    def test_an_autoscaler_is_not_contradicted(self):
        self.assertEqual(2, render(LEAST)[0]["Deployment"]["spec"]["replicas"])
        self.assertNotIn("replicas", render(ALL)[0]["Deployment"]["spec"])

    def test_the_migrations_come_first(self):
        job = render(LEAST)[0]["Job"]
        self.assertEqual("pre-install,pre-upgrade", job["metadata"]["annotations"]["helm.sh/hook"])
        spec = job["spec"]["template"]["spec"]
        self.assertEqual(["migrate", "up"], spec["containers"][0]["args"])
        # It does not exist yet when the hook runs.
        self.assertNotIn("serviceAccountName", spec)

    def test_the_check_of_helm_asks_the_service(self):
        container = render(LEAST)[0]["Pod"]["spec"]["containers"][0]
        self.assertIn({"name": "HOST", "value": "$(TASKWARD_SERVICE_HOST)"}, container["env"])
        self.assertIn({"name": "PORT", "value": "80"}, container["env"])

    def test_metrics_are_for_those_who_may_scrape(self):
        manifests, _ = render(ALL)
        container = manifests["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        self.assertIn({"name": "METRICS_ADDR", "value": "0.0.0.0:9999"}, container["env"])
        self.assertIn({"name": "metrics", "containerPort": 9999}, container["ports"])
        rules = {rule["ports"][0]["port"]: rule["from"] for rule in manifests["NetworkPolicy"]["spec"]["ingress"]}
        self.assertEqual(ALL["metrics"]["from"], rules["metrics"])
        self.assertNotIn(ALL["metrics"]["from"][0], rules["http"])
        self.assertEqual(["http"], [port["name"] for port in manifests["Service"]["spec"]["ports"]])
        self.assertNotIn("metrics", str(render(LEAST)[0]).lower())

    def test_a_bad_value_is_told(self):
        cases = [
            ({"secrets": ["taskward"]}, "image.repository is missing"),
            ({"image": LEAST["image"]}, "secrets is empty: name a Secret that has DATABASE_URL"),
            (LEAST | {"ingress": {"enabled": True}}, "ingress.host is missing"),
            (LEAST | {"replicaCuont": 3}, "replicaCuont"),
            (LEAST | {"settings": {"AUTH_HS256_SECRET": "in the open"}}, "AUTH_HS256_SECRET"),
            (LEAST | {"settings": {"RATE_LIMIT": 50}}, "RATE_LIMIT"),
            (LEAST | {"settings": {"METRICS_ADDR": "0.0.0.0:9464"}}, "METRICS_ADDR"),
            (LEAST | {"metrics": {"enabled": True}}, "metrics.from is empty: say who may scrape"),
        ]
        for values, complaint in cases:
            with self.assertRaises(HelmError) as raised:
                render(values)
            self.assertIn(complaint, str(raised.exception))

    def test_the_notes_name_what_is_missing(self):
        _, notes = render(LEAST)
        self.assertIn("PUBLIC_URL is not set", notes)
        self.assertIn("TRUSTED_PROXIES is not set", notes)
        addresses = {"PUBLIC_URL": "https://tasks.example.com", "TRUSTED_PROXIES": "10.0.0.0/8"}
        _, notes = render(ALL | {"settings": addresses})
        self.assertNotIn("is not set", notes)
        self.assertIn("https://tasks.example.com", notes)


if __name__ == "__main__":
    unittest.main()
