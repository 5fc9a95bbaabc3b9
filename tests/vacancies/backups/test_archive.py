"""A backup that is not whole, or not ours, is refused before anything is done with it."""

from __future__ import annotations

import io
import secrets
import tarfile
from pathlib import Path

import pyrage
import pytest
from pyrage import x25519

from vacancies.backups.archive import read_members, write_members
from vacancies.backups.opened import open_backup
from vacancies.errors import BackupError

MEMBERS = [("manifest.json", b"{}"), ("rows/a/000001.tsv", bytes(range(256)) * 2000), ("end", b"")]


@pytest.fixture
def key() -> x25519.Identity:
    return x25519.Identity.generate()


@pytest.fixture
def path(tmp_path: Path, key: x25519.Identity) -> Path:
    path = tmp_path / "backup"
    with path.open("wb") as file, write_members(file, [key.to_public()]) as add:
        for name, content in MEMBERS:
            add(name, content)
    return path


def read(path: Path, *keys: x25519.Identity) -> list[tuple[str, bytes]]:
    return list(read_members(path, keys, lambda done: None))


def test_members_come_back_in_order_and_all_bytes_are_counted(
    path: Path, key: x25519.Identity
) -> None:
    done: list[int] = []
    assert list(read_members(path, [key], done.append)) == MEMBERS
    assert sum(done) == path.stat().st_size


def test_each_of_several_owners_can_open_it(tmp_path: Path) -> None:
    keys = [x25519.Identity.generate() for _ in range(3)]
    path = tmp_path / "backup"
    with path.open("wb") as file, write_members(file, [k.to_public() for k in keys]) as add:
        add("a", b"b")
    assert [read(path, key) for key in keys] == [[("a", b"b")]] * 3


def test_it_opens_with_age_and_tar_alone(path: Path, key: x25519.Identity) -> None:
    plain = pyrage.decrypt(path.read_bytes(), [key])
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:gz") as tar:
        assert tar.getnames() == [name for name, _ in MEMBERS]


def test_nothing_of_it_can_be_read_without_the_key(path: Path) -> None:
    with pytest.raises(BackupError, match="other keys"):
        read(path, x25519.Identity.generate())
    assert b"manifest" not in path.read_bytes()


def test_every_truncation_is_noticed(path: Path, key: x25519.Identity, tmp_path: Path) -> None:
    whole = path.read_bytes()
    cut = tmp_path / "cut"
    for length in {0, 10, 200, len(whole) // 2, *range(len(whole) - 40, len(whole))}:
        cut.write_bytes(whole[:length])
        with pytest.raises(BackupError):
            read(cut, key)


def test_every_altered_byte_is_noticed(path: Path, key: x25519.Identity, tmp_path: Path) -> None:
    whole = bytearray(path.read_bytes())
    altered = tmp_path / "altered"
    for place in [*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1]:
        whole[place] ^= 1
        altered.write_bytes(whole)
        whole[place] ^= 1
        with pytest.raises(BackupError):
            read(altered, key)
    altered.write_bytes(whole + b"\0")
    with pytest.raises(BackupError):
        read(altered, key)


def test_other_files_are_no_backups(key: x25519.Identity, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("home,free\n1,2\n")
    with pytest.raises(BackupError, match="no backup"):
        open_backup(other, [key], lambda done: None)
    other.write_bytes(pyrage.encrypt(b"not even packed", [key.to_public()]))
    with pytest.raises(BackupError, match="no backup"):
        open_backup(other, [key], lambda done: None)
    with other.open("wb") as file, write_members(file, [key.to_public()]) as add:
        add("holiday.jpg", b"")
    with pytest.raises(BackupError, match="no backup of Freiplatz"):
        open_backup(other, [key], lambda done: None)


def test_a_disk_that_is_full_is_said(key: x25519.Identity) -> None:
    def write() -> None:
        with Path("/dev/full").open("wb") as full:
            try:
                with write_members(full, [key.to_public()]) as add:
                    for place in range(100):
                        add(str(place), secrets.token_bytes(100_000))
            finally:
                full.raw.close()  # what is in its buffer cannot be written either

    with pytest.raises(BackupError, match="No space left"):
        write()


def test_a_reader_that_stops_early_leaves_nothing_behind(path: Path, key: x25519.Identity) -> None:
    members = read_members(path, [key], lambda done: None)
    next(members)
    members.close()
