"""One scenario on one database: its server, its load, its fault, and what was found."""
import asyncio
import sqlite3
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .connection import Connection
from .load import Load
from .server import Server, token

# Seconds in which a request is answered, and in which the server recovers when the fault is over. The short form runs on machines that do
# other work as well.
PROMISED, GENEROUS = 5, 10

SCENARIOS = {}


@dataclass
class Scenario:
    name: str
    databases: tuple
    promised: str
    play: object
    # Debian packages or rights that it needs: a function that says what is missing.
    missing: object = lambda: None


def scenario(name, promised, databases=("sqlite", "postgres"), missing=lambda: None):
    def declare(play):
        SCENARIOS[name] = Scenario(name, databases, promised, play, missing)
        return play
    return declare


@dataclass
class Result:
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    answers: dict = field(default_factory=dict)
    longest: float = 0
    recovery: float = 0
    faults: list = field(default_factory=list)
    # Why it did not run.
    missing: str | None = None
    notes: list = field(default_factory=list)
    # The whole scenario.
    seconds: float = 0

    @property
    def held(self):
        return not self.faults and not self.missing


class Play:
    """What a scenario is given. `long` says whether it is the long form."""

    def __init__(self, database, postgres, long):
        self.kind, self.postgres, self.long = database, postgres, long
        self.limit = PROMISED if long else GENEROUS
        self.result = Result()
        self.folder = tempfile.TemporaryDirectory(prefix="taskward-faults-")
        self.home = Path(self.folder.name)
        self.server = self.load = None
        self.cleanup = []

    async def database(self, port=None, folder=None):
        """The URL of a new database."""
        if self.kind == "sqlite":
            self.file = Path(folder or self.home) / "taskward.db"
            return f"sqlite://{self.file}?mode=rwc"
        self.name = f"faults_{time.monotonic_ns()}"
        await self.postgres.sql(f"CREATE DATABASE {self.name}")
        return self.postgres.url(self.name, port)

    async def begin(self, url=None, load=True, **settings):
        """Starts the server and the load, and waits until it is under way."""
        self.server = Server(self.home, url or await self.database(), settings)
        await self.server.start()
        if load:
            await self.begin_load()

    async def begin_load(self, **more):
        await self.ready()
        self.load = Load([self.server], **more)
        await self.load.start()
        await self.load.grows_by(50)

    async def ready(self, patience=30):
        end = time.monotonic() + patience
        while (answer := await self.ask("/readyz")).status != 200:
            if time.monotonic() > end:
                raise RuntimeError(f"the server is not ready: {answer.code} {answer.body}")
            await asyncio.sleep(0.05)

    async def ask(self, path, bearer=None, **more):
        connection = Connection(lambda: self.server.port, bearer or token("probe"))
        answer = await connection.send(more.pop("method", "GET"), path, **more)
        connection.close()
        return answer

    async def recovers(self):
        """Waits until the server is ready and writes and reads again: the fault is over as this is called."""
        over = time.monotonic()
        while time.monotonic() < over + 30:
            tries = [await self.ask("/readyz"), await self.ask("/api/v1/tasks", method="POST", body={"title": "probe"}),
                     await self.ask("/api/v1/tasks")]
            if all(answer.status in (200, 201) for answer in tries):
                took = self.load.waited(over, time.monotonic())
                self.result.recovery = max(self.result.recovery, took)
                if took > self.limit:
                    self.result.faults.append(f"recovered after {took:.1f} s")
                return
            await asyncio.sleep(0.05)
        self.result.faults.append(f"did not recover in 30 s: {[answer.code for answer in tries]}")

    async def finish(self):
        """Ends the load, and compares what was acknowledged with what is there."""
        result, load = self.result, self.load
        await load.stop()
        for user in load.users:
            lost, doubled = user.ledger.compare(await user.all_tasks())
            result.lost, result.doubled = result.lost + lost, result.doubled + doubled
        result.acknowledged, result.answers = load.acknowledged(), dict(load.answers)
        slowest = max(load.waits, key=lambda answer: load.waited(answer.began, answer.ended))
        result.longest = load.waited(slowest.began, slowest.ended)
        if result.longest > self.limit:
            result.faults.append(f"{slowest.code} came after {result.longest:.1f} s")
        if (stalled := sum(end - start for start, end in load.stalls)) > 2:
            result.notes.append(f"the clients stood still for {stalled:.0f} s")
        result.faults += load.faults
        await self.look_at_the_database()
        if "panicked" in self.server.log.read_text(errors="replace"):
            result.faults.append("the server panicked")

    async def look_at_the_database(self):
        if self.kind == "postgres":
            left = await self.postgres.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' AND state LIKE 'idle in%'")
            if left != "0":
                self.result.faults.append(f"leaked: {left} sessions are in a transaction")
        status, told = await self.server.run("purge")
        if status or not told.rstrip().endswith("\n0 users had other counts of what they store"):
            self.result.faults.append(f"the counts are wrong: {told}")
        await self.server.terminate()
        if self.kind == "sqlite":
            database = sqlite3.connect(self.file)
            told = database.execute("PRAGMA integrity_check").fetchone()[0]
            database.close()
            if told != "ok":
                self.result.faults.append(f"the file is damaged: {told}")

    async def end(self):
        """Ends all that was started, whatever happened."""
        if self.load:
            self.load.over = True
            await asyncio.gather(*self.load.tasks, return_exceptions=True)
        if self.server:
            self.server.kill()
        for undo in reversed(self.cleanup):
            done = undo()
            if asyncio.iscoroutine(done):
                await done
        self.folder.cleanup()
