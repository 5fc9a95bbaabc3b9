"""Settings from the environment (prefix `FREIPLATZ_`): the only reader of `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vacancies.errors import SettingsError

PREFIX = "FREIPLATZ_"
MOST_WORKERS = 64
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# A wildcard stands for names below one that can be somebody's: not for all of `*.de`.
_ORIGIN = re.compile(
    rf"(?:https://(?:{_LABEL}\.|\*\.{_LABEL}\.)+{_LABEL}|http://(?:localhost|127\.0\.0\.1))"
    r"(?::[0-9]{1,5})?"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set. `database_url` and `redis_url` are None while the data
    folder's own servers are to be used (both or neither). `secret_key` is empty while the one
    in the database is to be used."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    data_dir: Path = Path(".freiplatz")
    database_url: str | None = None
    redis_url: str | None = None
    public_url: str | None = None
    secret_key: str = ""
    smtp_url: str | None = None
    geocoder: str = "offline"
    basemap: str | None = None
    outbound_ports: tuple[int, ...] = (443, 8443)
    outbound_loopback: bool = False
    embed_origins: tuple[str, ...] = ()


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
        "GEOCODER",
        "BASEMAP",
        "OUTBOUND_PORTS",
        "OUTBOUND_LOOPBACK",
        "EMBED_ORIGINS",
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
    geocoder = value("GEOCODER") or "offline"
    if geocoder != "offline":
        _check_address(geocoder, "GEOCODER", ("http", "https"), wrong, "or the word offline")
    basemap = value("BASEMAP")
    tiles = (basemap or "").partition(" ")[0] or None
    _check_address(tiles, "BASEMAP", ("http", "https"), wrong, "(.pmtiles files are not read yet)")
    ports = _ports(value("OUTBOUND_PORTS") or "443,8443", wrong)
    loopback = _loopback(value("OUTBOUND_LOOPBACK") or "false", value("PUBLIC_URL"), wrong)
    embed_origins = _origins(value("EMBED_ORIGINS") or "", wrong)
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
        geocoder=geocoder,
        basemap=basemap,
        outbound_ports=ports,
        outbound_loopback=loopback,
        embed_origins=embed_origins,
    )


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
