"""Nothing about anybody's health leaves, or lies about, in clear text."""

from __future__ import annotations

import re

import pytest

from tests.web.alerts.conftest import EMAIL, Bench, Device, parts_of
from web import words
from web.alerts.alerts import AlertUnknown, Contents, open_contents, sealed_contents, select_alert
from web.alerts.sealing import Seal, SealBroken, new_id
from web.language import languages

SEARCH = (
    "near=51.900000,8.380000&radius_km=25&care_form=hospice&care_form=short_term&sex=female"
    "&room=single&care_grade=4&focus=dementia&need=mrsa&need=dialysis&max_cost_eur=2500"
)


def words_of_health() -> set[str]:
    """All codes of a search and what they are called in each language, and what a grade is."""
    tables = (words.CARE_FORMS, words.FOCUSES, words.NEEDS, words.SEXES, words.ROOMS)
    codes = {str(code) for table in tables for code in table}
    names = {
        language.gettext(name)
        for language in languages().values()
        for table in tables
        for name in table.values()
    }
    parts = {"care_grade", "care_form", "Pflegegrad", "care grade", "Hospiz", "Demenz"}
    return codes | names | parts


async def every_message(bench: Bench, device: Device | None) -> None:
    """A confirmation, news and the question whether to go on."""
    await bench.home("hospiz-am-park")
    alert_id = await bench.ask(SEARCH, device=device)
    assert alert_id is not None
    await bench.tell()
    await bench.confirm(alert_id)
    await bench.match()
    # One that meets all of that, as the matcher would note it.
    await bench.deployment.pool.execute(
        "INSERT INTO alert_home VALUES ($1, 'hospiz-am-park', true)", alert_id
    )
    await bench.deployment.pool.execute("UPDATE alert SET due_at = created_at")
    await bench.tell()
    await bench.tell(days=83)


def found_in(text: str) -> list[str]:
    lower = text.lower()
    return [
        word for word in words_of_health() if re.search(rf"\b{re.escape(word.lower())}\b", lower)
    ]


async def test_mails_do_not_say_what_is_searched_for(bench: Bench) -> None:
    await every_message(bench, None)
    mails = bench.mails()
    assert len(mails) == 3
    for mail in mails:
        # In HTML "day" and "night" would be words of ours, if there were any.
        assert found_in(parts_of(mail)) == []
        assert "Gütersloh" in parts_of(mail) or mail is not mails[1]
    assert set(found_in("Pflegegrad 4, Dialysis.")) == {"Pflegegrad", "dialysis"}


async def test_notifications_do_not_either(bench: Bench, device: Device) -> None:
    await every_message(bench, device)
    shown = device.shown()
    assert len(shown) == 3
    for message in shown:
        assert found_in(str(message)) == []


async def test_nor_does_the_database(bench: Bench) -> None:
    await bench.alert(SEARCH)
    rows = await bench.deployment.pool.fetch("SELECT * FROM alert")
    stored = str([dict(row) for row in rows]).lower()
    assert found_in(stored.replace("sealed", "")) == []
    assert EMAIL not in stored
    assert b"hospice" not in rows[0]["sealed"]
    assert EMAIL.encode() not in rows[0]["sealed"]


async def test_nor_does_the_log(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    await every_message(bench, None)
    out = capsys.readouterr().out
    assert "alerts were sent" in out
    for line in out.splitlines():
        assert EMAIL not in line
        assert "dialysis" not in line


async def test_what_is_sealed_opens_with_its_key_and_for_its_alert_only() -> None:
    seal, other = Seal("x" * 32), Seal("y" * 32)
    alert_id, contents = new_id(), Contents(search=SEARCH, email=EMAIL)
    sealed = sealed_contents(seal, alert_id, contents)
    assert open_contents(seal, alert_id, sealed) == contents
    assert sealed != sealed_contents(seal, alert_id, contents), "equal ones look different"
    for opener, name, body in (
        (other, alert_id, sealed),
        (seal, new_id(), sealed),
        (seal, alert_id, sealed[:-1]),
        (seal, alert_id, b""),
    ):
        with pytest.raises(SealBroken):
            open_contents(opener, name, body)


async def test_only_our_tokens_open_an_alert(bench: Bench) -> None:
    alert_id = await bench.alert()
    token = bench.seal.token(alert_id)
    assert bench.seal.read_token(token) == alert_id
    wrong = [
        "",
        "1",
        "ä",
        token[:-1],
        token + "A",
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        Seal("y" * 32).token(alert_id),
        bench.seal.token(new_id()),
        alert_id,
        token.lower(),
    ]
    for text in wrong:
        with pytest.raises(AlertUnknown):
            await select_alert(bench.deployment.pool, bench.seal, text, bench.now)
