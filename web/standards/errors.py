"""Errors in the shape that each standard wants, whatever went wrong and wherever.

- FHIR R4: `OperationOutcome` (https://hl7.org/fhir/R4/http.html#Status-Codes).
- NGSI-LD: problem details with a type of ETSI's (ETSI GS CIM 009, clauses 5.5.2 and 6.3.2).
- HSDS leaves errors open: problem details as everywhere in our API.
"""

from __future__ import annotations

from typing import Any

import msgspec
from quart import Response

from web.problems import PROBLEM_TYPE, Problem, problem_response
from web.standards.answer import FHIR_JSON

_ETSI = "https://uri.etsi.org/ngsi-ld/errors/"
_ETSI_BY_CODE = {
    "unknown_tenant": "NonexistentTenant",
    "not_supported": "OperationNotSupported",
    "already_exists": "AlreadyExists",
    "invalid_json": "InvalidRequest",
}
_ETSI_BY_STATUS = {400: "BadRequestData", 404: "ResourceNotFound", 410: "ResourceNotFound"}
# Codes of http://hl7.org/fhir/issue-type
_ISSUES = {
    400: "invalid",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    410: "deleted",
    413: "too-long",
    429: "throttled",
    500: "exception",
    503: "transient",
}


def error_in_standard(path: str, problem: Problem) -> Response | None:
    """The error as the standard that is spoken at `path` has it; None for all other paths."""
    body, status, headers = problem_response(problem)
    if _is_at("/fhir", path):
        body = msgspec.json.encode(_operation_outcome(problem))
        headers["Content-Type"] = FHIR_JSON
    elif _is_at("/ngsi-ld", path):
        found = _etsi_problem(problem)
        body, status = msgspec.json.encode(found), found["status"]
        headers["Content-Type"] = PROBLEM_TYPE
    elif not _is_at("/hsds", path):
        return None
    headers["Access-Control-Allow-Origin"] = "*"
    return Response(body, status=status, headers=headers)


def _is_at(root: str, path: str) -> bool:
    return path == root or path.startswith(root + "/")


def _operation_outcome(problem: Problem) -> dict[str, Any]:
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _ISSUES.get(problem.status, "processing"),
        "details": {"text": problem.code},
        "diagnostics": problem.detail,
    }
    if problem.field:
        issue["expression"] = [f"http.{problem.field}"]  # of a parameter (R4, OperationOutcome)
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _etsi_problem(problem: Problem) -> dict[str, Any]:
    """ETSI knows no type for what has gone: it is not found."""
    kind = _ETSI_BY_CODE.get(problem.code) or _ETSI_BY_STATUS.get(problem.status)
    if kind is None and problem.status >= 500:
        kind = "InternalError"
    return {
        "type": _ETSI + kind if kind else "about:blank",  # 405, 406: HTTP says it all
        "title": problem.title,
        "status": 404 if problem.status == 410 else problem.status,
        "detail": problem.detail,
    }
