"""Which backups there are, which are kept, and what an interrupted one leaves behind."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vacancies.backups.folder import new_backup, remove_old, stored_backups
from vacancies.backups.keys import is_recipient, make_key_file, read_key_file
from vacancies.errors import BackupError

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def write(folder: Path, *moments: datetime) -> None:
    for moment in moments:
        with new_backup(folder, moment) as (_, file):
            file.write(b"x")


def kept(folder: Path) -> list[datetime]:
    return [backup.taken_at for backup in stored_backups(folder)]


def test_newest_first_and_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "backups"
    write(folder, NOON, NOON + timedelta(hours=1))
    (folder / "freiplatz-notes.tar.gz.age").touch()
    (folder / "other.txt").touch()
    assert kept(folder) == [NOON + timedelta(hours=1), NOON]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {b.path.stat().st_mode & 0o777 for b in stored_backups(folder)} == {0o600}


def test_newest_ones_and_one_of_each_day_are_kept(tmp_path: Path) -> None:
    hours = [NOON - timedelta(hours=n) for n in range(0, 24 * 5, 6)]
    write(tmp_path, *hours)
    remaining, removed = remove_old(tmp_path, NOON, newest=2, days=3)
    last_of_days = [NOON, *(NOON - timedelta(days=n, hours=-6) for n in (1, 2))]
    assert kept(tmp_path) == sorted({*hours[:2], *last_of_days}, reverse=True)
    assert [backup.taken_at for backup in remaining] == kept(tmp_path)
    assert len(removed) == len(hours) - len(kept(tmp_path))


def test_files_of_others_are_never_deleted(tmp_path: Path) -> None:
    write(tmp_path, NOON)
    other = tmp_path / "freiplatz-20261127T120000Z.tar.gz.age.copy"
    other.touch()
    remove_old(tmp_path, NOON + timedelta(days=9), newest=0, days=1)
    assert kept(tmp_path) == []
    assert other.exists()


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    def fail() -> None:
        with new_backup(tmp_path, NOON):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_goes_and_what_another_writes_stays(tmp_path: Path) -> None:
    abandoned = tmp_path / ".freiplatz-20261127T110000Z-1.part"
    abandoned.touch()
    program = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from vacancies.backups.folder import new_backup\n"
        "with new_backup(Path(sys.argv[1]), datetime(2026, 1, 1, tzinfo=UTC)) as (_, file):\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        write(tmp_path, NOON)
        assert not abandoned.exists()
        assert len(list(tmp_path.glob(".*.part"))) == 1
        other.kill()
    write(tmp_path, NOON + timedelta(hours=1))
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupError, match="cannot be written to"):
        write(tmp_path / "file", NOON)


def test_a_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "key"
    recipient = make_key_file(path)
    assert is_recipient(recipient)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [str(key.to_public()) for key in read_key_file(path)] == [recipient]
    with pytest.raises(BackupError, match="File exists"):
        make_key_file(path)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"AGE-SECRET-KEY-1XYZ\n", b"\xff\xfe"])
def test_other_files_are_no_keys_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(BackupError, match="no key file") as refused:
        read_key_file(path)
    assert "XYZ" not in refused.value.detail
    with pytest.raises(BackupError, match="cannot be read"):
        read_key_file(tmp_path / "missing")


def test_a_misspelt_public_key_is_none() -> None:
    assert not is_recipient("age1qqqq")
    assert not is_recipient("")
