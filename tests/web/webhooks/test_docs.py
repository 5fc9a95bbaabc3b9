"""What docs/webhooks.md tells receivers to do works on what they get."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import until
from tests.web.webhooks.conftest import Bench, Inbox
from web.webhooks.deliveries import select_deliveries

DOCS = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")


def recipe(language: str, word: str) -> str:
    """The one block of code in `language` with that word in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    (found,) = (block for block in blocks if word in block)
    return str(found)


async def test_the_recipes_verify_what_was_sent(bench: Bench, inbox: Inbox, tmp_path: Path) -> None:
    webhook = await bench.webhook(inbox.url, provider="Träger")
    await bench.home("b", provider="Träger")
    await bench.deliver()
    (message,) = inbox.messages
    names = {"secret": webhook.secret, "body": message.body, "headers": message.headers}
    exec(recipe("python", "event ="), names)
    assert names["event"]["data"]["id"] == "b"  # type: ignore[index]
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine")
    (tmp_path / "body.json").write_bytes(message.body)
    printed = subprocess.run(
        ["sh", "-c", recipe("sh", "openssl")],
        cwd=tmp_path,
        env={
            "PATH": os.defpath,
            "SECRET": webhook.secret,
            "WEBHOOK_ID": message.id,
            "WEBHOOK_TIMESTAMP": message.headers["webhook-timestamp"],
        },
        capture_output=True,
        check=True,
    )
    assert f"v1,{printed.stdout.decode().strip()}" == message.headers["webhook-signature"]


async def test_the_receiver_for_trying_takes_what_is_signed(bench: Bench, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = tmp_path / "receiver.py"
    program.write_text(recipe("python", "HTTPServer").replace("9000", str(port)), "utf-8")
    webhook = await bench.webhook(f"http://127.0.0.1:{port}/", provider="Träger")
    await bench.home("b", provider="Träger")
    receiver = await asyncio.create_subprocess_exec(
        sys.executable,
        program,
        webhook.secret,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert receiver.stdout is not None
        await until(lambda: _answers(port))
        await bench.deliver()
        assert await receiver.stdout.readline() == b"listing.changed b\n"
    finally:
        receiver.kill()
        await receiver.wait()
    (entry,) = await select_deliveries(bench.deployment.pool, webhook.id)
    assert (entry.outcome, entry.status) == ("delivered", 204)


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
