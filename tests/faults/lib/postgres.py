"""A PostgreSQL server of its own, made for a run, which can be stopped, crashed and filled up."""
import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from .server import free_port


def programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        raise SystemExit("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return found[-1].parent


class Postgres:
    def __init__(self, folder):
        """In `folder`, which must be empty."""
        self.bin, self.folder, self.port = programs(), Path(folder), free_port()
        # PostgreSQL refuses to run as root.
        self.as_user = []
        if os.getuid() == 0:
            self.as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]
            shutil.chown(self.folder, "postgres", "postgres")
        # A small write-ahead log, so that a small disk holds it.
        self.call("initdb", "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--wal-segsize", "1",
                  "--pgdata", self.folder / "data")
        with open(self.folder / "data/postgresql.conf", "a") as settings:
            settings.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                           "fsync = off\nmax_wal_size = 16MB\nmin_wal_size = 2MB\n")

    def call(self, name, *arguments, check=True):
        command = [*self.as_user, self.bin / name, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if check and done.returncode:
            raise RuntimeError(f"{name}: {done.stdout.decode()}")
        return done.returncode

    async def control(self, *arguments, check=True):
        log = ["--log", self.folder / "data/server.log"] if arguments[0] != "stop" else []
        return await asyncio.to_thread(self.call, "pg_ctl", "--pgdata", self.folder / "data", "--wait", *log, *arguments,
                                       check=check)

    async def start(self):
        await self.control("start")

    async def stop(self, mode="fast"):
        await self.control("stop", "--mode", mode)

    def url(self, database, port=None):
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database}"

    async def sql(self, text, database="postgres"):
        """What psql prints for it."""
        process = await asyncio.create_subprocess_exec(
            self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text, self.url(database), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out = (await process.communicate())[0].decode().strip()
        if process.returncode:
            raise RuntimeError(f"{text}: {out}")
        return out

    async def hold(self, text, database):
        """A session that runs `text` in a transaction and keeps it open until it is killed."""
        session = await asyncio.create_subprocess_exec(
            self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        session.stdin.write(f"BEGIN; {text}; SELECT 'held';\n".encode())
        told = b""
        while b"held" not in told:
            line = await session.stdout.readline()
            if not line:
                raise RuntimeError(f"{text}: {told.decode()}")
            told += line
        return session

    def remove(self):
        self.call("pg_ctl", "--pgdata", self.folder / "data", "--wait", "--mode", "immediate", "stop", check=False)
