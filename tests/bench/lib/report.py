"""The reports of a run: the full tables for docs/performance.md, and the short one for the README."""
from lib.figures import Figures, number, table
from lib.plan import MAIN_CONNECTIONS, MIXES, OPEN_LOOP_CONNECTIONS, PEERS, QUIET, TASKS_PER_USER


VERSIONS = ("PostgreSQL", "Rust", "Python", "FastAPI", "Node", "Fastify")


def label(peer):
    folder, _, settings = peer.partition("+")
    return PEERS.get(folder, folder) + (f" ({settings.replace('+', ', ')})" if settings else "")


def full(document):
    figures = Figures(document)
    parts = [conditions(figures), operations(figures)]
    if figures.rates():
        parts.append(open_loop(figures))
    parts.append(starts(figures))
    if len(figures.values("connections")) > 1:
        parts.append(connections(figures))
    if len(figures.values("users")) > 1:
        parts.append(growth(figures))
    return "\n\n".join(parts) + "\n"


def conditions(figures):
    machine, mode = figures.document["machine"], figures.document["mode"]
    versions = ", ".join(f"{name} {machine[name]}" for name in VERSIONS)
    usual, most = figures.noise()
    text = (f"`tests/bench/run {mode}` on {machine['when']}, Taskward {machine['taskward']}; {machine['cpus']} CPUs "
            f"({machine['model']}), {machine['memory_gb']} GB; {versions}; {figures.users:,} users with "
            f"{TASKS_PER_USER} tasks each. While it measured, other processes of the machine used {usual:.2f} CPUs at "
            f"the median and {most:.2f} at most; noisy rounds count only where there is no quiet one.")
    if usual > QUIET:
        text += ("\n\n**The machine was busy with other work. Trust ratios and CPU times, not requests/s or "
                 "latencies.**")
    for peer, why in figures.document["refused"].items():
        text += f"\n\n**{label(peer)} was not measured:** {why}"
    return text


def operations(figures):
    head = ["", "requests/s", "× FastAPI", "× hand-written", "server CPU µs", "database CPU µs", "p50 ms", "p95 ms"]
    rows = []
    for mix in MIXES:
        for peer in figures.peers:
            def value(key, digits=0):
                return number(figures.median(key, peer, mix), digits)
            rows.append([f"{mix}: {label(peer)}", value("rps"), *ratios(figures, peer, mix), value("server_us"),
                         value("database_us"), value("p50", 1), value("p95", 1)])
    failed = {label(peer): figures.errors(peer) for peer in figures.peers if figures.errors(peer)}
    note = f"\n\nFailed requests: {failed}." if failed else "\n\nNo request failed."
    return f"### {MAIN_CONNECTIONS} connections, CPU time per request\n\n" + table(head, rows) + note


def ratios(figures, peer, mix):
    return [number(figures.ratio(peer, to, mix), 2) for to in ("fastapi-sync", "axum-floor")]


def open_loop(figures):
    rows = []
    for peer in figures.peers:
        def cell(rate):
            p95 = figures.median("p95", peer, "mixed", OPEN_LOOP_CONNECTIONS, rate)
            # 5 s is how long the load generator waits for the last answers.
            return "> 5,000" if p95 and p95 > 5000 else number(p95, 1)
        rows.append([label(peer), *map(cell, figures.rates())])
    head = ["p95 in ms at"] + [f"{rate:,}/s" for rate in figures.rates()]
    return f"### Open loop, {OPEN_LOOP_CONNECTIONS:,} connections, mixed\n\n" + table(head, rows)


def starts(figures):
    rows = []
    for peer in figures.peers:
        seconds = figures.start("seconds", peer)
        rows.append([label(peer), number(seconds and seconds * 1000), number(figures.start("idle_mb", peer)),
                     number(figures.start("peak_mb", peer))])
    head = ["", "start to first answer, ms", "idle memory, MB", "peak memory, MB"]
    return "### Start and memory\n\n" + table(head, rows)


def connections(figures):
    counts = figures.values("connections")
    rows = []
    for mix in MIXES:
        for peer in figures.peers:
            cells = [number(figures.median(key, peer, mix, count), digits)
                     for key, digits in (("rps", 0), ("p95", 1)) for count in counts]
            rows.append([f"{mix}: {label(peer)}", *cells])
    head = [""] + [f"{what}, {count:,}" for what in ("requests/s", "p95 ms") for count in counts]
    return "### By the number of connections\n\n" + table(head, rows)


def growth(figures):
    few, many = figures.values("users")[:2]
    rows = []
    for mix in MIXES:
        for peer in figures.peers:
            row = [f"{mix}: {label(peer)}"]
            for key in ("rps", "database_us"):
                before, after = (figures.median(key, peer, mix, users=users) for users in (few, many))
                row += [number(before), number(after), number(after / before if before and after else None, 2)]
            rows.append(row)
    head = [""] + [cell for what in ("requests/s", "database CPU µs")
                   for cell in (f"{what}, {few:,} users", f"{many:,} users", "ratio")]
    return f"### As the data grows ({MAIN_CONNECTIONS} connections)\n\n" + table(head, rows)


def short(document):
    """For the README: what a newcomer wants to know."""
    figures = Figures(document)
    machine = document["machine"]
    rows = []
    for peer in figures.peers:
        cpu = [figures.median(key, peer) for key in ("server_us", "database_us")]
        seconds = figures.start("seconds", peer)
        rows.append([label(peer), number(figures.median("rps", peer)),
                     number(figures.ratio(peer, "fastapi-sync", "mixed"), 1),
                     number(sum(cpu) if all(cpu) else None), number(seconds and seconds * 1000),
                     number(figures.start("idle_mb", peer))])
    head = ["", "requests/s", "× FastAPI", "CPU µs per request", "start ms", "idle MB"]
    return (table(head, rows)
            + f"\n\n{MAIN_CONNECTIONS} connections; 35 % lists of 50 tasks, 35 % reads, 20 % changes, 10 % creations. "
            f"Server, PostgreSQL {machine['PostgreSQL']} and load generator share {machine['cpus']} CPUs. "
            "CPU time is that of server and database. "
            f"Measured by `tests/bench/run {document['mode']}` on {machine['when'][:10]}.\n")


def update(path, document):
    """Replaces what stands between the markers of a file."""
    text = path.read_text()
    found = False
    for name, block in (("performance", short), ("measurements", full)):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if begin in text and end in text:
            before, rest = text.split(begin, 1)
            text = before + begin + block(document) + end + rest.split(end, 1)[1]
            found = True
    if not found:
        raise SystemExit(f"{path} has neither <!-- performance --> nor <!-- measurements -->.")
    path.write_text(text)
