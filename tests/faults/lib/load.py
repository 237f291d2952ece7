"""A steady load of several users, which keep a ledger of what they were told."""
import asyncio
import random
import time
import uuid
from collections import Counter

from .connection import Connection
from .ledger import Creation, Ledger, REGISTER
from .server import token

# Between two requests of a client; the load is steady, not heavy.
PAUSE = 0.03
KINDS = ("create", "create_by_key", "batch", "change", "change", "read", "sync")
TASKS = "/api/v1/tasks"


class User:
    def __init__(self, name, load):
        self.name, self.load = name, load
        self.token = load.token(name)
        self.ledger = Ledger(name, load.answers, load.waits, load.faults)
        self.number = 0

    def connection(self):
        return Connection(self.load.port, self.token)

    def title(self, kind):
        self.number += 1
        return f"{self.name}-{kind}-{self.number}"

    async def begin(self):
        """Makes the register, task 1."""
        connection = self.connection()
        title = f"{self.name}-{REGISTER}"
        answer = await connection.send("POST", TASKS, {"title": title}, Idempotency_Key=title)
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"the first task of {self.name}: {answer.code} {answer.body}")

    async def create(self, connection):
        """A creation that cannot be repeated; every fifth is deleted again."""
        title = self.title("plain")
        creation = self.ledger.creations[title] = Creation(repeatable=False)
        answer = await connection.send("POST", TASKS, {"title": title})
        self.ledger.note(answer, [201])
        creation.acknowledged, creation.refused = answer.status == 201, answer.surely_not_done
        if not creation.acknowledged:
            return
        self.ledger.acknowledge(answer, answer.body["version"])
        if self.number % 5 == 0:
            creation.deletion = "sent"
            path = f"{TASKS}/{answer.body['id']}"
            answer = await connection.send("DELETE", path, If_Match=answer.headers["etag"])
            self.ledger.note(answer, [204])
            if answer.status == 204:
                creation.deletion = "acknowledged"
                self.ledger.acknowledged += 1
            elif answer.surely_not_done:
                creation.deletion = ""

    async def create_by_key(self, connection):
        """Repeated with its key until it is acknowledged."""
        title = self.title("keyed")
        creation = self.ledger.creations[title] = Creation(repeatable=True)
        while not creation.acknowledged and not self.load.over:
            answer = await connection.send("POST", TASKS, {"title": title}, Idempotency_Key=title)
            self.ledger.note(answer, [201])
            creation.acknowledged = answer.status == 201
            creation.refused &= answer.surely_not_done
            if creation.acknowledged:
                self.ledger.acknowledged += 1
            else:
                await asyncio.sleep(self.load.pause)

    async def batch(self, connection):
        """An atomic batch of three creations: by uid, and then repeated until it is acknowledged, or without."""
        number, by_uid = self.number, random.random() < 0.5
        titles = [self.title("batch") for _ in range(3)]
        uids = [str(uuid.uuid4()) if by_uid else None for _ in titles]
        creations = [Creation(repeatable=by_uid, batch=number) for _ in titles]
        self.ledger.creations |= dict(zip(titles, creations))
        operations = [{"op": "create", "task": {"title": title, "uid": uid}} for title, uid in zip(titles, uids)]
        done = False
        while not done:
            answer = await connection.send("POST", f"{TASKS}/batch", {"operations": operations, "atomic": True})
            self.ledger.note(answer, [200])
            done = answer.status == 200
            for creation in creations:
                creation.acknowledged, creation.refused = done, creation.refused and answer.surely_not_done
            self.ledger.acknowledged += 3 * done
            if self.load.over or not by_uid:
                break
            await asyncio.sleep(self.load.pause)

    async def change(self, connection):
        """Changes the register, half of the time only if it is as it was last seen."""
        title = self.title(REGISTER)
        known = [event.saw[0] for event in self.ledger.events[-20:] if event.saw]
        expected = max(known) if known and random.random() < 0.5 else None
        headers = {} if expected is None else {"If_Match": f'"{expected}"'}
        answer = await connection.send("PATCH", f"{TASKS}/1", {"title": title}, **headers)
        self.ledger.note(answer, [200, 412])
        self.ledger.see(answer, title, expected)

    async def read(self, connection):
        """The register, by itself or in a list."""
        path = random.choice([f"{TASKS}/1", f"{TASKS}?limit=5&sort=created_at"])
        answer = await connection.send("GET", path)
        self.ledger.note(answer, [200])
        self.ledger.see(answer)

    async def sync(self, connection):
        """The first changes."""
        self.ledger.note(await connection.send("GET", "/api/v1/changes?limit=20"), [200])

    async def all_tasks(self):
        """Everything that there is, by the feed of changes."""
        connection, tasks, path = self.connection(), {}, "/api/v1/changes?since=0&limit=100"
        while path:
            answer = await connection.send("GET", path)
            if answer.status != 200:
                raise RuntimeError(f"the tasks of {self.name}: {answer.code}")
            self.ledger.look_for_others(answer.body)
            for task in answer.body["tasks"]:
                tasks[task["id"]] = task
            cursor = answer.body["cursor"]
            path = cursor and f"/api/v1/changes?cursor={cursor}&limit=100"
        answer = await connection.send("GET", f"{TASKS}/1")
        self.ledger.see(answer)
        connection.close()
        return list(tasks.values())


class Load:
    def __init__(self, servers, users=4, pause=PAUSE, token=token, kinds=KINDS):
        """`servers`: each new connection goes to the next one. `kinds`: what the clients of each user do."""
        self.servers, self.pause, self.token, self.over, self.kinds = servers, pause, token, False, kinds
        self.answers, self.waits, self.faults = Counter(), [], []
        self.turn, self.stalls, self.tasks = 0, [], []
        self.users = [User(f"user-{number}", self) for number in range(users)]

    def port(self):
        self.turn += 1
        return self.servers[self.turn % len(self.servers)].port

    async def start(self):
        for user in self.users:
            await user.begin()
        self.go_on()

    def go_on(self):
        for user in self.users:
            for kind in self.kinds:
                self.tasks.append(asyncio.create_task(self.work(user, getattr(user, kind))))
        self.tasks.append(asyncio.create_task(self.watch_own_delays()))

    async def work(self, user, what):
        connection = user.connection()
        while not self.over:
            await what(connection)
            await asyncio.sleep(self.pause * random.uniform(0.5, 1.5))
        connection.close()

    async def watch_own_delays(self):
        """When this program itself did not run: on a busy machine that is no fault of the server."""
        while not self.over:
            before = time.monotonic()
            await asyncio.sleep(0.05)
            if (now := time.monotonic()) - before > 0.15:
                self.stalls.append((before, now))

    def waited(self, began, ended):
        """The time from one moment to another, without those in which this program did not run."""
        stalled = sum(max(0, min(ended, end) - max(began, start)) for start, end in self.stalls)
        return ended - began - stalled

    def acknowledged(self):
        return sum(user.ledger.acknowledged for user in self.users)

    async def grows_by(self, count, patience=30):
        """Waits until so many more writes were acknowledged."""
        goal, end = self.acknowledged() + count, time.monotonic() + patience
        while self.acknowledged() < goal:
            if time.monotonic() > end:
                raise RuntimeError(f"{goal - self.acknowledged()} of {count} writes are missing after {patience} s")
            await asyncio.sleep(0.01)

    async def stop(self):
        self.over = True
        for task in self.tasks:
            await task
        self.tasks = []
