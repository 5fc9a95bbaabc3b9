"""Settings from the environment (prefix `FREIPLATZ_`): the only reader of `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from vacancies.backups.keys import is_recipient
from vacancies.errors import SettingsError
from vacancies.licences import DEFAULT_LICENCE, LICENCES, Licence
from vacancies.operator import Operator, read_operator
from vacancies.proxies import Proxies, read_proxies

PREFIX = "FREIPLATZ_"
MOST_WORKERS = 64
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# A wildcard stands for names below one that can be somebody's: not for all of `*.de`.
_ORIGIN = re.compile(
    rf"(?:https://(?:{_LABEL}\.|\*\.{_LABEL}\.)+{_LABEL}|http://(?:localhost|127\.0\.0\.1))"
    r"(?::[0-9]{1,5})?"
)


# What every such file begins with (PMTiles specification, version 3).
_PMTILES = b"PMTiles\x03"
_CONTRIBUTOR = re.compile(r"https?://dcat-ap\.de/def/contributors/[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basemap:
    """The map under the marks: `address` of raster tiles with {z}, {x} and {y}, or a `file` that
    the app serves. `attribution` says whose it is; empty: what the file says itself."""

    address: str = ""
    file: Path | None = None
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenData:
    """Under which `licence` the data are given away, and whom to name as their source (empty: the
    operator). `contributor` is how GovData names who delivers them (DCAT-AP.de), if it does.
    Each day is kept for `archive_years`; with 0 no more days are."""

    licence: Licence = LICENCES[DEFAULT_LICENCE]
    attribution: str = ""
    contributor: str = ""
    archive_years: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Who can open backups (`recipients`, public keys of age), the file with the secret key for
    it, and the folder where they lie (None: `backups` in the data folder)."""

    recipients: tuple[str, ...] = ()
    key_file: Path | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the service takes on; docs/overload.md has the reasons. Requests of one address
    and calls with one key in ten seconds, over all processes; live streams at a time of a process,
    and of them those of one address."""

    requests_per_address: int = 3_000
    calls_per_key: int = 20_000
    viewers: int = 20_000
    viewers_per_address: int = 2_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. `database_url` and `redis_url` are None while the data
    folder's own servers are to be used (both or neither). `secret_key` is empty while the one
    in the database is to be used. What readers say is wrong is mailed to `contact_email`."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    data_dir: Path = Path(".freiplatz")
    database_url: str | None = None
    redis_url: str | None = None
    public_url: str | None = None
    secret_key: str = ""
    smtp_url: str | None = None
    contact_email: str | None = None
    geocoder: str = "offline"
    basemap: Basemap | None = None
    outbound_ports: tuple[int, ...] = (443, 8443)
    outbound_loopback: bool = False
    operator: Operator = field(default_factory=Operator)
    embed_origins: tuple[str, ...] = ()
    open_data: OpenData = field(default_factory=OpenData)
    backups: BackupSettings = field(default_factory=BackupSettings)
    traces_url: str | None = None
    proxies: Proxies = field(default_factory=Proxies)
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def backup_folder(self) -> Path:
        """Where backups lie."""
        return self.backups.folder or self.data_dir / "backups"


NAMES = tuple(
    PREFIX + name
    for name in (
        "HOST",
        "PORT",
        "WORKERS",
        "DATA_DIR",
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "SECRET_KEY",
        "SMTP_URL",
        "CONTACT_EMAIL",
        "GEOCODER",
        "BASEMAP",
        "OUTBOUND_PORTS",
        "OUTBOUND_LOOPBACK",
        "OPERATOR_FILE",
        "EMBED_ORIGINS",
        "OPEN_DATA_LICENCE",
        "OPEN_DATA_ATTRIBUTION",
        "OPEN_DATA_CONTRIBUTOR",
        "OPEN_DATA_ARCHIVE_YEARS",
        "BACKUP_RECIPIENTS",
        "BACKUP_KEY_FILE",
        "BACKUP_DIR",
        "TRACES_URL",
        "PROXIES",
        "REQUESTS_PER_ADDRESS",
        "CALLS_PER_KEY",
        "VIEWERS",
        "VIEWERS_PER_ADDRESS",
    )
)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings.

    Raises `SettingsError` with one sentence that lists every setting that is wrong.
    An empty value counts as not set. Unknown `FREIPLATZ_…` names are errors too: a
    misspelt setting that is ignored is worse than one that stops the start.
    """
    source = os.environ if environ is None else environ
    found = {k: v.strip() for k, v in source.items() if k.startswith(PREFIX) and v.strip()}
    wrong = [f"{name} is not a setting" for name in sorted(set(found) - set(NAMES))]

    def value(name: str) -> str | None:
        return found.get(PREFIX + name)

    def number(name: str, default: int, lowest: int, highest: int) -> int:
        text = value(name) or str(default)
        if text.isascii() and text.isdigit() and lowest <= int(text) <= highest:
            return int(text)
        wrong.append(f"FREIPLATZ_{name} must be a number from {lowest} to {highest}")
        return default

    port = number("PORT", 8000, 0, 65535)
    workers = number("WORKERS", 1, 1, MOST_WORKERS)
    _check_address(value("DATABASE_URL"), "DATABASE_URL", ("postgresql", "postgres"), wrong)
    _check_address(value("REDIS_URL"), "REDIS_URL", ("redis", "rediss", "unix"), wrong)
    if (value("DATABASE_URL") is None) != (value("REDIS_URL") is None):
        wrong.append("FREIPLATZ_DATABASE_URL and FREIPLATZ_REDIS_URL must be set together")
    _check_address(value("PUBLIC_URL"), "PUBLIC_URL", ("http", "https"), wrong)
    _check_address(value("SMTP_URL"), "SMTP_URL", ("smtp", "smtps"), wrong)
    contact = value("CONTACT_EMAIL")
    if contact is not None and not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+", contact):
        wrong.append("FREIPLATZ_CONTACT_EMAIL must be one e-mail address")
    geocoder = value("GEOCODER") or "offline"
    if geocoder != "offline":
        _check_address(geocoder, "GEOCODER", ("http", "https"), wrong, "or the word offline")
    _check_address(value("TRACES_URL"), "TRACES_URL", ("http", "https"), wrong)
    if value("TRACES_URL") and find_spec("opentelemetry") is None:
        wrong.append("FREIPLATZ_TRACES_URL needs more packages: pip install 'freiplatz[traces]'")
    basemap = _basemap(value("BASEMAP"), wrong)
    ports = _ports(value("OUTBOUND_PORTS") or "443,8443", wrong)
    loopback = _loopback(value("OUTBOUND_LOOPBACK") or "false", value("PUBLIC_URL"), wrong)
    operator = _operator(value("OPERATOR_FILE"), wrong)
    embed_origins = _origins(value("EMBED_ORIGINS") or "", wrong)
    open_data = OpenData(
        licence=_licence(value("OPEN_DATA_LICENCE") or DEFAULT_LICENCE, wrong),
        attribution=value("OPEN_DATA_ATTRIBUTION") or "",
        contributor=_contributor(value("OPEN_DATA_CONTRIBUTOR") or "", wrong),
        archive_years=number("OPEN_DATA_ARCHIVE_YEARS", 5, 0, 100),
    )
    key_file, backup_dir = value("BACKUP_KEY_FILE"), value("BACKUP_DIR")
    backups = BackupSettings(
        recipients=_recipients(value("BACKUP_RECIPIENTS") or "", wrong),
        key_file=Path(key_file).absolute() if key_file else None,
        folder=Path(backup_dir).absolute() if backup_dir else None,
    )
    proxies = _proxies(value("PROXIES"), wrong)
    bounds = Bounds(
        requests_per_address=number("REQUESTS_PER_ADDRESS", 3_000, 1, 10_000_000),
        calls_per_key=number("CALLS_PER_KEY", 20_000, 1, 10_000_000),
        viewers=number("VIEWERS", 20_000, 1, 1_000_000),
        viewers_per_address=number("VIEWERS_PER_ADDRESS", 2_000, 1, 1_000_000),
    )
    secret = value("SECRET_KEY")
    if secret is not None and len(secret) < 32:
        wrong.append("FREIPLATZ_SECRET_KEY must have at least 32 characters")
    if wrong:
        raise SettingsError("These settings must be mended: " + "; ".join(wrong) + ".")
    return Settings(
        host=value("HOST") or "127.0.0.1",
        port=port,
        workers=workers,
        data_dir=Path(value("DATA_DIR") or ".freiplatz").absolute(),
        database_url=value("DATABASE_URL"),
        redis_url=value("REDIS_URL"),
        public_url=value("PUBLIC_URL"),
        secret_key=secret or "",
        smtp_url=value("SMTP_URL"),
        contact_email=contact,
        geocoder=geocoder,
        basemap=basemap,
        outbound_ports=ports,
        outbound_loopback=loopback,
        operator=operator,
        embed_origins=embed_origins,
        open_data=open_data,
        backups=backups,
        traces_url=value("TRACES_URL"),
        proxies=proxies,
        bounds=bounds,
    )


def _basemap(text: str | None, wrong: list[str]) -> Basemap | None:
    """The address of tiles, or a file of them; then, after a space, whose they are."""
    if text is None:
        return None
    if found := re.fullmatch(r"(.+\.pmtiles)(?:\s+(.*))?", text):
        path = Path(found[1]).absolute()
        try:
            with path.open("rb") as file:
                is_archive = file.read(8) == _PMTILES
        except OSError:
            is_archive = False
        if not is_archive:
            wrong.append(f"FREIPLATZ_BASEMAP names {path}, which is no file of PMTiles, version 3")
        return Basemap(file=path, attribution=found[2] or "")
    address, _, attribution = text.partition(" ")
    _check_address(address, "BASEMAP", ("http", "https"), wrong, "or be a file map.pmtiles")
    return Basemap(address=address, attribution=attribution.strip())


def _ports(text: str, wrong: list[str]) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if all(re.fullmatch(r"[0-9]{1,5}", part) and 0 < int(part) < 65536 for part in parts):
        return tuple(map(int, parts))
    wrong.append("FREIPLATZ_OUTBOUND_PORTS must be numbers of ports with commas: 443,8443")
    return ()


def _loopback(text: str, public_url: str | None, wrong: list[str]) -> bool:
    if text not in ("true", "false"):
        wrong.append("FREIPLATZ_OUTBOUND_LOOPBACK must be true or false")
    elif text == "true" and public_url is not None:
        # Whoever has a key could reach what listens on this machine.
        wrong.append("FREIPLATZ_OUTBOUND_LOOPBACK is for trying, not with FREIPLATZ_PUBLIC_URL")
    return text == "true"


def _operator(path: str | None, wrong: list[str]) -> Operator:
    if path is None:
        return Operator()
    try:
        return read_operator(Path(path))
    except SettingsError as error:
        wrong.append(f"FREIPLATZ_OPERATOR_FILE: {error.detail.rstrip('.')}")
        return Operator()


def _origins(text: str, wrong: list[str]) -> tuple[str, ...]:
    """Sources as `frame-ancestors` takes them (CSP level 3, section 6.4.2.1), or `*` alone."""
    origins = tuple(dict.fromkeys(re.split(r"[\s,]+", text))) if text else ()
    if origins == ("*",) or all(map(_ORIGIN.fullmatch, origins)):
        return origins
    wrong.append(
        "FREIPLATZ_EMBED_ORIGINS must be * alone, or origins with commas, without a path:"
        " https://www.example.org,https://*.example.org (http:// for this machine only)"
    )
    return ()


def _proxies(text: str | None, wrong: list[str]) -> Proxies:
    if text is None:
        return Proxies()
    try:
        return read_proxies(text)
    except ValueError:
        wrong.append(
            "FREIPLATZ_PROXIES must be networks with commas (192.0.2.0/24,2001:db8::/32), or"
            " private for all private ones, or none"
        )
        return Proxies()


def _licence(text: str, wrong: list[str]) -> Licence:
    if text not in LICENCES:
        wrong.append(f"FREIPLATZ_OPEN_DATA_LICENCE must be one of {', '.join(LICENCES)}")
    return LICENCES.get(text, LICENCES[DEFAULT_LICENCE])


def _recipients(text: str, wrong: list[str]) -> tuple[str, ...]:
    recipients = tuple(dict.fromkeys(re.split(r"[\s,]+", text))) if text else ()
    if not all(map(is_recipient, recipients)):
        wrong.append(
            "FREIPLATZ_BACKUP_RECIPIENTS must be public keys of age (age1…) with commas, as"
            " `freiplatz backup key` prints them"
        )
    return recipients


def _contributor(text: str, wrong: list[str]) -> str:
    if text and not _CONTRIBUTOR.fullmatch(text):
        wrong.append(
            "FREIPLATZ_OPEN_DATA_CONTRIBUTOR must look like http://dcat-ap.de/def/contributors/…"
        )
    return text


def _check_address(
    value: str | None, name: str, schemes: tuple[str, ...], wrong: list[str], also: str = ""
) -> None:
    if value is None:
        return
    try:
        parts = urlsplit(value)
        ok = parts.scheme in schemes and bool(parts.netloc or parts.path)
        _ = parts.port
    except ValueError:
        ok = False
    if not ok:
        forms = " or ".join(f"{scheme}://…" for scheme in schemes)
        wrong.append(f"FREIPLATZ_{name} must look like {forms}{' ' + also if also else ''}")
