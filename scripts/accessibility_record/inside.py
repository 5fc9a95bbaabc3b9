"""The pages of those who sign in: sign-in, people, files, webhooks, desks."""

from __future__ import annotations

from playwright.async_api import FilePayload

from scripts.accessibility_record.town import DESK
from scripts.accessibility_record.visit import Visit, at, follow


async def _ask(visit: Visit, email: str) -> None:
    await visit.go("/signin")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await visit.page.locator("form.entry button").click()


async def sign_in_wrong(visit: Visit) -> None:
    await _ask(visit, "rita@")
    await visit.page.locator("#e-email").wait_for()


async def sign_in_sent(visit: Visit) -> None:
    await _ask(visit, "nobody.who.is.known@example.org")
    await visit.page.locator(".more-help summary").click()


async def sign_in_redeem(visit: Visit) -> None:
    before = visit.place.mails()
    await _ask(visit, "rita@example.org")
    link = await visit.place.link_in_new_mail(before)
    await visit.go(link.partition("?")[0])


async def _invite(visit: Visit, email: str) -> None:
    await visit.go("/people")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await visit.page.locator("#f-home").select_option("home:anna")
    await visit.page.locator("form.entry button").click()


async def invitation(visit: Visit) -> None:
    before = visit.place.mails()
    await _invite(visit, f"somebody.with.a.long.address.{visit.language}@example.org")
    link = await visit.place.link_in_new_mail(before)
    await visit.go(link.partition("?")[0])


async def people_wrong(visit: Visit) -> None:
    await _invite(visit, "nobody@")
    await visit.page.locator("#e-wrong").wait_for()


async def out_of_date(visit: Visit) -> None:
    await visit.go("/account")
    await visit.page.evaluate(
        """() => {
          const form = document.querySelector("form.entry");
          form.elements.form_token.value = "0".repeat(64);
          form.submit();
        }"""
    )
    await visit.page.locator("section.message").wait_for()


async def _upload(visit: Visit, content: bytes) -> None:
    await visit.go("/upload")
    file: FilePayload = {"name": "a.csv", "mimeType": "text/csv", "buffer": content}
    await visit.page.locator("#f-file").set_input_files([file])
    await visit.page.locator("form.entry button").click()


async def upload_wrong(visit: Visit) -> None:
    await _upload(visit, b"a;b\n1;2\n")
    await visit.page.locator("#e-file").wait_for()


async def upload_looked_at(visit: Visit) -> None:
    rows = ("home_id;care_form;count;note", "anna;Kurzzeitpflege;5;Balkon", "anna;Dauerpflege;44;")
    await _upload(visit, "\n".join((*rows, "berta;Kurzzeitpflege;x;")).encode())
    await visit.page.locator("form.entry .big").wait_for()


async def uploaded(visit: Visit) -> None:
    await upload_looked_at(visit)
    async with visit.page.expect_navigation():
        await visit.page.locator("form.entry .big").click()


async def webhooks_wrong(visit: Visit) -> None:
    await visit.go("/webhooks")
    await visit.page.locator("#f-address").fill("http://127.0.0.1/")
    await visit.page.locator("form.entry button").click()
    await visit.page.locator("[aria-invalid]").first.wait_for()


async def webhook(visit: Visit) -> None:
    await visit.go("/webhooks")
    await follow(visit, "main a[href*='/webhooks/wh_']")


async def portals_wrong(visit: Visit) -> None:
    await visit.go("/webhooks/portals")
    await visit.page.locator("#f-address").fill("https://other.example.org/")
    await visit.page.locator("#f-key").fill("secret")
    await visit.page.locator("form.entry button").click()
    await visit.page.locator("[aria-invalid]").first.wait_for()


async def portal(visit: Visit) -> None:
    await visit.go("/webhooks/portals")
    await follow(visit, "main a[href*='/webhooks/portals/wh_']")


async def portal_wrong(visit: Visit) -> None:
    await portal(visit)
    await visit.page.locator("#f-ids").fill("anna = berta")
    await visit.page.locator("form[action*='/ids'] button").click()
    await visit.page.locator("[aria-invalid]").first.wait_for()


async def webhook_tested(visit: Visit) -> None:
    await webhook(visit)
    await follow(visit, "form[action*='/test'] button")


async def webhook_secret(visit: Visit) -> None:
    await webhook(visit)
    await follow(visit, "form[action*='/secret'] button")


async def webhook_removal(visit: Visit) -> None:
    await webhook(visit)
    await follow(visit, "a[href*='/remove']")


own_home = at("/report/home/anna")


async def _invite_to_desk(visit: Visit, email: str) -> None:
    await visit.go(f"/desk/{DESK}/people")
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await visit.page.locator("form.entry button").click()


async def desk_invitation(visit: Visit) -> None:
    before = visit.place.mails()
    await _invite_to_desk(visit, f"clerk.with.a.long.address.{visit.language}@example.org")
    link = await visit.place.link_in_new_mail(before)
    await visit.go(link.partition("?")[0])


async def desk_members_wrong(visit: Visit) -> None:
    await _invite_to_desk(visit, "nobody@")
    await visit.page.locator("#e-wrong").wait_for()


async def _send_list(visit: Visit, content: str) -> None:
    await visit.go(f"/desk/{DESK}/list")
    file = FilePayload(name="heime.csv", mimeType="text/csv", buffer=content.encode())
    await visit.page.locator("#f-file").set_input_files(file)
    await visit.page.locator("form.entry button").click()
    await visit.page.locator(".columns-of-list").wait_for()
    address = visit.page.url.removeprefix(visit.place.url).partition("?")[0]
    await visit.go(address)


async def desk_list_looked_at(visit: Visit) -> None:
    await _send_list(visit, "Name;PLZ;Ort\nHaus Ulme;33330;Gütersloh\nHaus Fern;99999;Nirgends\n")


async def desk_list_unknown_columns(visit: Visit) -> None:
    await _send_list(visit, "A;B;C\nUlme;33330;Gütersloh\n")


async def desk_list_taken(visit: Visit) -> None:
    name = f"Haus {visit.language} {visit.page.url[-6:]}"
    await _send_list(visit, f"Name;PLZ;Ort\n{name};33330;Gütersloh\nHaus Fern;99999;Nirgends\n")
    await visit.page.locator(".big").click()
    await visit.page.locator("h1").wait_for()


async def desk_boundary_wrong(visit: Visit) -> None:
    await visit.go(f"/desk/{DESK}/boundary")
    file = FilePayload(name="x.geojson", mimeType="application/json", buffer=b"{}")
    await visit.page.locator("#f-file").set_input_files(file)
    await visit.page.locator("form.entry button").click()
    await visit.page.locator("#e-file").wait_for()


async def desk_settings_wrong(visit: Visit) -> None:
    await visit.go(f"/desk/{DESK}/settings")
    await visit.page.locator("#f-accent").fill("yellow")
    await visit.page.locator("form.entry button").first.click()
    await visit.page.locator("#e-wrong").wait_for()


async def in_a_look(visit: Visit) -> None:
    await visit.go("/guetersloh?include_full=true&place=33330")
    await visit.page.locator(".card").first.wait_for()


DESK_ANNA = f"/desk/{DESK}/homes/anna"
EVACUATE = f"/desk/{DESK}/evacuation"


async def desk_home_wrong(visit: Visit) -> None:
    await visit.go(DESK_ANNA)
    form = visit.page.locator("form[action*='/close']")
    await form.evaluate("it => { it.noValidate = true; it.closest('details').open = true; }")
    await form.locator("button").click()
    await visit.page.locator(".wrong").wait_for()


async def homes_asked(visit: Visit) -> None:
    await visit.go(f"/desk/{DESK}/invitations")
    await visit.page.locator("input[value=frieda]").check()
    await follow(visit, "button[value=chosen]:not([formaction])")


async def letters(visit: Visit) -> None:
    await visit.go(f"/desk/{DESK}/invitations")
    await visit.page.locator("input[value=gerda]").check()
    await follow(visit, "button[value=chosen][formaction]")


async def letter(visit: Visit) -> None:
    await letters(visit)
    address = await visit.page.locator(".way-in .typed").first.inner_text()
    await visit.go("/letter/" + address.rpartition("/")[2])


async def _write_to(visit: Visit, email: str) -> None:
    await letter(visit)
    await visit.page.locator("#f-email").evaluate("it => { it.form.noValidate = true; }")
    await visit.page.locator("#f-email").fill(email)
    await follow(visit, "form.entry button")


async def letter_wrong(visit: Visit) -> None:
    await _write_to(visit, "nobody@")


async def letter_sent(visit: Visit) -> None:
    await _write_to(visit, f"carer.with.a.long.address.{visit.language}@example.org")
    await visit.page.locator(".more-help summary").click()


async def code_wrong(visit: Visit) -> None:
    await visit.go("/letter")
    await visit.page.locator("#f-code").fill("ABC")
    await follow(visit, "form.entry button")


async def exported(visit: Visit) -> None:
    await visit.go(f"/desk/{DESK}/leave")
    async with visit.page.expect_download() as coming:
        await visit.page.locator("form[action*='/export'] button").click()
    await (await coming.value).path()
    await visit.go(f"/desk/{DESK}/leave")
