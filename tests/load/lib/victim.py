"""The user whose requests are measured: a list, a task and a change, again and again, with a short pause."""
import asyncio
import json
import time
from dataclasses import dataclass

from .http import Connection
from .server import VICTIM

# Below the rate limit of 50 requests per second.
PAUSE = 0.025
REQUESTS = [
    ("GET", "/api/v1/tasks", None),
    ("GET", "/api/v1/tasks/7", None),
    ("PATCH", "/api/v1/tasks/7", {"completed": True}),
    ("GET", "/api/v1/tasks?completed=false&sort=title", None),
]


@dataclass
class Times:
    count: int
    p50: float
    p95: float
    # Of the server, in percent of one core.
    cpu: float


async def measure(server, seconds):
    connection = Connection(server)
    times = []
    start, cpu = time.monotonic(), server.cpu()
    end = start + seconds
    while time.monotonic() < end:
        for method, path, body in REQUESTS:
            body = None if body is None else json.dumps(body).encode()
            began = time.monotonic()
            status = await connection.send(method, path, VICTIM, body)
            took = time.monotonic() - began
            # One that fails is as bad as one that takes for ever.
            times.append(took * 1000 if status == 200 else 60_000)
            await asyncio.sleep(PAUSE)
    connection.close()
    cpu = (server.cpu() - cpu) / (time.monotonic() - start) * 100
    times.sort()
    return Times(len(times), times[len(times) // 2], times[len(times) * 95 // 100], cpu)
