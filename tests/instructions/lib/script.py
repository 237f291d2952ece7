"""The requests that are counted: the same ones in the same order in every run."""
import json
from dataclasses import dataclass, field, replace

from .server import Counted, Server

ROUNDS = 6
# Users of one round. Each round has its own, so that a cache of lists has none of them when it begins.
USERS = 12
TASKS = 60


@dataclass(frozen=True)
class Request:
    user: str
    method: str
    path: str
    status: int = 200
    body: dict | None = None
    headers: dict = field(default_factory=dict)


def task(number):
    return {"title": f"Water the plants in room {number}", "description": "The small ones twice",
            "priority": ["low", "medium", "high"][number % 3], "due_date": f"2026-03-{number % 28 + 1:02}",
            "tags": ["home", "plants"]}


def get(user, number=0):
    return Request(user, "GET", f"/api/v1/tasks/{number % TASKS + 1}")


def page(user):
    return Request(user, "GET", "/api/v1/tasks")


def create(user, number=0):
    return Request(user, "POST", "/api/v1/tasks", 201, task(number))


def patch(user, number=0):
    changes = {"title": f"Water the plants in hall {number}", "completed": True}
    return Request(user, "PATCH", f"/api/v1/tasks/{number % TASKS + 1}", body=changes)


def measure(program, folder):
    """Instructions per request, by operation: a figure of each round."""
    rounds = [[f"user-{round}-{number}" for number in range(USERS)] for round in range(ROUNDS + 1)]
    with Server(program, folder) as server:
        for user in sum(rounds, []):
            for number in range(TASKS):
                server.send(create(user, number))
    figures = {}
    with Counted(program, folder) as server:
        server.command("instrumentation", "on")
        for index, users in enumerate(rounds):
            for operation, figure in one_round(server, users):
                # The first round prepares the statements and fills the caches of the process.
                if index > 0:
                    figures.setdefault(operation, []).append(figure)
    return figures


def one_round(server, users):
    """Yields the operations and their figures."""
    def each(make):
        return [make(user, number) for number, user in enumerate(users)]

    for request in each(get):
        server.send(request)  # now the tokens are in the token cache
    yield "get", server.count(each(get))
    pages = [page(user) for user in users]
    yield "list", server.count(pages)
    answers = [server.send(request) for request in pages]
    yield "list_again", server.count(pages)
    yield "list_304", server.count([unchanged(*pair) for pair in zip(pages, answers)])
    yield "patch", server.count(each(patch))
    yield "list_after_patch", server.count(pages)
    yield "create", server.count(each(create))


def unchanged(request, answer):
    headers, body = answer
    assert len(json.loads(body)["items"]) == 50, "a page has 50 tasks"
    return replace(request, status=304, headers={"If-None-Match": headers["ETag"]})
