"""What no schema says of the files of the deployment: they name real settings, keep their promises, and are complete."""
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HARDENING = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
# Of systemd-analyze, from 0 (nothing is exposed) to 10, times ten.
EXPOSURE = 13


def text(path):
    return (ROOT / path).read_text()


def settings():
    """The names that Taskward reads."""
    told = subprocess.check_output([os.environ["TASKWARD_BIN"], "--help"], text=True)
    return set(re.findall(r"^ +([A-Z][A-Z0-9_]{3,}) ", told, re.M))


def files_in_git(*patterns):
    return subprocess.check_output(["git", "ls-files", *patterns], cwd=ROOT, text=True).split()


class FilesTest(unittest.TestCase):
    def test_all_names_are_settings(self):
        compose = yaml.safe_load(text("deploy/compose/compose.yaml"))["services"]
        render = yaml.safe_load(text("deploy/render.yaml"))["services"][0]
        image = re.search(r"^ENV (.*?[^\\])$", text("Dockerfile"), re.M | re.S)[1]
        chart = text("deploy/helm/taskward/values.yaml") + text("deploy/helm/taskward/templates/_helpers.tpl")
        named = {
            "compose.yaml": {*compose["taskward"]["environment"], *compose["migrate"]["environment"]},
            "render.yaml": {each["key"] for each in render["envVars"]},
            "fly.toml": set(tomllib.loads(text("deploy/fly.toml"))["env"]),
            "taskward.env.example": set(re.findall(r"^([A-Z0-9_]+)=", text("deploy/systemd/taskward.env.example"), re.M)),
            "taskward.service": set(re.findall(r"^Environment=([A-Z0-9_]+)=", text("deploy/systemd/taskward.service"), re.M)),
            "Dockerfile": set(re.findall(r"([A-Z0-9_]+)=", image)),
            "the chart": set(re.findall(r"^(?:#  | ) *(?:- name: )?([A-Z]+_[A-Z_]+)\b", chart, re.M)),
        }
        for file, names in named.items():
            self.assertTrue(names, f"{file} names no setting")
            self.assertEqual(set(), names - settings(), file)

    def test_containers_of_compose_are_hardened(self):
        services = yaml.safe_load(text("deploy/compose/compose.yaml"))["services"]
        self.assertEqual({"postgres", "migrate", "taskward", "app"}, set(services))
        for name, service in services.items():
            self.assertEqual(HARDENING, {key: service.get(key) for key in HARDENING}, name)
            # Nothing is reachable from other machines but through a proxy.
            self.assertTrue(all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name)
        self.assertEqual("service_completed_successfully", services["taskward"]["depends_on"]["migrate"]["condition"])
        # Taskward is healthy only once it has the app's keys, so the app must not wait for that.
        self.assertNotIn("taskward", services["app"]["depends_on"])
        # The secret that signs cookies must not reach Taskward, which would accept tokens signed with it.
        self.assertNotIn("BETTER_AUTH_SECRET", services["taskward"]["environment"])

    def test_every_variable_of_compose_is_explained(self):
        used = set(re.findall(r"\$\{([A-Z_]+)", text("deploy/compose/compose.yaml")))
        self.assertEqual(set(), used - set(re.findall(r"^(?:# )?([A-Z_]+)=", text("deploy/compose/.env.example"), re.M)))

    def test_the_unit_is_good_and_exposes_little(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("taskward.service", "taskward@.service"):
                unit = text("deploy/systemd/taskward.service")
                self.assertIn("ExecStart=/usr/local/bin/taskward serve\n", unit)
                # The program need not be installed here.
                (Path(folder) / name).write_text(unit.replace("/usr/local/bin/taskward", "/bin/true"))
            units = [f"{folder}/taskward.service", f"{folder}/taskward@8001.service"]
            verified = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
            self.assertEqual((0, ""), (verified.returncode, verified.stderr + verified.stdout))
            judged = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", units[0]],
                                    capture_output=True, text=True)
            self.assertEqual(0, judged.returncode, judged.stdout[-2000:])

    def test_proxies_take_their_files(self):
        haproxy = subprocess.run(["haproxy", "-c", "-f", DEPLOY / "proxy/haproxy.cfg"], capture_output=True, text=True)
        self.assertEqual(0, haproxy.returncode, haproxy.stderr)
        self.assertNotIn("WARNING", haproxy.stderr)
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "nginx.conf"
            whole.write_text(f"pid {folder}/pid; events {{}} http {{ access_log off; include {DEPLOY}/proxy/nginx.conf; }}\n")
            nginx = subprocess.run([shutil.which("nginx") or "/usr/sbin/nginx", "-t", "-e", "stderr", "-c", whole],
                                   capture_output=True, text=True)
            self.assertEqual(0, nginx.returncode, nginx.stderr)
            self.assertNotIn("[warn]", nginx.stderr)

    def test_each_platform_waits_until_a_stop_is_done(self):
        """SHUTDOWN_DELAY_SECONDS, and the 20 s that the server gives the requests in flight."""
        fly = tomllib.loads(text("deploy/fly.toml"))
        render = yaml.safe_load(text("deploy/render.yaml"))["services"][0]
        delay = {each["key"]: each.get("value") for each in render["envVars"]}["SHUTDOWN_DELAY_SECONDS"]
        unit = dict(line.split("=", 1) for line in text("deploy/systemd/taskward.service").splitlines() if "=" in line)
        compose = yaml.safe_load(text("deploy/compose/compose.yaml"))["services"]["taskward"]
        for given, delay in [
            (fly["kill_timeout"].rstrip("s"), fly["env"]["SHUTDOWN_DELAY_SECONDS"]), (render["maxShutdownDelaySeconds"], delay),
            (unit["TimeoutStopSec"], 3), (compose["stop_grace_period"].rstrip("s"), 1),
        ]:
            self.assertGreater(int(given), int(delay) + 20)
        self.assertEqual("SIGTERM", fly["kill_signal"])

    def test_actions_are_pinned_and_may_do_little(self):
        for path in (ROOT / ".github/workflows").iterdir():
            workflow = yaml.safe_load(path.read_text())
            self.assertIn(workflow["permissions"], [{}, {"contents": "read"}], path.name)
            used = re.findall(r"uses: (\S+)(.*)", path.read_text())
            for action, comment in used:
                self.assertRegex(action, r"@[0-9a-f]{40}$", path.name)
                self.assertRegex(comment, r"^ # v\d+\.\d+\.\d+$", path.name)
            for job in workflow["jobs"].values():
                self.assertIn("timeout-minutes", job, path.name)
                for step in job["steps"]:
                    if "run" in step:
                        self.shellcheck(path.name, step["run"])

    def shellcheck(self, name, script):
        # An expression of the workflow could be anything, so it must come by a variable.
        self.assertNotIn("${{", script, name)
        checked = subprocess.run(["shellcheck", "--shell=bash", "-"], input=script, capture_output=True, text=True)
        self.assertEqual(0, checked.returncode, f"{name}: {checked.stdout}")

    def test_all_dependencies_are_kept_up_to_date(self):
        updates = yaml.safe_load(text(".github/dependabot.yml"))["updates"]
        covered = {}
        for update in updates:
            folders = update.get("directories", [update.get("directory")])
            covered.setdefault(update["package-ecosystem"], set()).update(folder.strip("/") for folder in folders)
        for ecosystem, pattern in [("cargo", "*Cargo.lock"), ("npm", "*package.json"), ("pip", "*requirements*.txt"), ("docker", "*Dockerfile")]:
            folders = {os.path.dirname(file) for file in files_in_git(pattern)}
            # What the benchmark compares with stays as it was measured.
            folders = {folder for folder in folders if not folder.startswith("tests/bench/peers")}
            self.assertEqual(set(), folders - covered[ecosystem], ecosystem)

    def test_only_what_the_image_needs_reaches_the_builder(self):
        self.assertEqual("*", next(line for line in text(".dockerignore").splitlines() if not line.startswith("#")))


if __name__ == "__main__":
    unittest.main()
