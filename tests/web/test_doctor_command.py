"""`freiplatz doctor`: it finds what is wrong, says what to do, and nothing else."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import asyncpg
import pytest
from aiosmtpd.smtp import SMTP
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import Service
from vacancies.config import Settings
from vacancies.database import Pool
from web.__main__ import main
from web.doctor import machine
from web.doctor.examination import examine
from web.doctor.finding import Finding
from web.doctor.surroundings import look_at_certificate

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def environ(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("FREIPLATZ_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("FREIPLATZ_REDIS_URL", settings.redis_url or "")
    monkeypatch.setenv("FREIPLATZ_DATA_DIR", str(settings.data_dir))
    return monkeypatch


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["doctor", *arguments])


async def found(settings: Settings, url: str = NOWHERE) -> dict[str, Finding]:
    findings = [finding async for finding in examine(settings, url)]
    for finding in findings:
        assert bool(finding.remedy) == (finding.verdict != "good"), finding
    return {finding.check: finding for finding in findings}


async def test_all_is_well(environ: pytest.MonkeyPatch, service: Service) -> None:
    done = await run("--json", "--url", service.url)
    said = json.loads(done.stdout)
    assert (done.exit_code, said["good"]) == (0, True), done.output
    verdicts = {finding["check"]: finding["verdict"] for finding in said["findings"]}
    for check in (
        *("settings", "disk", "database", "migrations", "roles", "durability", "connections"),
        *("time zone", "clock", "redis", "service", "follower", "sweeper"),
    ):
        assert verdicts[check] == "good", said
    # On the tests' own machine: no address, no key, nobody who runs it, no backup, no mail server.
    for check in ("public address", "secret key", "contact", "legal pages", "backups", "mail"):
        assert verdicts[check] == "warning"
    in_words = await run("--url", service.url + "/")
    assert in_words.exit_code == 0
    assert "ok   database: PostgreSQL 18" in in_words.stdout
    assert "→ Set FREIPLATZ_CONTACT_EMAIL" in in_words.stdout
    assert "0 bad, 6 to see after." in in_words.stdout


@pytest.mark.parametrize(("hours", "verdict"), [(25, "good"), (27, "warning")])
def test_backups_are_seen_after(settings: Settings, hours: int, verdict: str) -> None:
    assert machine.look_at_backups(settings).verdict == "warning"
    folder = settings.backup_folder
    folder.mkdir(parents=True)
    taken_at = datetime.now(UTC) - timedelta(hours=hours)
    (folder / f"freiplatz-{taken_at:%Y%m%dT%H%M%SZ}.tar.gz.age").touch()
    found = machine.look_at_backups(settings)
    assert found.verdict == verdict
    assert f"{hours} hours old" in found.says


async def test_settings_that_are_wrong(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("FREIPLATZ_PORT", "x")
    for arguments in ([], ["--json"]):
        done = await run(*arguments)
        assert done.exit_code == 1
        assert "FREIPLATZ_PORT must be a number" in done.stdout
        assert ".env.example" in done.stdout


async def test_a_database_that_is_away(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("FREIPLATZ_DATABASE_URL", "postgresql://127.0.0.1:9/x")
    done = await run("--url", NOWHERE)
    assert done.exit_code == 1
    assert "BAD  database: The database does not answer" in done.stdout
    assert "ok   redis: " in done.stdout, "it looks at the rest all the same"
    assert "see  service: No Freiplatz answers" in done.stdout


async def test_a_database_that_is_not_ready(settings: Settings, pool: Pool) -> None:
    await pool.execute("DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)")
    name = await pool.fetchval("SELECT current_database()")
    await pool.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    said = await found(settings)
    assert said["migrations"].verdict == "bad"
    assert said["migrations"].remedy == "Run: freiplatz migrate"
    assert said["durability"].verdict == "bad"
    assert "synchronous_commit is off" in said["durability"].says
    assert said["service"].verdict == "warning"
    said = await found(replace(settings, workers=64))
    assert said["connections"].verdict == "bad"


async def test_another_user_than_the_one_who_migrated(settings: Settings, pool: Pool) -> None:
    await pool.execute("DROP ROLE IF EXISTS doctors_visitor; CREATE ROLE doctors_visitor LOGIN")
    try:
        owner = await pool.fetchval("SELECT current_user")
        url = (settings.database_url or "").replace(f"//{owner}@", "//doctors_visitor@")
        assert url != settings.database_url
        await pool.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO doctors_visitor")
        said = await found(replace(settings, database_url=url))
        assert said["roles"].verdict == "bad"
        assert "freiplatz_writer, freiplatz_follower, freiplatz_desk" in said["roles"].says
        assert said["owner"].verdict == "bad"
        assert f"REASSIGN OWNED BY {owner} TO doctors_visitor;" in said["owner"].remedy
    finally:
        await pool.execute("DROP OWNED BY doctors_visitor; DROP ROLE doctors_visitor")


async def test_without_redis_there_is_a_warning(settings: Settings, pool: Pool) -> None:
    said = await found(replace(settings, redis_url="redis://127.0.0.1:9"))
    assert said["redis"].verdict == "warning"
    assert "a second later" in said["redis"].says


async def test_too_little_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ENOUGH_BYTES", 2**62)
    (disk,) = machine.look_at_disk(settings)
    assert disk.verdict == "bad"


async def test_an_address_without_tls(settings: Settings) -> None:
    open_to_all = replace(settings, public_url="http://freiplatz.example")
    verdicts = {each.check: each.verdict for each in machine.look_at_settings(open_to_all)}
    assert verdicts["public address"] == "bad"


async def test_a_board_that_is_out_of_date(settings: Settings, service: Service) -> None:
    service.state.deployment.following.terminate()
    service.state.follower.caught_up_at = time.monotonic() - 60
    said = await found(settings, service.url)
    assert said["service"].verdict == said["follower"].verdict == "bad"
    assert said["sweeper"].verdict == "good"


async def test_entries_that_do_not_age(settings: Settings, service: Service, pool: Pool) -> None:
    await service.put_home("a")
    await service.report("a", {"count": 1})
    # Whoever holds the lock has died on the way, for all that anybody else can see.
    holder = await asyncpg.connect(settings.database_url)
    try:
        await holder.execute("SELECT pg_advisory_lock(x'73776565'::int)")
        late = "clock_timestamp() - interval '5 minutes'"
        await pool.execute(f"UPDATE home_state SET next_transition_at = {late}")
        said = await found(settings, service.url)
        assert said["sweeper"].verdict == "bad"
    finally:
        await holder.close()


# ---- mail ----


@asynccontextmanager
async def mail_server() -> AsyncIterator[int]:
    """Its port; it takes everything, and wants no password."""
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(object(), hostname="mail.example"), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_mail_server_is_greeted(settings: Settings, pool: Pool) -> None:
    async with mail_server() as port:
        said = await found(replace(settings, smtp_url=f"smtp://127.0.0.1:{port}"))
        assert said["mail"].verdict == "good"
        said = await found(replace(settings, smtp_url=f"smtp://user:wrong@127.0.0.1:{port}"))
        assert said["mail"].verdict == "bad", "it knows no such user"
        assert "wrong" not in said["mail"].says
    said = await found(replace(settings, smtp_url="smtp://127.0.0.1:9"))
    assert said["mail"].verdict == "bad"


# ---- certificates ----


def certificate(folder: Path, days: float) -> tuple[Path, Path]:
    """One for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    no_password = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, private, no_password))
    return files


@asynccontextmanager
async def proxy(folder: Path, days: float) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """Its address, and who trusts it."""
    chain, key = certificate(folder, days)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain, key)
    server = await asyncio.start_server(_close, "127.0.0.1", 0, ssl=serving)
    async with server:
        trusting = ssl.create_default_context(cafile=str(chain))
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", trusting


async def _close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(("days", "verdict"), [(80, "good"), (5.5, "warning"), (-1, "bad")])
async def test_how_long_the_certificate_is_good(tmp_path: Path, days: float, verdict: str) -> None:
    async with proxy(tmp_path, days) as (url, trusting):
        finding = await look_at_certificate(url, trusting)
    assert finding.verdict == verdict, finding
    assert {80: "79 days", 5.5: "5 days", -1: "expired"}[days] in finding.says


async def test_a_certificate_that_browsers_refuse(tmp_path: Path) -> None:
    async with proxy(tmp_path, 80) as (url, _):
        finding = await look_at_certificate(url)
    assert (finding.check, finding.verdict) == ("certificate", "bad")
    assert "self-signed" in finding.says or "self signed" in finding.says
    assert (await look_at_certificate("https://127.0.0.1:9")).verdict == "bad"
