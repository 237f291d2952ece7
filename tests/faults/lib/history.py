"""Checks that what the clients of one task saw is explained by some order of their requests (linearizability).

A task is a register whose versions are numbered in the order of the writes, so the order need not be searched for: it is that of
the versions, and it must agree with the clock. O(n log n) in the number of requests.
"""
from dataclasses import dataclass
from math import inf


@dataclass
class Event:
    began: float
    # `inf` if no answer came: what was sent may still be done.
    ended: float
    # The title that a write sets; no two writes set the same. None for a read.
    writes: str | None = None
    # The version of If-Match.
    expected: int | None = None
    # What came back: the version and the title; None if no answer came or it says nothing of the task.
    saw: tuple | None = None
    # The write was acknowledged, or the server said that it was not done.
    done: bool = False
    refused: bool = False


def check(events, first):
    """What is wrong with a history, as sentences. `first` is the title at the creation."""
    faults = []
    titles, writers = {}, {event.writes: event for event in events if event.writes}
    for event in events:
        if event.saw:
            version, title = event.saw
            if titles.setdefault(version, title) != title:
                faults.append(f"version {version} had two titles, {title} and {titles[version]}")
    versions = sorted(titles)
    if len(set(titles.values())) < len(titles):
        faults.append("a title was written twice")
    before = {later: earlier for earlier, later in zip(versions, versions[1:])}
    for version in versions:
        writer = writers.get(titles[version])
        if writer is None:
            if titles[version] != first:
                faults.append(f"nobody wrote {titles[version]}")
        elif writer.refused:
            faults.append(f"{titles[version]} was refused, and yet written")
        elif writer.expected is not None and writer.expected != before.get(version, writer.expected):
            faults.append(f"{titles[version]} was for version {writer.expected}, and changed version {before[version]}")
    for event in events:
        writer = event.saw and writers.get(event.saw[1])
        if writer and event.ended < writer.began:
            faults.append(f"{event.saw[1]} was seen before it was sent")
    return faults + backwards(events)


def backwards(events):
    """Requests that saw an older version than one that had ended before they began; a write must see a newer one."""
    faults, newest = [], 0
    ends = sorted((event for event in events if event.saw and event.ended < inf), key=lambda event: event.ended)
    at = 0
    for event in sorted((event for event in events if event.saw), key=lambda event: event.began):
        while at < len(ends) and ends[at].ended < event.began:
            newest = max(newest, ends[at].saw[0])
            at += 1
        if event.saw[0] < newest or event.done and event.saw[0] == newest:
            faults.append(f"version {event.saw[0]} came after version {newest}")
    return faults


def self_test():
    """A check that finds nothing would prove nothing."""
    read = lambda at, version, title: Event(at, at + 1, saw=(version, title))
    write = lambda at, title, version, **more: Event(at, at + 1, title, saw=(version, title), done=True, **more)
    good = [write(0, "b", 2), read(2, 2, "b"), write(4, "c", 3, expected=2), read(6, 3, "c"), Event(7, inf, "d"), read(9, 4, "d")]
    assert check(good, "a") == [], check(good, "a")
    for bad in (
        [*good, read(11, 3, "c")],
        [*good, write(11, "e", 5, expected=3)],
        [*good, read(11, 5, "b")],
        [*good, read(11, 5, "nobody's")],
        [*good, read(11, 4, "another")],
        [Event(0, 1, "b", refused=True), read(2, 2, "b")],
        [read(0, 2, "b"), write(2, "b", 2)],
        [write(0, "b", 2), write(2, "c", 2)],
    ):
        assert check(bad, "a"), bad


if __name__ == "__main__":
    self_test()
