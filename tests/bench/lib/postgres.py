"""A PostgreSQL server of its own in a temporary folder, with PostgreSQL's default durability."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from lib.machine import free_port

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": 200,
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "log_min_messages": "error",
}


def programs():
    """The folder of PostgreSQL's server programs: PG_BIN, the path's, or the newest that Debian has installed."""
    if folder := os.environ.get("PG_BIN"):
        return Path(folder)
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not installed:
        sys.exit("There is no PostgreSQL: install its server programs, or name their folder in PG_BIN.")
    return installed[-1].parent


class Postgres:
    def __init__(self, work):
        self.programs = programs()
        version = subprocess.check_output([self.programs / "postgres", "--version"], text=True)
        if int(re.search(r"(\d+)", version)[1]) < 15:
            sys.exit(f"PostgreSQL 15 or later is needed, {self.programs} has {version.strip()}.")
        self.folder = work / "postgres"
        self.folder.mkdir()
        self.port = free_port()
        self.as_postgres = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.as_postgres = ["runuser", "-u", "postgres", "--"]
        self.process = self.start()
        self.pid = int(self.as_owner("cat", self.folder / "data/postmaster.pid").split()[0])
        self.version = self.sql("postgres", "SHOW server_version").strip()

    def start(self):
        data = self.folder / "data"
        self.as_owner(self.programs / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync")
        settings = SETTINGS | {"port": self.port, "unix_socket_directories": self.folder}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*self.as_postgres, self.programs / "postgres", "-D", data, *options]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(600):
            if subprocess.run(ready).returncode == 0:
                return process
            time.sleep(0.05)
        sys.exit("PostgreSQL did not start within 30 s.")

    def as_owner(self, *command):
        return run([*self.as_postgres, *map(str, command)], cwd="/")

    def url(self, database):
        return f"postgres://bench:bench@127.0.0.1:{self.port}/{database}"

    def sql(self, database, text, **variables):
        options = [part for name, value in variables.items() for part in ("-v", f"{name}={value}")]
        command = [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-F", "\t", *options,
                   "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", database]
        return run(command, input=text)

    def stop(self):
        os.kill(self.pid, signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGQUIT)
            self.process.wait()


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{Path(str(command[0])).name} failed: {done.stderr}")
    return done.stdout
