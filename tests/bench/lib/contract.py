"""What every peer must do, so that none is quick by leaving out work."""
import base64

FIELDS = ("id", "title", "description", "completed", "created_at", "updated_at")


def faults(server):
    """Gives what is wrong with the answers of a server; nothing is as it should be."""
    found = []

    def want(what, holds):
        if not holds:
            found.append(what)

    call = server.call
    status, task = call("POST", "", {"title": "Check", "description": "the contract"})
    if status != 201:
        return [f"creating a task answers {status} {task}"]
    one = f"/{task['id']}"
    want(f"a task has the members {FIELDS}", all(field in task for field in FIELDS))
    want("a task is found", call("GET", one)[0] == 200)
    check_pages(call, task, want)
    status, task = call("PATCH", one, {"completed": True})
    want("a task is completed", status == 200 and task["completed"] is True)
    want("another user does not find it", call("GET", one, token=server.token_of_another)[0] == 404)
    want("a token is needed", call("GET", one, token="")[0] in (401, 403))
    for what, token in bad_tokens(server.token):
        want(f"{what} is refused", call("GET", one, token=token)[0] == 401)
    for title in ("", "x" * 501):
        want(f"a title of {len(title)} characters is refused", call("POST", "", {"title": title})[0] in (400, 422))
    want("a task is deleted", call("DELETE", one)[0] == 204)
    want("a deleted task is gone", call("GET", one)[0] == 404)
    return found


def check_pages(call, newest, want):
    status, first = call("GET", "?limit=50")
    if status != 200 or len(first["items"]) != 50 or not first["next_cursor"]:
        return want("the first page has 50 tasks and a cursor", False)
    want("the newest task comes first", first["items"][0]["id"] == newest["id"])
    status, second = call("GET", f"?limit=50&cursor={first['next_cursor']}")
    ids = [{task["id"] for task in page["items"]} for page in (first, second)]
    want("the second page has 50 others", status == 200 and len(ids[1]) == 50 and not ids[0] & ids[1])


def bad_tokens(token):
    header, claims, signature = token.split(".")
    # Not the last character: some of its bits are unused.
    other = "A" if signature[20] != "A" else "B"
    yield "a forged signature", f"{header}.{claims}.{signature[:20]}{other}{signature[21:]}"
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    yield "a token without a signature", f"{none}.{claims}."
