"""What a hostile user does, at each door."""
import asyncio
import base64
import json
import os
from collections import Counter

from .http import Connection
from .server import HOSTILE


class Attack:
    """So many connections at once, each of which does the same again and again."""
    connections = 30

    def __init__(self, server):
        self.server = server
        self.statuses = Counter()
        self.tasks = []

    async def begin(self):
        self.tasks = [asyncio.create_task(self.go_on()) for _ in range(self.connections)]

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
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def told(self):
        return ", ".join(f"{count} × {status or 'cut'}" for status, count in sorted(self.statuses.items()))


class Searches(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/tasks?q=nowhere-to-be-found", HOSTILE)


class Pages(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/tasks?limit=100&sort=title", HOSTILE)


class Changes(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/v1/changes?limit=100", HOSTILE)


class OwnerLists(Attack):
    async def once(self, connection):
        return await connection.send("GET", "/api/me/tasks?limit=1000", HOSTILE)


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
                    writer.write(self.server.head("GET", self.path, HOSTILE))
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
    async def once(self, connection):
        patch = {"description": "y" * 9_000}
        operations = [{"op": "update", "id": number, "patch": patch} for number in range(1, 101)]
        return await connection.send("POST", "/api/v1/tasks/batch", HOSTILE, json.dumps({"operations": operations}).encode())


class Batches(Attack):
    async def once(self, connection):
        tasks = [{"title": "x", "notes": "y" * 9_000} for _ in range(25)]
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "add_tasks", "arguments": {"tasks": tasks}}}
        headers = "Accept: application/json, text/event-stream\r\n"
        return await connection.send("POST", "/mcp", HOSTILE, json.dumps(call).encode(), headers)


class Deletes(Attack):
    """Fills the table with deleted tasks."""
    async def once(self, connection):
        body = json.dumps({"title": "x", "description": "z" * 9_000}).encode()
        status = await connection.send("POST", "/api/v1/tasks", HOSTILE, body)
        if status == 201:
            self.number = getattr(self, "number", 2_000) + 1
            await connection.send("DELETE", f"/api/v1/tasks/{self.number}", HOSTILE)
        return status


class Forged(Attack):
    async def once(self, connection):
        part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        token = ".".join([part(b'{"alg":"EdDSA"}'), part(json.dumps({"sub": os.urandom(8).hex()}).encode()), part(os.urandom(64))])
        return await connection.send("GET", "/api/v1/tasks", token)


class Connections(Attack):
    """Opens connections and says nothing, or half of a request."""
    connections = 1_000

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
    "searches": Searches, "pages": Pages, "changes": Changes, "owner-lists": OwnerLists, "unread": Unread,
    "streams": Streams, "batches": Batches, "rest-batches": RestBatches, "deletes": Deletes, "forged": Forged,
    "connections": Connections,
}
