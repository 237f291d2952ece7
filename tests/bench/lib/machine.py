"""CPU time and memory of processes, from /proc; the machine and the versions of what runs on it."""
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def processes():
    """Of each process: its parent, and the CPU seconds of itself and of the children that it has waited for."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path("/proc", name, "stat").read_text()
        except OSError:  # it has ended
            continue
        fields = text[text.rindex(")") + 2:].split()
        found[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS)
    return found


def tree(root, found):
    """A process and its descendants."""
    children = {}
    for pid, (parent, _) in found.items():
        children.setdefault(parent, []).append(pid)
    members, left = [], [root]
    while left:
        pid = left.pop()
        if pid in found:
            members.append(pid)
            left += children.get(pid, [])
    return members


def cpu_seconds(root, found):
    return sum(found[pid][1] for pid in tree(root, found))


def busy_seconds():
    """CPU seconds of all processes together."""
    values = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    idle, waiting = values[3], values[4]
    return (sum(values) - idle - waiting) / TICKS


def memory_mb(root, key, file):
    """Adds up a figure of a process and its descendants."""
    kilobytes = 0
    for pid in tree(root, processes()):
        try:
            text = Path("/proc", str(pid), file).read_text()
        except OSError:
            continue
        if match := re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE):
            kilobytes += int(match[1])
    return kilobytes / 1024


def stop(process):
    """Ends a process that was started as a session of its own, and whatever is left of the session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(6)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def describe(root, postgres):
    """What a report says about the machine and the versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    fastapi = (root / "tests/bench/peers/fastapi-sync/requirements.txt").read_text()
    fastify = (root / "tests/bench/peers/fastify/package.json").read_text()
    return {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cpus": os.cpu_count(),
        "model": model[1].strip() if model else os.uname().machine,
        "memory_gb": round(int(memory[1]) / 2**20) if memory else None,
        "taskward": output("git", "-C", root, "describe", "--always", "--dirty"),
        "PostgreSQL": postgres.split()[0],
        "Rust": output("rustc", "--version").split()[1],
        "Python": output("python3", "--version").split()[1],
        "Node": output("node", "--version").lstrip("v"),
        "FastAPI": re.search(r"fastapi==(\S+)", fastapi)[1],
        "Fastify": re.search(r'"fastify": "([^"]+)"', fastify)[1],
    }


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown unknown"
