"""What Schemathesis may not count as a failure, and why. Anything else fails the run."""

import unicodedata
import zoneinfo

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

# A schema describes a single request. Whether the server refuses it for one of these reasons depends on the database.
# They are recognized by the problem's stable `code` and not by its status, so that any other refusal with the same
# status still counts.
REFUSALS_OF_VALID_REQUESTS = {
    "version_mismatch": "If-Match names a version that the task is not in",
    "invalid_cursor": "the server makes a cursor for one list, and no pattern can describe the valid ones",
    "resync_required": "`since` is above the revision, or below what was purged",
    "uid_taken": "another task has the uid",
    "uid_of_deleted_task": "a deleted task has the uid",
    "idempotency_key_reused": "the key was used before with another body",
}


# JSON Schema has no format for names of the IANA database.
schemathesis.openapi.format("time-zone", strategies.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime"})))


@schemathesis.hook
def before_call(context, case, kwargs):
    """When Schemathesis 4.32.5 tests another parameter, it sends `If-Match: 0` as a valid header, although the
    pattern does not allow it (an entity tag is in quotes). The refusal would hide what is being tested.

    The owner in a path must be the caller: any other is refused before the rest is checked."""
    if "user_id" in (case.path_parameters or {}):
        case.path_parameters["user_id"] = "me"
    covered = getattr(case.meta.phase.data, "parameter", None) if case.meta else None
    for name in ("If-Match", "If-None-Match"):
        if case.headers.get(name) == "0" and covered != name:
            del case.headers[name]


# Ids of deleted tasks that restoreTask has brought back, after which they may be used again.
restored = set()


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and case.operation.path.endswith("/restore"):
        restored.add(str(case.path_parameters["id"]))
    if response.status_code in (200, 204) and case.method == "DELETE":
        restored.discard(str(case.path_parameters["id"]))


def contradicts_itself(problem) -> bool:
    """Whether the only faults are parameters that contradict each other, which a schema of one parameter cannot
    rule out."""
    details = [fault["detail"] for fault in problem.get("errors", [])]
    contradictions = ("must not contradict ", "must not be combined with ")
    return bool(details) and all(detail.startswith(contradictions) for detail in details)


def is_unassigned(problem, body) -> bool:
    """Whether the only faults are texts that nobody can see because Unicode has not assigned their characters, which are
    too many for a pattern."""
    faults = problem.get("errors", [])
    return bool(faults) and all(
        fault["detail"] == "must have at least one visible character"
        and any(unicodedata.category(character) == "Cn" for character in text_at(body, fault["pointer"]))
        for fault in faults
    )


def text_at(body, pointer):
    """What a JSON pointer (RFC 6901) of names and places without escapes stands for."""
    for name in pointer.split("/")[1:]:
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """Whether the failure counts."""
    # On the owner paths an empty parameter counts as absent, whatever the schema of its values.
    if isinstance(failure, AcceptedNegativeData) and "{user_id}" in case.operation.path:
        return "" not in (case.query or {}).values()
    # In a batch each operation is refused by itself, in its result.
    if isinstance(failure, AcceptedNegativeData) and case.operation.path.endswith("/batch"):
        return all(result["status"] != 422 for result in response.json()["results"])
    if isinstance(failure, UseAfterFree):
        return str(case.path_parameters["id"]) not in restored
    if isinstance(failure, RejectedPositiveData):
        problem = response.json()
        is_excused = problem.get("code") in REFUSALS_OF_VALID_REQUESTS or contradicts_itself(problem)
        return not is_excused and not is_unassigned(problem, case.body)
    return True
