"""What is measured: the mixes of requests, and how often, how long and with how many connections in each mode."""
from dataclasses import dataclass

MIXES = {
    "mixed": "list=35,get=35,patch=20,create=10",
    "get": "get=1",
    "list": "list=1",
    "create": "create=1",
    "patch": "patch=1",
}
# The folders in peers/, with the names that reports use.
PEERS = {
    "taskward": "Taskward",
    "fastapi-sync": "FastAPI + SQLModel",
    "fastify": "Fastify + pg",
    "axum-floor": "hand-written axum",
}
TASKS_PER_USER = 100
MAIN_CONNECTIONS = 64
OPEN_LOOP_CONNECTIONS = 1000
# A measurement is repeated when processes outside it used more CPUs than this.
QUIET = 0.15
ATTEMPTS = 3
# Reaches every process of a server and fills its pools. For each 1,000 users it then takes so many seconds until
# nearly all tokens have been seen: some servers remember those, and the first sight of one costs the most.
WARM_UP = 0.6


@dataclass(frozen=True)
class Load:
    """One measurement."""
    mix: str
    connections: int
    seconds: float
    warm_up: float
    rate: int = 0  # requests a second that fall due; 0: closed loop

    @property
    def weights(self):
        return MIXES[self.mix]


@dataclass(frozen=True)
class Session:
    """A server that is started once, over a database with so many users, and measured with each load."""
    peer: str
    round: int
    users: int
    loads: tuple[Load, ...]


@dataclass(frozen=True)
class Mode:
    rounds: int
    seconds: float
    warm_up: float
    connections: tuple[int, ...]
    rates: tuple[int, ...]
    users: tuple[int, ...] = (1000,)

    def sessions(self, peers):
        """Rounds are interleaved, every other one in reverse order, so that all peers meet the same noise."""
        for users in self.users:
            for number in range(1, self.rounds + 1):
                loads = self.loads(number) if users == self.users[0] else self.closed((MAIN_CONNECTIONS,))
                for peer in peers if number % 2 else reversed(peers):
                    yield Session(peer, number, users, tuple(loads))

    def loads(self, number):
        """The first two rounds have all loads; the others have what the medians at 64 connections need."""
        if number > 2:
            return self.closed((MAIN_CONNECTIONS,))
        ladder = [Load("mixed", OPEN_LOOP_CONNECTIONS, max(2, self.seconds), 1, rate) for rate in self.rates]
        return self.closed(self.connections) + ladder

    def closed(self, connections):
        loads = []
        for count in connections:
            if count < 1000:
                loads += [Load(mix, count, self.seconds, self.warm_up) for mix in MIXES]
            else:  # a slow server answers a thousand requests in seconds
                loads.append(Load("mixed", count, 5, 4))
        return loads


MODES = {
    "smoke": Mode(rounds=1, seconds=0.5, warm_up=0.2, connections=(64,), rates=(100,), users=(100,)),
    "quick": Mode(rounds=3, seconds=1.2, warm_up=0.3, connections=(64,), rates=(250, 1000)),
    "full": Mode(rounds=3, seconds=1.5, warm_up=0.5, connections=(64, 1, 1000),
                 rates=(250, 500, 1000, 2000, 4000, 8000, 12000, 16000), users=(1000, 10000)),
}
