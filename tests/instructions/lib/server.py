"""The server, by itself or under callgrind, and a connection to it."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import subprocess
import time

SECRET = "instructions-instructions-instructions"

# One thread for requests and few connections to the database: threads that hand work to each other in another order,
# and a statement that is prepared once more, would count as instructions of a request.
SETTINGS = {
    "TOKIO_WORKER_THREADS": "1",
    "DATABASE_URL": "sqlite://tasks.db?mode=rwc",
    "DATABASE_MAX_CONNECTIONS": "2",
    "AUTH_HS256_SECRET": SECRET,
    "RATE_LIMIT": "100000/s",
    "LOG_FORMAT": "json",
    "HOST": "127.0.0.1",
}
CALLGRIND = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=yes",
             "--callgrind-out-file=counts"]


def token(user):
    """A token that is the same in every run."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    parts = [{"alg": "HS256"}, {"sub": user, "iat": 1_700_000_000, "exp": 4_000_000_000}]
    signed = b".".join(part(json.dumps(value).encode()) for value in parts)
    return (signed + b"." + part(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


class Server:
    """A process of the program that works in a folder, as a context."""

    def __init__(self, program, folder, prefix=()):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.log = open(folder / "log", "ab")
        self.environment = SETTINGS | {"PATH": os.environ["PATH"], "PORT": str(self.port), "HOME": str(folder)}
        self.process = subprocess.Popen([*prefix, program, "serve"], cwd=folder, env=self.environment,
                                        stdout=self.log, stderr=self.log)

    def __enter__(self):
        until = time.monotonic() + 60
        while True:
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.connect()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    raise SystemExit("the server does not start:\n" + (self.folder / "log").read_text())
                time.sleep(0.05)

    def __exit__(self, *_):
        self.connection.close()
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def send(self, request):
        """Sends a request, and checks the status of the answer. Returns its headers and its body."""
        headers = {"Authorization": f"Bearer {token(request.user)}", "Accept": "application/json"} | request.headers
        body = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(request.body)
        self.connection.request(request.method, request.path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != request.status:
            raise SystemExit(f"{request}: {answer.status} {content.decode()}")
        return answer.headers, content


class Counted(Server):
    """The server under callgrind."""

    def __init__(self, program, folder):
        super().__init__(program, folder, CALLGRIND)
        self.dumps = 0

    def command(self, *words):
        # The environment names the pipes by which vgdb and valgrind find each other.
        done = subprocess.run(["vgdb", f"--pid={self.process.pid}", *words], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise SystemExit(f"vgdb {' '.join(words)} failed: {done.stdout}")

    def count(self, requests):
        """How many instructions a request takes, on average."""
        self.command("zero")
        for request in requests:
            self.send(request)
        self.command("dump")
        self.dumps += 1
        counts = (self.folder / f"counts.{self.dumps}").read_text()
        return int(re.search(r"^totals: (\d+)", counts, re.MULTILINE)[1]) // len(requests)
