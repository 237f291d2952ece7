"""What a hostile user does, at each door."""
import asyncio
import base64
import json
import os
from collections import Counter

from .http import Connection


class Attack:
    """So many connections at once, each of which does the same again and again. Each attack has a user of its own: what one
    owes does not weaken the next."""
    connections = 30
    # How many long tasks the user has.
    tasks = 2_000

    def __init__(self, server):
        self.server = server
        self.user = self.user_name()
        self.statuses = Counter()
        self.running = []

    @classmethod
    def user_name(cls):
        return f"hostile-{cls.__name__.lower()}"

    async def begin(self):
        self.running = [asyncio.create_task(self.go_on()) for _ in range(self.connections)]

    async def go_on(self):
        connection = Connection(self.server)
        try:
            while True:
                status = await self.once(connection)
                self.statuses[status] += 1
                if status in (0, 429):
                    await asyncio.sleep(0.02)
        finally:
            connection.close()

    async def once(self, connection):
        raise NotImplementedError

    async def end(self):
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def told(self):
        return ", ".join(f"{count} × {status or 'cut'}" for status, count in sorted(self.statuses.items()))


class Searches(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/tasks?q=nowhere-to-be-found", self.user)


class Together(Attack):
    """Sends searches at one moment, waits until all are answered, and saves for the next time."""
    connections = 64
    path = "/api/v1/tasks?q=nowhere-to-be-found"

    async def begin(self):
        self.barrier = asyncio.Barrier(self.connections)
        await super().begin()

    async def once(self, connection):
        await self.barrier.wait()
        status = await connection.send("GET", self.path, self.user)
        await asyncio.sleep(2)
        return status


class HangUps(Attack):
    """Sends searches, and hangs up before the answer."""
    async def once(self, connection):
        _, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(self.server.head("GET", "/api/v1/tasks?q=nowhere-to-be-found", self.user))
        await asyncio.sleep(0.005)
        writer.transport.abort()
        return 499

    def told(self):
        return f"{self.statuses[499]} searches, hung up"


class NoRoom(Attack):
    """Adds tasks for which there is no room, also without all deleted tasks."""
    # More than the limit.
    tasks = 4_500

    async def begin(self):
        connection = Connection(self.server)
        for number in range(1, 51):
            await connection.send("DELETE", f"/api/v1/tasks/{number}", self.user)
        connection.close()
        await super().begin()

    async def once(self, connection):
        body = json.dumps({"title": "x", "description": "z" * 9_000}).encode()
        return await connection.send("POST", "/api/v1/tasks", self.user, body)


class Pages(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/tasks?limit=100&sort=title", self.user)


class Changes(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/changes?limit=100", self.user)


class OwnerLists(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/me/tasks?limit=1000", self.user)


class Exports(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/me/export", self.user)


class Erasures(Attack):
    """Deletes everything, adds a task, and again. The first time it is 32 MB."""
    tasks = 4_000

    async def once(self, connection):
        status = await connection.send("DELETE", "/api/v1/me", self.user)
        self.statuses[await connection.send("POST", "/api/v1/tasks", self.user, b'{"title": "x"}')] += 1
        return status


class Unread(Attack):
    """Asks for the longest answers, and does not read them."""
    connections = 50
    path = "/api/me/tasks?limit=1000"

    async def go_on(self):
        writers = []
        try:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.server.port, limit=1024)
                    writer.transport.pause_reading()
                    writer.write(self.server.head("GET", self.path, self.user))
                    writers.append(writer)
                    self.statuses[200] += 1
                except OSError:
                    self.statuses[0] += 1
                await asyncio.sleep(1)
        finally:
            for writer in writers:
                writer.transport.abort()

    def told(self):
        return f"{self.statuses[200]} answers left unread"


class Streams(Unread):
    """The same with streams of all tasks."""
    path = "/api/v1/events?since=0"


class RestBatches(Attack):
    tasks = 100

    async def once(self, connection):
        patch = {"description": "y" * 9_000}
        operations = [{"op": "update", "id": number, "patch": patch} for number in range(1, 101)]
        return await connection.send("POST", "/api/v1/tasks/batch", self.user, json.dumps({"operations": operations}).encode())


class Batches(Attack):
    tasks = 0

    async def once(self, connection):
        tasks = [{"title": "x", "notes": "y" * 9_000} for _ in range(25)]
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "add_tasks", "arguments": {"tasks": tasks}}}
        headers = "Accept: application/json, text/event-stream\r\n"
        return await connection.send("POST", "/mcp", self.user, json.dumps(call).encode(), headers)


class Deletes(Attack):
    """Fills the table with deleted tasks."""
    tasks = number = 0

    async def once(self, connection):
        body = json.dumps({"title": "x", "description": "z" * 9_000}).encode()
        status = await connection.send("POST", "/api/v1/tasks", self.user, body)
        if status == 201:
            self.number += 1
            await connection.send("DELETE", f"/api/v1/tasks/{self.number}", self.user)
        return status


class Forged(Attack):
    tasks = 0

    async def once(self, connection):
        part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        token = ".".join([part(b'{"alg":"EdDSA"}'), part(json.dumps({"sub": os.urandom(8).hex()}).encode()), part(os.urandom(64))])
        return await connection.send("GET", "/api/v1/tasks", token)


class Refusals(Attack):
    """Goes on at once after each refusal."""
    tasks = 0

    async def go_on(self):
        connection = Connection(self.server)
        try:
            while True:
                self.statuses[await self.once(connection)] += 1
        finally:
            connection.close()

    async def once(self, connection):
        return await connection.send("GET", "/api/v1/tasks", None)


class LargeHeads(Attack):
    """Sends large heads without a token, and keeps the connections."""
    connections = 950
    tasks = 0

    async def once(self, connection):
        status = await connection.send("GET", "/api/v1/tasks", None, headers="Cookie: " + "x" * 30_000 + "\r\n")
        await asyncio.sleep(1)
        return status


class Connections(Attack):
    """Opens connections and says nothing, or half of a request."""
    connections = 1_000
    tasks = 0

    async def go_on(self):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
                writer.write(b"GET /api/v1/tasks HTTP/1.1\r\nHost: ")
                self.statuses[200] += 1
                await reader.read()
                writer.close()
            except OSError:
                self.statuses[0] += 1
                await asyncio.sleep(0.1)

    def told(self):
        return f"{self.statuses[200]} connections"


ATTACKS = {
    "searches": Searches, "together": Together, "hang-ups": HangUps, "pages": Pages, "changes": Changes,
    "owner-lists": OwnerLists, "exports": Exports, "erasures": Erasures, "unread": Unread, "streams": Streams,
    "batches": Batches, "rest-batches": RestBatches, "no-room": NoRoom, "deletes": Deletes, "forged": Forged,
    "refusals": Refusals, "large-heads": LargeHeads, "connections": Connections,
}
