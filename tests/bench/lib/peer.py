"""The servers that are compared: how one is built, prepared, started, called and stopped."""
import http.client
import json
import os
import re
import subprocess
import sys
import time

from lib import machine
from lib.datasets import DATABASE, ISSUER

WORKERS = os.cpu_count()
DATABASE_CONNECTIONS = 20
START_TIMEOUT = 60


class Peer:
    """A folder in peers/, and settings for its environment: `taskward+DB_POOL=8`."""

    def __init__(self, here, cache, name):
        folder, *settings = name.split("+")
        self.name, self.folder = name, here / "peers" / folder
        if not (self.folder / "start").exists():
            sys.exit(f"There is no peer {folder!r} in {self.folder.parent}.")
        self.has_own_schema = (self.folder / "prepare").exists()
        # Two builds of one server may differ in their migrations.
        self.schema = re.sub(r"[^a-z0-9]+", "_", name.lower()) if self.has_own_schema else "common"
        # Nothing of the developer's environment gets in.
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8",
                            "BENCH_CACHE": str(cache), "WORKERS": str(WORKERS), "DB_POOL": str(DATABASE_CONNECTIONS),
                            "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": ISSUER}
        self.environment |= dict(setting.split("=", 1) for setting in settings)

    def build(self):
        if (self.folder / "setup").exists():
            # What builds may need of the environment, proxies and caches, is passed on.
            subprocess.run([self.folder / "setup"], env=dict(os.environ) | self.environment, check=True)

    def prepare(self, database_url, key_set_url):
        environment = self.environment | {"DATABASE_URL": database_url, "JWKS_URL": key_set_url}
        subprocess.run([self.folder / "prepare"], env=environment, check=True, stdout=sys.stderr)


class StartFailed(Exception):
    pass


class Server:
    """A peer that runs, over the database with the dataset in `folder`."""

    def __init__(self, peer, postgres, key_sets, folder):
        self.peer, self.folder = peer, folder
        self.port = machine.free_port()
        with open(folder / "tokens") as tokens:
            self.token, self.token_of_another = tokens.readline().strip(), tokens.readline().strip()
        self.log = folder.parent / f"{peer.schema}-{peer.folder.name}.log"
        environment = peer.environment | {
            "PORT": str(self.port), "DATABASE_URL": postgres.url(DATABASE),
            "JWKS_URL": key_sets.url(folder.name), "JWKS_FILE": str(folder / "jwks.json"),
        }
        began = time.perf_counter()
        with open(self.log, "ab") as log:
            # Away from the source tree, where a server might find a file with settings.
            self.process = subprocess.Popen([peer.folder / "start"], env=environment, cwd=folder, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        while not self.is_ready():
            if self.process.poll() is not None or time.perf_counter() - began > START_TIMEOUT:
                self.stop()
                raise StartFailed(f"it did not start; the end of its log:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.004)
        self.start_seconds = time.perf_counter() - began

    def is_ready(self):
        try:
            return self.call("GET", "?limit=50")[0] == 200
        except OSError:
            return False

    def call(self, method, path, body=None, token=None):
        """Sends one request to a path below /api/v1/tasks; gives the status and the JSON of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"} if body else {}
        token = self.token if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, f"/api/v1/tasks{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def memory(self):
        """PSS counts pages that processes share once; the peak is only known as RSS."""
        pid = self.process.pid
        return {"pss_mb": machine.memory_mb(pid, "Pss", "smaps_rollup"),
                "peak_rss_mb": machine.memory_mb(pid, "VmHWM", "status")}

    def stop(self):
        machine.stop(self.process)
