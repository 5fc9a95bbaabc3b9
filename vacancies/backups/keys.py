"""Keys of backups: X25519 keys of age. The public one (`age1…`) is all that making a backup needs,
so whoever breaks into the server cannot read old ones; the secret one opens them."""

from __future__ import annotations

import os
from pathlib import Path

from pyrage import IdentityError, RecipientError, x25519

from vacancies.errors import BackupError


def is_recipient(text: str) -> bool:
    """Whether that is a public key."""
    try:
        x25519.Recipient.from_str(text)
    except RecipientError:
        return False
    return True


def new_key() -> tuple[str, str]:
    """A public key, and what a file with the secret one holds: as `age-keygen` would make them."""
    identity = x25519.Identity.generate()
    recipient = str(identity.to_public())
    return recipient, f"# public key: {recipient}\n{identity}\n"


def make_key_file(path: Path) -> str:
    """Write a new secret key into `path`, for its owner only; the public key.

    Raises `BackupError` rather than overwrite a file: old backups may need what is in it.
    """
    recipient, content = new_key()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise BackupError(f"The key cannot be written to {path}: {error.strerror}.") from error
    return recipient


def read_key_file(path: Path) -> list[x25519.Identity]:
    """The secret keys in a file; empty lines and those that begin with # do not count.

    Raises `BackupError`. What is in the file is in no message.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        found = [
            x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")
        ]
    except OSError as error:
        raise BackupError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except (IdentityError, UnicodeDecodeError):
        found = []
    if not found:
        raise BackupError(
            f"{path} is no key file of age: a line AGE-SECRET-KEY-1… is wanted, as"
            " `freiplatz backup key` writes it."
        )
    return found
