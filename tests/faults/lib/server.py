"""The server under test: a real process, which can be killed, stopped and started again on the same port."""
import asyncio
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
SECRET = "0123456789abcdef-of-the-suite-of-faults"
# Nothing of the load may meet a limit that has nothing to do with the fault.
SETTINGS = {
    "AUTH_HS256_SECRET": SECRET, "AUTO_MIGRATE": "on", "RATE_LIMIT": "off", "MAX_TASKS_PER_USER": "1000000",
    "MAX_BYTES_PER_USER": "off", "LOG_FORMAT": "json", "RUST_LOG": "warn,taskward::server=info",
}


def program():
    """That of TASKWARD_BIN, or the one that cargo has built."""
    found = subprocess.run([PROJECT / "tests/support/program"], check=True, stdout=subprocess.PIPE)
    return found.stdout.decode().strip()


class Server:
    def __init__(self, folder, database_url, more=(), binary=None):
        """`more`: more settings. `binary`: another program than the one that is tested."""
        self.folder, self.port, self.program = Path(folder), free_port(), binary or program()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(self.port), "DATABASE_URL": database_url,
            **SETTINGS, **dict(more),
        }
        self.log = self.folder / f"log-{self.port}"
        self.process = None

    def launch(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.program], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=log)

    async def start(self):
        """Starts it, and returns when it listens."""
        self.launch()
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                return writer.close()
            except OSError:
                await asyncio.sleep(0.01)
        raise RuntimeError(f"the server does not listen:\n{self.log.read_text()[-4_000:]}")

    async def run(self, *command):
        """Another command of the program with the same settings: its exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            self.program, *command, env=self.environment, cwd=self.folder, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE)
        out, error = await process.communicate()
        return process.returncode, (out + error).decode()

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def terminate(self, patience=30):
        """Sends SIGTERM, and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, patience)


def token(user, seconds=24 * 3600):
    """An HS256 token (RFC 7519)."""
    claims = {"sub": user, "exp": int(time.time()) + seconds}
    signed = b".".join(map(part, (b'{"alg":"HS256"}', json.dumps(claims).encode())))
    return (signed + b"." + part(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
