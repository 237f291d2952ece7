"""Measures one server: starts it over fresh data, checks its answers, and puts each load on it."""
import json
import subprocess
import time
from dataclasses import asdict, dataclass

from lib import contract, machine
from lib.log import log
from lib.peer import Server, StartFailed
from lib.plan import ATTEMPTS, QUIET, WARM_UP, Load
from lib.postgres import Postgres

# Of fewer answers than this, the cost of one says nothing.
ENOUGH = 50


@dataclass
class Sample:
    """CPU seconds since the start: of the server, the database, the load generator, and the whole machine."""
    server: float
    database: float
    generator: float
    machine: float
    at: float

    def __sub__(self, other):
        return Sample(*(a - b for a, b in zip(vars(self).values(), vars(other).values())))


class Measurement:
    def __init__(self, postgres: Postgres, load_program, key_sets, datasets):
        self.postgres, self.load_program = postgres, load_program
        self.key_sets, self.datasets = key_sets, datasets
        self.results, self.starts, self.refused = [], [], {}

    def session(self, peer, session):
        if peer.name in self.refused:
            return
        folder = self.datasets.copy(peer, session.users)
        try:
            server = Server(peer, self.postgres, self.key_sets, folder)
        except StartFailed as failure:
            return self.refuse(peer, str(failure))
        try:
            if found := contract.faults(server):
                return self.refuse(peer, "; ".join(found))
            time.sleep(0.5)
            start = {"peer": peer.name, "seconds": server.start_seconds, "idle_mb": server.memory()["pss_mb"]}
            for mix, seconds in (("mixed", WARM_UP), ("get", WARM_UP * session.users / 1000)):
                self.once(server, Load(mix, 64, 0.1, seconds), seed=99)
            self.put_loads(server, session)
            self.starts.append(start | {"peak_mb": server.memory()["peak_rss_mb"]})
        finally:
            server.stop()

    def refuse(self, peer, why):
        log(f"{peer.name} is not measured: {why}")
        self.refused[peer.name] = why

    def put_loads(self, server, session):
        overloaded = False
        for number, load in enumerate(session.loads):
            if load.rate and overloaded:
                continue
            result = self.quiet(server, load, session.round * 1000 + number)
            result |= {"peer": server.peer.name, "users": session.users, "round": session.round} | asdict(load)
            self.results.append(result)
            # An open loop stops at the first rate that the server does not keep up with.
            overloaded = bool(load.rate and (result["errors"] or result["unanswered"] or (result["p95"] or 0) > 1000))

    def quiet(self, server, load, seed):
        """Repeats a measurement during which other processes were busy; the quietest one counts."""
        tried = []
        while len(tried) < ATTEMPTS:
            tried.append(self.once(server, load, seed + 100_000 * len(tried)))
            if tried[-1]["others_cpu"] <= QUIET:
                break
        return min(tried, key=lambda result: result["others_cpu"])

    def once(self, server, load, seed):
        command = [self.load_program, "run", "--server", f"127.0.0.1:{server.port}", "--mix", load.weights,
                   "--tokens", server.folder / "tokens", "--tasks", server.folder / "tasks",
                   "--connections", load.connections, "--rate", load.rate,
                   "--warm-up", load.warm_up, "--seconds", load.seconds, "--seed", seed]
        self.settle(server)
        generator = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        samples, report = [], {}
        for line in generator.stdout:
            samples.append(self.sample(server, generator))
            report = json.loads(line)
        if generator.wait() or report.pop("mark", None) != "end":
            raise SystemExit(f"the load generator failed; the log of {server.peer.name} ends with:\n"
                             f"{server.log.read_text()[-2000:]}")
        spent = samples[1] - samples[0]
        answers = report["requests"] + sum(report["errors"].values())
        per_answer = 1e6 / answers if answers >= ENOUGH else None
        others = spent.machine - spent.server - spent.database - spent.generator
        return report | {
            "server_us": per_answer and spent.server * per_answer,
            "database_us": per_answer and spent.database * per_answer,
            "others_cpu": max(0.0, others) / spent.at,
        }

    def sample(self, server, generator):
        found = machine.processes()
        used = [machine.cpu_seconds(pid, found) for pid in (server.process.pid, self.postgres.pid, generator.pid)]
        return Sample(*used, machine.busy_seconds(), time.perf_counter())

    def settle(self, server):
        """Waits until the server has finished what the last measurement left under way."""
        end, before = time.monotonic() + 20, None
        while time.monotonic() < end:
            now = machine.cpu_seconds(server.process.pid, machine.processes())
            if before is not None and now - before < 0.02:
                return
            before = now
            time.sleep(0.15)
