"""Two Taskward processes on one PostgreSQL, and a proxy of deploy/proxy in front of them."""
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# As the files in deploy/proxy ask for.
SHUTDOWN_DELAY = "3"


class Fleet:
    def __init__(self, proxy, database):
        self.folder = Path(tempfile.mkdtemp(prefix="taskward-rolling-"))
        self.program = subprocess.check_output([ROOT / "tests/support/program"], text=True).strip()
        self.secret = secrets.token_hex(32)
        self.settings = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LOG_FORMAT": "json", "RATE_LIMIT": "off",
            "DATABASE_URL": database, "AUTH_HS256_SECRET": self.secret,
            "SHUTDOWN_DELAY_SECONDS": os.environ.get("SHUTDOWN_DELAY_SECONDS", SHUTDOWN_DELAY),
        }
        self.ports = [free_port(), free_port()]
        self.port = free_port()
        self.processes = [None, None]
        self.make_proxy = {"haproxy": HAProxy, "nginx": Nginx}[proxy]
        self.proxy = None

    def start(self):
        subprocess.run([self.program, "migrate", "up"], env=self.settings, cwd=self.folder, check=True, capture_output=True)
        for index in range(2):
            self.launch(index)
        self.proxy = self.make_proxy(self)
        wait_for(lambda: answers(self.port, "/readyz"), "the proxy does not answer")

    def launch(self, index):
        """Starts a process, and waits until it is ready."""
        port = self.ports[index]
        with open(self.folder / f"log-{index + 1}", "ab") as log:
            self.processes[index] = subprocess.Popen(
                [self.program], env=self.settings | {"PORT": str(port)}, cwd=self.folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL)
        wait_for(lambda: answers(port, "/readyz"), f"process {index + 1} does not become ready")

    def stop(self, index, signal_=signal.SIGTERM):
        """Ends a process as a service manager does, and returns its exit status."""
        process = self.processes[index]
        process.send_signal(signal_)
        return process.wait(timeout=60)

    def taken(self, index):
        """How many requests a process has answered, by its log, in all of its lives."""
        return (self.folder / f"log-{index + 1}").read_bytes().count(b'"message":"answered"')

    def end(self):
        for process in [*self.processes, self.proxy and self.proxy.process]:
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder)


class HAProxy:
    def __init__(self, fleet):
        self.socket = fleet.folder / "haproxy.sock"
        more = fleet.folder / "stats.cfg"
        more.write_text(f"global\n    stats socket {self.socket} mode 600\n")
        addresses = {f"TASKWARD_{index + 1}": f"127.0.0.1:{port}" for index, port in enumerate(fleet.ports)}
        self.process = subprocess.Popen(
            ["haproxy", "-db", "-f", ROOT / "deploy/proxy/haproxy.cfg", "-f", more],
            env=fleet.settings | addresses | {"TASKWARD_BIND": f"127.0.0.1:{fleet.port}"},
            stderr=open(fleet.folder / "proxy.log", "wb"), stdout=subprocess.DEVNULL)

    def wait_until_used(self, index):
        """Waits until the proxy sends requests to a process that was started again."""
        wait_for(lambda: self.state(f"taskward-{index + 1}") == "UP", "HAProxy does not see that it is back")

    def state(self, server):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"show stat\n")
            rows = b"".join(iter(lambda: connection.recv(65536), b"")).decode().splitlines()
        names = rows[0].removeprefix("# ").split(",")
        found = (dict(zip(names, row.split(","))) for row in rows[1:])
        return next(row["status"] for row in found if row.get("svname") == server)


class Nginx:
    def __init__(self, fleet):
        text = (ROOT / "deploy/proxy/nginx.conf").read_text()
        for of_file, here in [("127.0.0.1:8080", f"127.0.0.1:{fleet.port}"), ("127.0.0.1:8001", f"127.0.0.1:{fleet.ports[0]}"),
                              ("127.0.0.1:8002", f"127.0.0.1:{fleet.ports[1]}")]:
            assert text.count(of_file) == 1, of_file
            text = text.replace(of_file, here)
        paths = " ".join(f"{name}_temp_path {fleet.folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole = fleet.folder / "nginx.conf"
        whole.write_text(f"pid {fleet.folder}/nginx.pid; events {{}}\nhttp {{ access_log off; {paths}\n{text}}}\n")
        self.process = subprocess.Popen(["nginx", "-e", "stderr", "-g", "daemon off; master_process off;", "-c", whole],
                                        stderr=open(fleet.folder / "proxy.log", "wb"))

    def wait_until_used(self, index):
        """nginx tries a process that had failed again after `fail_timeout`."""
        time.sleep(2)


def answers(port, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_for(condition, complaint):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{complaint} after 30 s")
        time.sleep(0.1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
