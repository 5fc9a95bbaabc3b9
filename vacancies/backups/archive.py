"""The file of a backup: a gzipped tar in an envelope of age, written and read as a stream.

pyrage pulls from one file and pushes to another: it works in a thread at the far end of a pipe.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from gzip import GzipFile
from io import BufferedIOBase, BytesIO
from pathlib import Path

import pyrage
from pyrage import x25519

from vacancies.errors import BackupError

# Above it files grow smaller by little, and take much longer.
_COMPRESSION = 6
_CHUNK_BYTES = 1 << 20

Add = Callable[[str, bytes], None]


@contextmanager
def write_members(file: BufferedIOBase, recipients: Sequence[x25519.Recipient]) -> Iterator[Add]:
    """Call what this gives with the name and the content of each member; blocks.

    If the body raises, what is in `file` may look complete, and must not be kept. Raises
    `BackupError` if it cannot be written.
    """
    reader, writer = os.pipe()

    def seal() -> None:
        with os.fdopen(reader, "rb") as plain:
            pyrage.encrypt_io(plain, file, recipients)

    with ThreadPoolExecutor(1) as threads:
        sealing = threads.submit(seal)
        try:
            with (
                os.fdopen(writer, "wb") as pipe,
                GzipFile(fileobj=pipe, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|") as tar,
            ):
                yield lambda name, content: _add(tar, name, content)
        except BrokenPipeError as error:  # the thread has given up, and says why
            raise BackupError(f"The backup cannot be written: {sealing.exception()}.") from error
        if problem := sealing.exception():
            raise BackupError(f"The backup cannot be written: {problem}.") from problem


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    tar.addfile(member, BytesIO(content))


def read_members(
    path: Path, identities: Sequence[x25519.Identity], progress: Callable[[int], None]
) -> Generator[tuple[str, bytes]]:
    """The members of a backup, name and content; blocks. `progress` gets numbers of bytes of the
    file, as they are done with.

    Raises `BackupError` if the file is no backup, was made for other keys, was altered or is
    truncated; the last two perhaps only at the end, so do nothing final before that.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    reader, writer = os.pipe()

    def open_envelope() -> None:
        with os.fdopen(writer, "wb") as plain:
            pyrage.decrypt_io(file, plain, identities)

    broken: Exception | None = None
    done = 0
    with file, ThreadPoolExecutor(1) as threads:
        opening = threads.submit(open_envelope)
        with os.fdopen(reader, "rb") as plain:
            members = _unpack(plain)
            while True:
                try:
                    found = next(members, None)
                except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
                    broken = error
                    break
                if found is None:
                    break
                yield found
                read = os.lseek(file.fileno(), 0, os.SEEK_CUR)
                progress(read - done)
                done = read
        _judge(path, opening.exception(), broken)
    progress(path.stat().st_size - done)


def _unpack(plain: BufferedIOBase) -> Iterator[tuple[str, bytes]]:
    with GzipFile(fileobj=plain) as packed:
        with tarfile.open(fileobj=packed, mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member)
                yield member.name, content.read() if content else b""
        # To the very end: there stand the checksum of gzip and the last word of age.
        while packed.read(_CHUNK_BYTES):
            pass


def _judge(path: Path, sealed: BaseException | None, broken: Exception | None) -> None:
    """Raise for what went wrong, if something did: with the envelope, or with what is in it."""
    if isinstance(sealed, pyrage.DecryptError) and "No matching keys" in str(sealed):
        raise BackupError(f"{path} was made for other keys than this one.") from sealed
    cause = broken if sealed is None or isinstance(sealed, BrokenPipeError) else sealed
    if cause is not None:
        raise BackupError(
            f"{path} is no backup, or is damaged: it was altered, or its end is missing ({cause})."
        ) from cause
