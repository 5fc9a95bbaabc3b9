"""Strict decoding of what providers send: every fault names its field and what to do."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

import msgspec

from vacancies.errors import InvalidInput, InvalidJson
from vacancies.models import CareForm, Focus, HomeStatus, Need, Room, Sex, StopReason, WaitingList

Body = TypeVar("Body")

# Where msgspec says the fault is: "… - at `$.a[0].b`", "… - at `key` in `$.a`".
_AT = re.compile(r" - at `(?:key` in `)?\$\.?(.*)`$")
_MEMBER = re.compile(r"Object (missing required|contains unknown) field `(.*)`")

_CODES: dict[str, type[StrEnum]] = {
    "care_form": CareForm,
    "capacity": CareForm,
    "focuses": Focus,
    "needs": Need,
    "sex": Sex,
    "room": Room,
    "reason": StopReason,
    "status": HomeStatus,
    "waiting_list": WaitingList,
}
_FORMS = {
    "email": "It must look like name@example.org",
    "website": "It must begin with http:// or https:// and hold no spaces",
    "country": "It must be two capital letters, such as DE",
    "municipality": "It must be the 8 digits of a municipality key (AGS)",
    "home_id": "It must be 1 to 64 letters, digits and the signs . _ ~ -",
    "name": "It must be one line that is not blank, without control characters",
    "note": "It must hold no control characters but line breaks",
}


def decode(body: bytes | msgspec.Raw, into: type[Body]) -> Body:
    """Decode strictly; raises `InvalidJson` or `InvalidInput` with the field."""
    try:
        return msgspec.json.decode(body, type=into, strict=True)
    except msgspec.ValidationError as error:
        raise _fault(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.", field="body") from error


def _fault(said: str) -> InvalidInput:
    at = _AT.search(said)
    field = at.group(1) if at else ""
    said = _AT.sub("", said)
    if member := _MEMBER.search(said):
        what, name = member.groups()
        field = f"{field}.{name}".lstrip(".")
        missing = what.startswith("missing")
        said = f"{name} is missing" if missing else f"There is no member {name} here; leave it out"
    last = re.sub(r"\[.*?\]", "", field).rsplit(".", 1)[-1]
    if said.startswith("Invalid enum value") and last in _CODES:
        said += f". Possible are: {', '.join(_CODES[last])}"
    elif "matching regex" in said:
        said = _FORMS.get(last, "It must be one line without control characters")
    return InvalidInput(f"{said}. Correct it and send the call again.", field=field or "body")
