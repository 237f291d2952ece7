"""Medians and ratios of the results of a run, and tables of them."""
import statistics

from lib.plan import MAIN_CONNECTIONS, QUIET


class Figures:
    def __init__(self, document):
        self.document = document
        self.results = document["results"]
        self.peers = [peer for peer in document["peers"] if peer not in document["refused"]]
        self.users = min((result["users"] for result in self.results), default=0)

    def median(self, key, peer, mix="mixed", connections=MAIN_CONNECTIONS, rate=0, users=None):
        """The median of the rounds; of the noisy ones only where there is no quiet one."""
        wanted = (peer, mix, connections, rate, users or self.users)
        found = [result for result in self.results if wanted == tuple(
            result[name] for name in ("peer", "mix", "connections", "rate", "users"))]
        quiet = [result for result in found if result["others_cpu"] <= QUIET]
        return median(result[key] for result in quiet or found)

    def ratio(self, peer, to, mix):
        """How many times the requests a second of another peer; none without that peer."""
        own, other = (self.median("rps", name, mix) for name in (peer, to))
        return own / other if own and other else None

    def start(self, key, peer):
        return median(start[key] for start in self.document["starts"] if start["peer"] == peer)

    def errors(self, peer):
        return sum(sum(result["errors"].values()) for result in self.results
                   if result["peer"] == peer and not result["rate"])

    def values(self, key, closed_only=True):
        return sorted({result[key] for result in self.results if not (closed_only and result["rate"])})

    def rates(self):
        return [rate for rate in self.values("rate", closed_only=False) if rate]

    def noise(self):
        """CPUs that processes outside the measurement used: the median, and the most."""
        used = [result["others_cpu"] for result in self.results]
        return (statistics.median(used), max(used)) if used else (0, 0)


def median(values):
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def number(value, digits=0, unit=""):
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
