"""A backup that was opened and read to its end, before anything is done with it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyrage import x25519

from vacancies.backups.archive import read_members
from vacancies.backups.manifest import CONTENTS, FORMAT, MANIFEST, Contents, Manifest, decode
from vacancies.backups.tally import Tally
from vacancies.database import migration_hash, migrations
from vacancies.errors import BackupError

_ROWS = re.compile(r"rows/(\w+)/[0-9]{6,}\.tsv")


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    path: Path
    identities: Sequence[x25519.Identity]
    manifest: Manifest
    contents: Contents

    def rows(self, progress: Callable[[int], None]) -> Generator[tuple[str, bytes]]:
        """Table and whole rows, about 1 MB at a time, the rows of each table together; blocks."""
        for name, content in read_members(self.path, self.identities, progress):
            if found := _ROWS.fullmatch(name):
                yield found[1], content


def open_backup(
    path: Path, identities: Sequence[x25519.Identity], progress: Callable[[int], None]
) -> OpenedBackup:
    """Read a backup from its beginning to its end, and check that all of it is there and that this
    version can restore it; blocks. `progress` gets numbers of bytes of the file.

    Raises `BackupError`.
    """
    members = read_members(path, identities, progress)
    name, content = next(members, ("", b""))
    if name != MANIFEST:
        raise BackupError(f"{path} is no backup of Freiplatz.")
    manifest = decode(Manifest, content)
    _check_version(manifest)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for name, content in members:
        if found := _ROWS.fullmatch(name):
            tallies[found[1]].add(content)
    if name != CONTENTS:
        raise BackupError(f"{path} is not complete: whoever made it was interrupted.")
    contents = decode(Contents, content)
    for table in manifest.tables:
        tallies.setdefault(table.name, Tally())
    if {name: tally.amount() for name, tally in tallies.items()} != contents.tables:
        raise BackupError(f"{path} contradicts itself: its rows are not those that it counts.")
    return OpenedBackup(path, identities, manifest, contents)


def _check_version(manifest: Manifest) -> None:
    known = {number: migration_hash(sql) for number, _, sql in migrations()}
    if manifest.format != FORMAT or any(
        known.get(ran.number) != ran.hash for ran in manifest.migrations
    ):
        raise BackupError(
            f"The backup was made by version {manifest.version} of Freiplatz, which this one does"
            " not know the tables of. Restore it with that version or a newer one."
        )
