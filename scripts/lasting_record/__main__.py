"""Prints how the number "still free" holds on made-up histories: `scripts/lasting`.

--write puts the tables into docs/lasting.md; --cost measures reading the history of 3,000 homes.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from scripts.lasting_record.histories import REGIONS, Region, made_homes
from scripts.lasting_record.looks import Look, looks, reliability, row
from scripts.lasting_record.stored import counted, store
from vacancies.database import Connection, borrowed, migrate, open_pool
from vacancies.lasting import Curves, fit
from vacancies.servers import local_servers

DOCUMENT = Path(__file__).parents[2] / "docs" / "lasting.md"
BEGIN_MARK, END_MARK = "<!-- tables -->\n", "<!-- end of tables -->\n"
FEWEST_LOOKS = 100  # fewer are no row
COST_HOMES = 3_000


async def _look_at(connection: Connection, region: Region, seed: int) -> tuple[str, list[Look]]:
    """The line of the region, and all looks."""
    homes = made_homes(region, seed)
    await store(connection, homes)
    steps = fit(await counted(connection))
    seen = list(looks(homes, Curves(steps), seed + 1))
    told = sum(look.chance is not None for look in seen)
    refused = Counter(step.refusal for step in steps if step.refusal)
    why = refused.most_common(1)[0][0] if told == 0 else ""
    share = f"{told / len(seen):.0%}" if told else f"none ({why})"
    return f"| {region.name} | {region.says} | {len(homes)} | {share} |", seen


async def tables(connection: Connection, seed: int) -> list[str]:
    """Markdown: the regions, then what was told in each against what was true."""
    regions, rows = [], []
    everything: list[Look] = []
    for region in REGIONS:
        line, seen = await _look_at(connection, region, seed)
        regions.append(line)
        rows += [row(region.name, each) for each in reliability(seen) if each.looks >= FEWEST_LOOKS]
        everything += seen
    rows += [row("**all together**", each) for each in reliability(everything)]
    return [
        "| history | how it is made | homes | looks with a number |",
        "|---|---|---:|---:|",
        *regions,
        "",
        "| history | told | true (95 %) | looks |",
        "|---|---|---|---:|",
        *rows,
    ]


async def cost(connection: Connection, seed: int) -> list[str]:
    """Seconds for counting and fitting the largest history, median of three."""
    region = next(region for region in REGIONS if region.name == "steady")
    reports = await store(connection, made_homes(region, seed, homes=COST_HOMES))
    seconds, fitting = [], []
    for _ in range(3):
        start = time.perf_counter()
        cells = await counted(connection)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        fit(cells)
        fitting.append(time.perf_counter() - start)
    line = (
        f"{COST_HOMES:,} homes, {reports:,} reports: counted by Postgres in"
        f" {sorted(seconds)[1]:.1f} s, fitted in {sorted(fitting)[1] * 1000:.0f} ms."
    )
    return [line]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cost", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, local_servers(Path(folder), print) as servers:
        pool = await open_pool(servers.database_url)
        await migrate(pool)
        async with borrowed(pool) as connection:
            work = cost if options.cost else tables
            lines = await work(connection, options.seed)
        await pool.close()
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write and not options.cost:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN_MARK)
        _, _, after = rest.partition(END_MARK)
        DOCUMENT.write_text(before + BEGIN_MARK + text + END_MARK + after, "utf-8")


asyncio.run(main())
