"""Letters with a code: printed once, good for one home, void when they were used, and not to be
guessed."""

from __future__ import annotations

import re
from html import unescape

import pytest
import segno

from providers.letters import (
    LETTER_LIVES,
    MOST_INVITATIONS_OF_LETTER,
    hash_code,
    in_groups,
    make_code,
    normal_code,
)
from tests.web.desk.test_invitations import CLERK, PAGE, homes, settled
from tests.web.desk.verbund import TOWN, Verbund
from tests.web.staff import Answer, Desk, a_desk, link_in, mails
from web.desk.letters import qr_code
from web.letter import LOOKING

LETTERS = f"{PAGE}/letters"


async def print_letters(desk: Desk, *chosen: str, seen: str = "", **more: str) -> Answer:
    opened = await desk.get(PAGE)
    found = re.search(r'name="seen_letters" value="(\d+)"', opened.text)
    assert found is not None
    fields = {"which": "chosen", "seen_letters": seen or found[1], "form_token": opened.token}
    pairs = [*(fields | more).items(), *(("home", each) for each in chosen)]
    return await desk._ask(
        "POST", LETTERS, headers={"Origin": desk.url, "Accept": "text/html"}, data=pairs
    )


def codes(page: Answer) -> list[str]:
    """The paths of the letters on the page."""
    return re.findall(r'aria-label="[^"]*https?://[^/]+(/letter/[^"]+)"', unescape(page.text))


async def invited(verbund: Verbund, carer: Desk, path: str, email: str) -> Answer:
    """Enter the address on the page of a letter, which names no origin."""
    answer = await carer.post(path, origin="null", email=email)
    await settled(verbund.pool)
    return answer


async def test_from_the_letter_to_the_report(verbund: Verbund) -> None:
    await homes(verbund, "a", "b", email="")
    async with verbund.browser(CLERK) as desk, a_desk(verbund.service) as carer:
        printed = await print_letters(desk, which="unreachable", contact="Frau Amt, 05241 82-0")
        assert printed.status == 200
        assert printed.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in printed.headers["Cache-Control"]
        assert "Frau Amt, 05241 82-0" in printed.text
        path, other = codes(printed)
        opened = await carer.get(path)
        assert "Haus a" in opened.text
        assert opened.headers["Referrer-Policy"] == "no-referrer"
        assert opened.headers["Cache-Control"] == "no-store"
        assert opened.cookies == []
        sent = await invited(verbund, carer, path, " Carer@Home.Example ")
        assert sent.status == 303
        assert "carer" not in sent.headers["Location"]
        assert (await carer.get(sent.headers["Location"])).status == 200
        mail = mails(verbund.service)[-1]
        assert mail["To"] == "carer@home.example"
        assert (await carer.get(path)).status == 200, "good until somebody has accepted"
        assert "carer@home.example" in (await desk.get(PAGE)).text
        redeemed = await carer.submit(link_in(mail), link_in(mail).partition("?")[0])
        assert redeemed.headers["Location"].startswith("/report/home/a")
        assert (await carer.get(path)).status == 410, "void once somebody has"
        assert (await invited(verbund, carer, path, "more@home.example")).status == 410
        assert (await carer.get(other)).status == 200, "that of another home is not"
        # The desk sees who came by it, and can remove them.
        page = await desk.get(PAGE)
        found = re.search(rf'action="({PAGE}/\d+/withdraw)', page.text)
        assert found is not None
        await desk.post(found[1], token=page.token)
        assert (await carer.get("/report/home/a")).status != 200


async def test_the_form_makes_its_letters_once(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        first = await print_letters(desk, "a", seen="0")
        again = await print_letters(desk, "a", seen="0")
        assert (first.status, again.status) == (200, 409)
        assert (await desk.get(codes(first)[0])).status == 200, "the reload has not voided it"
        assert (await desk.get(LETTERS)).status == 303


async def test_the_newest_letter_counts(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        (old,) = codes(await print_letters(desk, "a"))
        (new,) = codes(await print_letters(desk, "a"))
        assert [(await desk.get(path)).status for path in (old, new)] == [404, 200]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE home_letter SET expires_at = now()", 410),
        ("DELETE FROM municipality_member", 404),
        ("DELETE FROM staff WHERE email = 'open@town.example'", 404),
        ("UPDATE care_home SET status = 'closed' WHERE id = 'a'", 404),
        ("UPDATE care_home SET municipality = '05754012' WHERE id = 'a'", 404),
    ],
)
async def test_a_letter_ends(verbund: Verbund, change: str, status: int) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        (path,) = codes(await print_letters(desk, "a"))
    async with a_desk(verbund.service) as carer:
        assert (await carer.get(path)).status == 200
        await verbund.pool.execute(change)
        assert (await carer.get(path)).status == status
        assert (await invited(verbund, carer, path, "x@home.example")).status == status
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_invitation") == 0


async def test_a_letter_is_revoked(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        (path,) = codes(await print_letters(desk, "a"))
        assert (await desk.submit(PAGE, f"{LETTERS}/a/revoke")).status == 303
        assert (await desk.get(path)).status == 410
        token = (await desk.get(PAGE)).token
        assert (await desk.post(f"{LETTERS}/other-home/revoke", token=token)).status == 404


async def test_the_life_of_a_letter(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        await print_letters(desk, "a")
    lives = "SELECT expires_at - created_at FROM home_letter"
    assert await verbund.pool.fetchval(lives) == LETTER_LIVES


async def test_what_is_typed_leads_to_the_letter(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk, a_desk(verbund.service) as carer:
        (path,) = codes(await print_letters(desk, "a"))
        typed = path.rpartition("/")[2].lower().replace("-", " ")
        found = await carer.submit("/letter", "/letter", code=typed)
        assert (found.status, found.headers["Location"]) == (303, path)
        assert (await carer.submit("/letter", "/letter", code="ABC")).status == 422
        # Sent by another page.
        token = (await carer.get("/letter")).token
        answer = await carer.post("/letter", token=token, origin="https://evil.test", code=typed)
        assert answer.status == 403


def test_codes_are_forgiving_and_long() -> None:
    assert normal_code(" 7k2m-qx4d 9ltb·hwef ") == "7K2MQX4D91TBHWEF"
    assert normal_code("o" * 16) == "0" * 16
    for wrong in ("", "7K2M", "U" * 16, "7K2MQX4D91TBHWEF0", "é" * 16, "7" * 10_000):
        assert normal_code(wrong) is None, wrong
    made = {make_code() for _ in range(200)}
    assert len(made) == 200
    assert all(normal_code(in_groups(code)) == code for code in made)
    assert len(set("".join(made))) == 32, "five bits each"


async def test_codes_are_not_stored_and_need_the_key(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        (path,) = codes(await print_letters(desk, "a"))
    code = normal_code(path.rpartition("/")[2]) or ""
    row = await verbund.pool.fetchrow("SELECT * FROM home_letter")
    assert row is not None
    assert code not in str(dict(row))
    key = verbund.service.state.settings.secret_key
    assert row["code_hash"] == hash_code(key, code) != hash_code("y" * 32, code)


async def test_guessing_and_sending_have_limits(verbund: Verbund) -> None:
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk, a_desk(verbund.service) as carer:
        (path,) = codes(await print_letters(desk, "a"))
        for number in range(MOST_INVITATIONS_OF_LETTER):
            for _ in range(2):  # pressed twice: sent once
                assert (
                    await carer.post(path, origin="null", email=f"n{number}@x.de")
                ).status == 303
        assert (await carer.post(path, origin="null", email="more@x.de")).status == 429
        assert (await carer.post(path, origin="null", email="no address")).status == 422
        await settled(verbund.pool)
        count = await verbund.pool.fetchval("SELECT count(*) FROM home_invitation")
        assert count == MOST_INVITATIONS_OF_LETTER
        statuses = [(await carer.get("/letter/" + "0" * 16)).status for _ in range(LOOKING.most)]
        assert statuses[0] == 404
        assert statuses[-1] == 429
        assert (await carer.get(path)).status == 429


async def test_the_letters_of_others(verbund: Verbund) -> None:
    """A home of another municipality gets none, also if its id is named."""
    async with verbund.browser(CLERK) as desk:
        await homes(verbund, "a")
        assert (await print_letters(desk, "other-home")).status == 409
    assert await verbund.pool.fetchval("SELECT count(*) FROM home_letter") == 0


async def test_a_name_cannot_break_out(verbund: Verbund) -> None:
    await homes(verbund, "a")
    await verbund.pool.execute("UPDATE care_home SET name = '<b>x</b>' WHERE id = 'a'")
    async with verbund.browser(CLERK) as desk:
        printed = await print_letters(desk, "a", sender="<i>y</i>\n" + "z" * 500)
        assert "<b>x" not in printed.text
        assert "<i>y" not in printed.text
        assert "z" * 130 not in printed.text


async def test_the_picture_is_the_code_of_the_address(verbund: Verbund) -> None:
    """Against the library's own matrix, module by module; `test_letters_browser.py` reads it as
    a telephone does where the browser can."""
    await homes(verbund, "a")
    async with verbund.browser(CLERK) as desk:
        printed = await print_letters(desk, "a")
    address = verbund.service.url + codes(printed)[0]
    assert qr_code(address) in printed.text
    assert segno.make(address, micro=False, error="m").error in ("M", "Q", "H")
    assert "/invitations" in PAGE
    assert TOWN in PAGE
