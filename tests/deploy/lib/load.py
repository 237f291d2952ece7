"""People who use Taskward through a proxy: each sends one request after the other, and repeats none."""
import collections
import http.client
import json
import threading
import time
import uuid

from lib.token import token

READ, KEYED, WRITE = "reads", "keyed writes", "other writes"


class Person(threading.Thread):
    """Creates, reads, changes and lists tasks over one connection, or over one for each request. Whatever is not as it should be is a
    failure."""

    def __init__(self, name, fleet, close=False):
        super().__init__(daemon=True)
        self.name, self.port = name, fleet.port
        self.headers = {"Authorization": f"Bearer {token(name, fleet.secret)}", "Content-Type": "application/json"}
        if close:
            self.headers["Connection"] = "close"
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.sent = collections.Counter()
        self.failures = []
        self.created = {}
        self.done = False

    def run(self):
        while not self.done:
            title = str(uuid.uuid4())
            task = self.send(KEYED, "POST", "/api/v1/tasks", 201, {"title": title}, {"Idempotency-Key": f'"{title}"'})
            if task:
                path = f"/api/v1/tasks/{task['id']}"
                self.created[task["id"]] = title
                self.send(READ, "GET", path, 200)
                self.send(WRITE, "PATCH", path, 200, {"completed": True})
                self.send(READ, "GET", "/api/v1/tasks?limit=5", 200)
            time.sleep(0.02)

    def send(self, kind, method, path, expected, body=None, headers=()):
        self.sent[kind] += 1
        try:
            data = None if body is None else json.dumps(body)
            self.connection.request(method, path, data, self.headers | dict(headers))
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status == expected:
                return json.loads(text)
            fault = f"{answer.status} {text[:120]!r}"
        except (OSError, http.client.HTTPException) as error:
            fault = repr(error)
            self.connection.close()
        self.failures.append((kind, f"{method} {path}: {fault}"))
        return None

    def stored(self):
        """All tasks that the server has of this person, as id and title."""
        tasks, path = [], "/api/v1/tasks?limit=100"
        while path:
            page = self.send(READ, "GET", path, 200)
            if page is None:
                raise SystemExit(f"{self.name} cannot be read in the end: {self.failures[-1]}")
            tasks += [(task["id"], task["title"]) for task in page["items"]]
            path = page["next_cursor"] and f"/api/v1/tasks?limit=100&cursor={page['next_cursor']}"
        return tasks


class Follower(threading.Thread):
    """Reads a person's event stream, and resumes it where it ended."""

    def __init__(self, person):
        super().__init__(daemon=True)
        self.person = person
        self.seen = {}
        self.ends = collections.Counter()
        self.last_event_id = None
        self.done = False

    def run(self):
        while not self.done:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.ends[type(error).__name__] += 1
            time.sleep(0.05)

    def follow(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.person.port, timeout=30)
        resume = {} if self.last_event_id is None else {"Last-Event-ID": self.last_event_id}
        connection.request("GET", "/api/v1/events?since=0", headers=self.person.headers | resume)
        answer = connection.getresponse()
        if answer.status != 200:
            self.ends[f"refused with {answer.status}"] += 1
            return
        event = {}
        while not self.done:
            line = answer.readline().decode().rstrip("\n")
            if not line and not event:
                if answer.isclosed():
                    self.ends["cut"] += 1
                    return
            elif not line:
                if self.take(event):
                    return
                event = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value

    def take(self, event):
        """Takes an event, and returns whether it was the last one."""
        if event.get("event") == "end":
            self.ends[json.loads(event["data"])["reason"]] += 1
            return True
        if event.get("event") == "changes":
            for task in json.loads(event["data"])["tasks"]:
                self.seen[task["id"]] = task["title"]
            self.last_event_id = event["id"]
        return False
