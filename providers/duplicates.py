"""Homes that may be one: the same home twice, in two lists that write it a little differently."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal

import msgspec
from msgspec.structs import asdict, replace

from providers.imports.cells import fold_street, fold_words
from vacancies.database import Connection, Pool
from vacancies.geo import apart_km
from vacancies.homes import home_from_row
from vacancies.models import CareHome, Precision

Reason = Literal["name", "street", "phone", "near"]

NEAR_KM = 0.15
ALIKE = 0.85
# More homes than this share a postcode or a telephone number only by mistake.
MOST_IN_BLOCK = 300
_PHONE_DIGITS = 8
_street = lru_cache(maxsize=20_000)(fold_street)
_EXACT = (Precision.EXACT, Precision.ADDRESS)
# What homes are called besides their names: it tells none from another.
_KINDS = re.compile(
    r"\b(alten|pflege|senioren|wohn)?-?"
    r"(heim|zentrum|stift|residenz|haus|anlage|einrichtung|wohnheim)\b"
    r"|\b(am|an|der|die|das|im|in|und|fuer|ggmbh|gmbh|mbh|e\.?v\.?|kg|ag)\b"
)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two homes, the one with the lesser id first, and why they may be one."""

    one: CareHome
    two: CareHome
    reasons: tuple[Reason, ...]


def find_pairs(
    homes: Sequence[CareHome], different: Collection[tuple[str, str]] = ()
) -> list[Pair]:
    """Of `homes` those that may be one, the likeliest first; not those that are known to be
    `different` (ids, the lesser first). It takes more than one sign: names are alike, and so is
    where the homes are or how they are called up; or the names differ, and all else agrees."""
    kept: list[Pair] = []
    seen = set(different)
    for one, two in _candidates(homes):
        key = (one.id, two.id)
        if key in seen:
            continue
        seen.add(key)
        reasons = _reasons(one, two)
        if len(reasons) > 1 and ("name" in reasons or len(reasons) > 2):
            kept.append(Pair(one=one, two=two, reasons=tuple(reasons)))
    return sorted(kept, key=lambda pair: (-len(pair.reasons), pair.one.profile.name, pair.one.id))


def _candidates(homes: Sequence[CareHome]) -> Iterator[tuple[CareHome, CareHome]]:
    """Pairs that share a postcode, a telephone number or a place, so that not all are compared."""
    blocks: dict[object, list[CareHome]] = defaultdict(list)
    for home in sorted(homes, key=lambda home: home.id):
        profile = home.profile
        blocks[f"postcode {profile.address.postcode}"].append(home)
        if phone := _phone(home):
            blocks[f"phone {phone}"].append(home)
        # Cells of some 200 m: those of a home and the next ones have all that is near.
        row, column = round(profile.point.latitude * 500), round(profile.point.longitude * 300)
        for up, right in ((0, 0), (0, 1), (1, -1), (1, 0), (1, 1)):
            blocks[(row + up, column + right)].append(home)
    for block in blocks.values():
        if len(block) <= MOST_IN_BLOCK:
            yield from combinations(block, 2)


def _reasons(one: CareHome, two: CareHome) -> list[Reason]:
    """Names are looked at last: that takes longest, and alone they say nothing."""
    a, b = one.profile, two.profile
    reasons: list[Reason] = []
    street, is_one_town = _street(a.address.street), a.address.postcode == b.address.postcode
    if street and is_one_town and street == _street(b.address.street):
        reasons.append("street")
    if _phone(one) and _phone(one) == _phone(two):
        reasons.append("phone")
    is_exact = a.precision in _EXACT and b.precision in _EXACT
    if is_exact and apart_km(a.point, b.point) <= NEAR_KM:
        reasons.append("near")
    if reasons and _are_alike(a.name, b.name):
        reasons.insert(0, "name")
    return reasons


def _are_alike(one: str, two: str) -> bool:
    """Whether two names differ by slips, or by what kind of home it is called."""
    a, b = _core(one), _core(two)
    return a == b or SequenceMatcher(None, a, b).ratio() >= ALIKE


@lru_cache(maxsize=20_000)
def _core(name: str) -> str:
    plain = name.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    plain = plain.replace("st.", "sankt ").replace("ß", "ss")
    return fold_words(_KINDS.sub(" ", plain)) or fold_words(name)


def _phone(home: CareHome) -> str:
    """Its last digits: area codes are written in many ways. Empty if there are too few."""
    digits = re.sub(r"\D", "", home.profile.contact.phone or "").lstrip("0")
    return digits[-_PHONE_DIGITS:] if len(digits) >= _PHONE_DIGITS else ""


def filled_gaps(keep: CareHome, drop: CareHome) -> dict[str, Any]:
    """Members of the profile of `keep` with what only `drop` knows of address and contact."""
    address, contact = keep.profile.address, keep.profile.contact
    changes = {
        "address": replace(
            address,
            **{
                name: value
                for name, value in asdict(drop.profile.address).items()
                if not getattr(address, name)
            },
        ),
        "contact": replace(
            contact,
            **{
                name: value
                for name, value in asdict(drop.profile.contact).items()
                if not getattr(contact, name)
            },
        ),
    }
    return {name: value for name, value in changes.items() if value != getattr(keep.profile, name)}


async def select_open_homes(connection: Connection) -> list[CareHome]:
    """All that the desk sees (within `at_desk`)."""
    rows = await connection.fetch(
        "SELECT h.*, s.*, p.slug AS provider FROM care_home h"
        " JOIN home_state s ON s.home_id = h.id JOIN provider p ON p.id = h.provider_id"
        " WHERE h.status = 'open'"
    )
    return list(map(home_from_row, rows))


async def select_different(connection: Connection) -> set[tuple[str, str]]:
    """Pairs of ids that somebody at a desk has found to be two homes."""
    rows = await connection.fetch("SELECT one_id, two_id FROM not_the_same")
    return {(row["one_id"], row["two_id"]) for row in rows}


async def insert_different(connection: Connection, one_id: str, two_id: str) -> None:
    """Remember that these are two homes (within `at_desk`, which must see both)."""
    await connection.execute(
        "INSERT INTO not_the_same (one_id, two_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        *sorted((one_id, two_id)),
    )


async def move_members(connection: Connection | Pool, drop_id: str, keep_id: str) -> int:
    """Let the people of one home report for the other one, if both are of the same provider;
    returns how many there are. Who may do so already has nothing new."""
    moved = await connection.fetch(
        "UPDATE membership m SET home_id = keep.id FROM care_home keep, care_home dropped"
        " WHERE keep.id = $2 AND dropped.id = $1 AND m.home_id = dropped.id"
        " AND keep.provider_id = dropped.provider_id AND NOT EXISTS"
        " (SELECT FROM membership o WHERE o.staff_id = m.staff_id AND o.home_id = keep.id)"
        " RETURNING m.id",
        drop_id,
        keep_id,
    )
    return len(moved)
