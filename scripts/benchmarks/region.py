"""Homes to measure with, written through the one door as any others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import islice
from pathlib import Path

from vacancies.command import Command
from vacancies.commands import Describe, Report
from vacancies.config import Settings
from vacancies.deployment import Deployment, open_deployment
from vacancies.models import (
    Address,
    CareForm,
    Contact,
    Costs,
    Need,
    Point,
    Precision,
    Profile,
    Sex,
    Vacancy,
)
from vacancies.provider import Provider

CALL = 500  # homes


def opened(data_dir: Path) -> AbstractAsyncContextManager[Deployment]:
    """A deployment on the embedded servers of `data_dir`, as every command opens it."""
    return open_deployment(Settings(data_dir=data_dir, secret_key="x" * 32))


def home_id(number: int) -> str:
    return f"bench-{number:06d}"


def lines(number: int) -> tuple[Vacancy, ...]:
    """Two lines, as a home of some size has them; another `number`, another report."""
    return (
        Vacancy(
            care_form=CareForm.LONG_TERM,
            count=1 + number % 5,
            sex=Sex.FEMALE,
            care_grades=(2, 3, 4),
        ),
        Vacancy(care_form=CareForm.SHORT_TERM, count=1 + number % 3),
    )


def profile(number: int) -> Profile:
    """In a square of 600 km, with all that a home usually tells."""
    return Profile(
        name=f"Haus {number}",
        point=Point(
            48.0 + number * 7919 % 60_000 / 10_000, 7.0 + number * 104_729 % 70_000 / 10_000
        ),
        precision=Precision.ADDRESS,
        address=Address(street=f"Lange Straße {number % 90}", postcode="33330", city="Gütersloh"),
        contact=Contact(
            phone="+49 5241 123456", email="info@example.org", website="https://example.org/haus"
        ),
        municipality="05754008",
        capacity={CareForm.LONG_TERM: 60 + number % 60, CareForm.SHORT_TERM: 8},
        costs=Costs(care_eur=900, training_eur=100, board_eur=800, investment_eur=600),
        needs=(Need.MRSA, Need.COUPLES),
    )


async def fill(deployment: Deployment, provider: Provider, homes: int) -> None:
    """Create `homes` homes, each with a report."""
    for start in range(0, homes, CALL):
        numbers = range(start, min(start + CALL, homes))
        await _submit(
            deployment,
            (
                Describe(
                    home_id=home_id(number),
                    provider_id=provider.id,
                    provider=provider.slug,
                    profile=profile(number),
                    identity=f"bench {number}",
                )
                for number in numbers
            ),
        )
        await report(deployment, numbers)


async def report(deployment: Deployment, numbers: Sequence[int]) -> None:
    """A new report of each of these homes."""
    commands = iter(
        [Report(home_id=home_id(number), vacancies=lines(number)) for number in numbers]
    )
    while call := list(islice(commands, CALL)):
        await _submit(deployment, call)


async def _submit(deployment: Deployment, commands: Iterable[Command]) -> None:
    settled = await deployment.writer.submit(list(commands))
    assert all(outcome.changed for outcome in settled.outcomes)
