"""Looks at the settings and at this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from vacancies.backups.folder import stored_backups
from vacancies.config import Settings
from vacancies.operator import NEEDED
from web.doctor.finding import Finding, bad, good, warning

ENOUGH_BYTES = 1024**3
BACKUP_LIVES = timedelta(hours=26)  # one a day, and some time to make it


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """They are valid, or nobody would have them; this is about what is left out."""
    yield good("settings", "All settings are valid.")
    if settings.public_url is None:
        yield warning(
            "public address",
            "FREIPLATZ_PUBLIC_URL is not set: mails name the address at which somebody asked.",
            "Set it to the address under which people reach the service.",
        )
    elif urlsplit(settings.public_url).scheme != "https":
        yield bad(
            "public address",
            "FREIPLATZ_PUBLIC_URL is not https: nobody can sign in, and others can read along.",
            "Put a proxy with TLS in front (compose.yaml has one), and set it to https://….",
        )
    if settings.database_url is not None and not settings.secret_key:
        yield warning(
            "secret key",
            "FREIPLATZ_SECRET_KEY is not set: whoever has a copy of the database can make links.",
            "Set it before anything is served: python3 -c 'import secrets;"
            " print(secrets.token_urlsafe(48))'. Another key voids links, alerts and webhooks.",
        )
    if settings.contact_email is None and not settings.operator.email:
        yield warning(
            "contact",
            "What readers say is wrong is mailed to nobody.",
            "Set FREIPLATZ_CONTACT_EMAIL, or look at `freiplatz corrections list` every day.",
        )
    missing = dict.fromkeys(name for page in NEEDED for name in settings.operator.missing(page))
    if missing:
        yield warning(
            "legal pages",
            f"Imprint, privacy or accessibility lack: {', '.join(missing)}.",
            "Enter it in the file that FREIPLATZ_OPERATOR_FILE names: docs/operating.md.",
        )


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """Of the data folder: mail that cannot be sent lies there, and perhaps the database."""
    folder = settings.data_dir
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / 1024**3:.1f} GB are free for {folder}."
    if free < ENOUGH_BYTES:
        yield bad("disk", says, "Make room: on a full disk Postgres stops, and no report is taken.")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield bad(
            "disk",
            f"{there} cannot be written to by this user.",
            f"Give it to that user (chown -R USER {there}), or set FREIPLATZ_DATA_DIR.",
        )
    else:
        yield good("disk", says)


def look_at_backups(settings: Settings) -> Finding:
    """By their names: whether they can be restored is for `freiplatz restore --check` to say."""
    folder = settings.backup_folder
    found = stored_backups(folder)
    if not found:
        return warning(
            "backups",
            f"There is no backup in {folder}.",
            "Make one every day: docs/backup.md. Do others lie elsewhere, or does the database's"
            " host make them? Then watch those.",
        )
    age = datetime.now(UTC) - found[0].taken_at
    says = f"The newest of {len(found)} in {folder} is {age // timedelta(hours=1)} hours old."
    if age > BACKUP_LIVES:
        return warning("backups", says, "See what `freiplatz backup` says, and why nobody runs it.")
    return good("backups", says)
