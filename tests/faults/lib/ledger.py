"""What one user sent and what the server said of it, to be compared with what is there at the end."""
from collections import Counter
from dataclasses import dataclass, replace
from math import inf

from .history import Event, backwards, check

REGISTER = "register"


@dataclass
class Creation:
    # A retry with the same key or uid is the same creation.
    repeatable: bool
    # Titles that must be there together, or not at all.
    batch: int | None = None
    acknowledged: bool = False
    # Each attempt was surely not done.
    refused: bool = True
    deletion: str = ""


class Ledger:
    """`answers` counts all answers of all users by their code; `waits` are their times; `faults` are what must not be."""

    def __init__(self, user, answers, waits, faults):
        self.user, self.answers, self.waits, self.faults = user, answers, waits, faults
        self.creations, self.events, self.writes = {}, [], []
        self.acknowledged = 0

    def note(self, answer, expected):
        """Counts an answer. `expected`: the statuses that this request may have besides a 503."""
        code = answer.code
        self.answers[code] += 1
        self.waits.append(answer)
        if answer.status == 503 and "retry-after" not in answer.headers:
            self.faults.append(f"{code} without Retry-After")
        if answer.status not in (0, 503, *expected):
            self.faults.append(f"{code}: {str(answer.body)[:200]}")
        if answer.kind == "silent":
            self.faults.append("no answer came")
        self.look_for_others(answer.body)

    def look_for_others(self, value):
        """Every text of a user begins with the user's name."""
        if isinstance(value, dict):
            if value.get("user_id", self.user) != self.user or not str(value.get("title", self.user)).startswith(self.user):
                if "id" in value:
                    self.faults.append(f"leaked: {self.user} was shown {value.get('user_id')}: {value['title']}")
            for member in value.values():
                self.look_for_others(member)
        elif isinstance(value, list):
            for member in value:
                self.look_for_others(member)

    def acknowledge(self, answer, revision):
        """A write with its revision, for the order of all writes of the user."""
        self.acknowledged += 1
        self.writes.append(Event(answer.began, answer.ended, saw=(revision, ""), done=True))

    def see(self, answer, writes=None, expected=None):
        """A request about the register."""
        task = answer.body if answer.status == 200 else None
        if answer.status == 412:
            task = answer.body["current"]
        if task and "items" in task:
            task = next((item for item in task["items"] if item["id"] == 1), None)
        done = writes is not None and answer.status == 200
        ended = answer.ended if answer.status and answer.code != "503 outcome_unknown" else inf
        self.events.append(Event(
            answer.began, ended, writes, expected, (task["version"], task["title"]) if task else None, done,
            answer.surely_not_done))
        if done:
            self.acknowledge(answer, task["version"])

    def compare(self, tasks):
        """Compares with all tasks that there are. Returns how many acknowledged writes are lost, and how many are doubled."""
        titles = {}
        for task in tasks:
            titles[task["title"]] = titles.get(task["title"], 0) + 1
        lost = doubled = 0
        batches = {}
        for title, creation in self.creations.items():
            count = titles.pop(title, 0)
            if count > 1:
                doubled += 1
                self.faults.append(f"doubled: {title} is there {count} times")
            if creation.deletion == "acknowledged" and count:
                lost += 1
                self.faults.append(f"lost: the deletion of {title}")
            elif creation.acknowledged and not count and not creation.deletion:
                lost += 1
                self.faults.append(f"lost: {title}")
            elif creation.refused and not creation.acknowledged and count:
                self.faults.append(f"refused, and yet created: {title}")
            if creation.batch is not None:
                batches.setdefault(creation.batch, set()).add(count)
        self.faults += [f"half done: batch {number} of {self.user}" for number, counts in batches.items() if len(counts) > 1]
        unknown = [title for title in titles if not title.startswith(f"{self.user}-{REGISTER}")]
        self.faults += [f"nobody created {title}" for title in unknown]
        faults = check(self.events, f"{self.user}-{REGISTER}") + check_order(self.writes)
        self.faults += [f"{self.user}: {fault}" for fault in faults]
        times = sorted(tasks, key=lambda task: task["version"])
        if any(earlier["updated_at"] > later["updated_at"] for earlier, later in zip(times, times[1:])):
            self.faults.append(f"{self.user}: updated_at runs backwards")
        return lost, doubled


def check_order(writes):
    """Revisions of a user count in the order of the writes, whatever the writes are about."""
    revisions = [event.saw[0] for event in writes]
    same = len(revisions) - len(set(revisions))
    return ([f"{same} writes have the revision of another one"] if same else []) + backwards(writes)


def self_test():
    """A comparison that finds nothing would prove nothing."""
    def compared(tasks, **creations):
        ledger = Ledger("ann", Counter(), [], [])
        ledger.creations = {f"ann-{name}": creation for name, creation in creations.items()}
        tasks = [{"title": f"ann-{name}", "version": number, "updated_at": str(number)} for number, name in enumerate(tasks, 2)]
        return *ledger.compare(tasks), ledger.faults

    made = Creation(repeatable=False, acknowledged=True, refused=False)
    unknown, refused = Creation(repeatable=False, refused=False), Creation(repeatable=False)
    assert compared(["a"], a=made, b=unknown, c=refused) == (0, 0, [])
    assert compared(["a", "b"], a=made, b=unknown) == (0, 0, [])
    assert compared([], a=made)[0] == 1
    assert compared(["a"], a=replace(made, deletion="acknowledged"))[0] == 1
    assert compared(["a", "a"], a=made)[1] == 1
    assert compared(["a"], a=refused)[2] and compared(["a"])[2]
    assert compared(["a"], a=replace(unknown, batch=1), b=replace(unknown, batch=1))[2]
    ledger = Ledger("ann", Counter(), [], [])
    ledger.look_for_others({"items": [{"id": 1, "user_id": "bob", "title": "bob-1"}]})
    assert ledger.faults
