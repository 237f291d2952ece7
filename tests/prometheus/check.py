"""Checks what a running server shows, what a running Prometheus makes of it, and the dashboard. Called by `run`."""
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.openmetrics.parser import text_string_to_metric_families

SERVER, TOKEN = os.environ["TASKWARD_URL"], os.environ["TOKEN"]
METRICS, PROMETHEUS = os.environ["METRICS"], os.environ["PROMETHEUS"]
# What the variables of the dashboard stand for here.
VARIABLES = {"$job": "taskward", "$instance": ".*", "$__rate_interval": "30s"}
# No panel may show these without a reason: nothing of the kind happens in this run.
NO_DATA = {
    # Development mode has no issuer with a key set.
    "taskward_key_set",
    # No statement fails.
    'error_type!=""',
    "taskward_store_deadlines_total",
}


def main():
    traffic()
    parse()
    scraped()
    for alert in ask("/api/v1/rules")["groups"][0]["rules"]:
        assert alert["health"] == "ok", alert
        assert alert["state"] != "firing", alert
    print("no alert fires")
    dashboard(sys.argv[1])


def traffic():
    """Uses each part of the server that the dashboard shows."""
    request("POST", "/api/v1/tasks", {"title": "Buy milk"})
    for _ in range(3):
        request("GET", "/api/v1/tasks")
    request("PATCH", "/api/v1/tasks/1", {"completed": True})
    request("GET", "/api/v1/tasks/77")
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "find_tasks", "arguments": {}}}
    request("POST", "/mcp", call)
    request("GET", "/nowhere")


def request(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", "Accept": "application/json"}
    try:
        urllib.request.urlopen(urllib.request.Request(SERVER + path, data, headers, method=method)).read()
    except urllib.error.HTTPError as error:
        assert error.code == 404, (method, path, error.code, error.read())


def parse():
    """The strict parser of Prometheus' client library for Python reads the text."""
    with urllib.request.urlopen(METRICS) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text"), answer.headers
        families = list(text_string_to_metric_families(answer.read().decode()))
    for family in families:
        assert family.documentation.endswith("."), family
        if family.type == "histogram":
            of_sample = {}
            for sample in family.samples:
                labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
                of_sample.setdefault(labels, {})[(sample.name, sample.labels.get("le"))] = sample.value
            for samples in of_sample.values():
                infinite = samples[(f"{family.name}_bucket", "+Inf")]
                assert samples[(f"{family.name}_count", None)] == infinite, family.name
    print(f"prometheus_client reads {len(families)} families, {sum(len(family.samples) for family in families)} samples")


def scraped():
    """Prometheus scrapes it without a complaint."""
    for _ in range(100):
        try:
            targets = ask("/api/v1/targets")["activeTargets"]
            if targets and targets[0]["health"] != "unknown":
                break
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.2)
    assert [target["health"] for target in targets] == ["up"], targets
    assert targets[0]["lastError"] == "", targets
    query = 'sum(http_server_request_duration_seconds_count{job="taskward", http_route="/api/v1/tasks"})'
    assert value(query) >= 4, query
    # Two more scrapes, with requests between, so that there are rates.
    for _ in range(2):
        time.sleep(2)
        traffic()
    time.sleep(2)
    print(f"Prometheus {ask('/api/v1/status/buildinfo')['version']} scrapes it: {targets[0]['scrapeUrl']} is up")


def ask(path, **parameters):
    url = f"{PROMETHEUS}{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url) as answer:
        answer = json.load(answer)
    assert answer["status"] == "success", answer
    return answer["data"]


def value(query):
    result = ask("/api/v1/query", query=query)["result"]
    return float(result[0]["value"][1]) if result else 0


def dashboard(path):
    """Grafana's types read the dashboard and lose nothing of it, and each of its queries gives an answer."""
    with open(path) as file:
        board = json.load(file)
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    lost = missing(board, again)
    assert not lost, lost
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers), numbers
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < 24 and not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
    queries = [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]
    empty = []
    for title, expression in queries:
        for variable, stands_for in VARIABLES.items():
            expression = expression.replace(variable, stands_for)
        assert "$" not in expression, expression
        result = ask("/api/v1/query", query=expression)["result"]
        if not result and not any(reason in expression for reason in NO_DATA):
            empty.append((title, expression))
    assert not empty, empty
    print(f"the dashboard: {len(queries)} queries in {len(numbers)} panels, all of which Prometheus answers")


def missing(one, other, path=""):
    """The paths of what `one` has and `other` has not; null is the same as absent."""
    if isinstance(one, dict):
        return [
            fault
            for name, value in one.items()
            if value is not None
            for fault in (missing(value, other[name], f"{path}/{name}") if isinstance(other, dict) and name in other else [f"{path}/{name}"])
        ]
    if isinstance(one, list):
        if not isinstance(other, list) or len(one) != len(other):
            return [path]
        return [fault for place, pair in enumerate(zip(one, other)) for fault in missing(*pair, f"{path}/{place}")]
    return [] if one == other else [path]


main()
