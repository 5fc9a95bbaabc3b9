"""What docs/webhooks.md tells receivers to do works on what they get."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.webhooks.conftest import Bench, Inbox

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
    exec(recipe("python", "verify"), names)
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
