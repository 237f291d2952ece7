"""The server that is attacked: the release build, with its own tokens, and the tasks of its users."""
import asyncio
import copy
import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
VICTIM = "victim"
# Characters of a long task.
DESCRIPTION = 8_000


class Server:
    def __init__(self, database, others, more=()):
        """`others`: the other users, and how many long tasks each of them has. `more`: more settings."""
        self.others = others
        self.folder = tempfile.TemporaryDirectory(prefix="taskward-load-")
        self.program = os.environ.get("TASKWARD_BIN", str(PROJECT / "target/release/taskward"))
        self.port = free_port()
        home = self.folder.name
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": home, "PORT": str(self.port), "RUST_LOG": "warn",
            "DATABASE_URL": database or f"sqlite://{home}/taskward.db?mode=rwc", "AUTO_MIGRATE": "on",
            **dict(more),
        }
        self.process = None
        self.tokens = {}

    async def start(self):
        self.seed()
        await self.launch()
        for user in (VICTIM, *self.others):
            told = subprocess.run([self.program, "token", user], env=self.environment, cwd=self.folder.name, check=True,
                                  stdout=subprocess.PIPE)
            self.tokens[user] = told.stdout.decode().split()[-1]

    async def another(self):
        """Another process on the same database."""
        other = copy.copy(self)
        other.port = free_port()
        other.environment = self.environment | {"PORT": str(other.port)}
        await other.launch()
        return other

    async def launch(self):
        log = open(Path(self.folder.name) / f"log-{self.port}", "wb")
        self.process = subprocess.Popen([self.program], env=self.environment, cwd=self.folder.name, stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        for _ in range(200):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)

    def seed(self):
        """By the import, which is quicker than requests, and counts against no limit."""
        export = Path(self.folder.name) / "tasks.jsonl"
        with open(export, "w") as lines:
            for number in range(100):
                lines.write(json.dumps({"user_id": VICTIM, "title": f"Task {number}"}) + "\n")
            for user, tasks in self.others.items():
                for number in range(tasks):
                    text = f"{number} " + "every word of it is searched " * (DESCRIPTION // 29)
                    lines.write(json.dumps({"user_id": user, "title": f"Task {number}", "description": text}) + "\n")
        # Who has more than the limit got it before the limit was lowered.
        environment = self.environment | {"MAX_BYTES_PER_USER": "1000000000"}
        subprocess.run([self.program, "import", str(export)], env=environment, cwd=self.folder.name, check=True,
                       stdout=subprocess.DEVNULL)

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        return int(kilobytes) // 1024

    def cpu(self):
        """The CPU time that it has taken, in seconds."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def head(self, method, path, user, more=""):
        """The head of a request of a user, or with this token; without one if there is none."""
        if user is not None:
            more += f"Authorization: Bearer {self.tokens.get(user, user)}\r\n"
        return f"{method} {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n{more}\r\n".encode()

    async def settle(self):
        """What an attack has left under way must not count against the next one."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(self.head("GET", "/api/v1/me", VICTIM, "Connection: close\r\n"))
            await reader.read()
            writer.close()
            if time.monotonic() - began < 0.02:
                break
            await asyncio.sleep(0.2)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
