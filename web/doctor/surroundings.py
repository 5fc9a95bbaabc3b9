"""Looks at what else the service needs: Redis, the mail server, the certificate of its address."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiosmtplib
import redis.asyncio

from providers.post import SmtpSender
from vacancies.config import Settings
from vacancies.deployment import open_redis
from vacancies.feed import REDIS_TROUBLE
from web.doctor.finding import Finding, bad, good, warning

PATIENCE_SECONDS = 10.0
CERTIFICATE_DAYS = 14


async def look_at_redis(url: str) -> Finding:
    """Without it nothing is lost, and changes reach viewers a second later."""
    client: redis.asyncio.Redis = open_redis(url)
    try:
        began_at = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await client.info("server")
        took_ms = (time.monotonic() - began_at) * 1000
    except REDIS_TROUBLE as error:
        return warning(
            "redis",
            f"Redis does not answer ({type(error).__name__}): changes come a second later.",
            "Start it, and check FREIPLATZ_REDIS_URL.",
        )
    finally:
        await client.aclose()
    name = "Valkey" if "valkey_version" in found else "Redis"
    version = found.get("valkey_version") or found["redis_version"]
    return good("redis", f"{name} {version} answers in {took_ms:.1f} ms.")


async def look_at_mail(settings: Settings) -> Finding:
    """Sign in at the mail server; no mail is sent."""
    if settings.smtp_url is None:
        folder = settings.data_dir / "mail"
        waiting = len(list(folder.glob("[!.]*.eml"))) if folder.exists() else 0
        return warning(
            "mail",
            f"FREIPLATZ_SMTP_URL is not set: mail goes only into {folder} ({waiting} so far).",
            "Set it: smtps://user:password@mail.example.org?from=freiplatz@example.org",
        )
    try:
        await SmtpSender(settings.smtp_url).try_out(PATIENCE_SECONDS)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return bad(
            "mail",
            f"The mail server does not let us in ({type(error).__name__}).",
            "Check host, port, user and password in FREIPLATZ_SMTP_URL (smtps:// for port 465,"
            " smtp:// for 587), and that this machine may reach it.",
        )
    return good("mail", "The mail server lets us in.")


async def look_at_certificate(public_url: str, context: ssl.SSLContext | None = None) -> Finding:
    """That of the public address, as browsers see it."""
    parts = urlsplit(public_url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, writer = await asyncio.open_connection(
                host, port, ssl=context or ssl.create_default_context(), server_hostname=host
            )
        try:
            certificate = writer.get_extra_info("peercert")
        finally:
            writer.close()
    except ssl.SSLCertVerificationError as error:
        return bad(
            "certificate",
            f"Browsers refuse the certificate of {host}: {error.verify_message}.",
            "See the log of the proxy: Caddy renews by itself if ports 80 and 443 are reachable and"
            " the name leads here.",
        )
    except (OSError, TimeoutError) as error:
        return bad(
            "certificate",
            f"{host}:{port} cannot be reached from here ({type(error).__name__}).",
            "See whether the proxy runs, the name leads here, and the firewall lets port 443 in.",
        )
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    days = (ends_at - datetime.now(UTC)).days
    says = f"The certificate of {host} is good for {days} days."
    if days < CERTIFICATE_DAYS:
        return warning("certificate", says, "See the log of the proxy: why is it not renewed?")
    return good("certificate", says)
