"""Reminding the people of a home by hand: the mail that otherwise goes out by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from quart import Blueprint, Response, current_app

from providers.desk_homes import DeskHome
from providers.desks import insert_act
from providers.limits import Limit
from providers.post import sender_address
from providers.reminder_plan import Reminder
from providers.reminder_post import Delivery, ReminderPost, choose_recipients
from providers.staff import Membership, select_members_of
from vacancies.models import HomeStatus, Standing
from web.desk.acts import own_home
from web.desk.home import home_response, to_home
from web.pages import current_language
from web.reminder_mail import MailWriter
from web.staff import redirect_to
from web.state import state

reminding = Blueprint("desk_reminding", __name__)

# However many sit at the desk: who was asked just now is not asked again.
REMINDING = Limit("desk_reminder", most=1, seconds=3600)


@reminding.post("/desk/<key>/homes/<home_id>/remind")
async def remind(key: str, home_id: str) -> Response:
    """Send the home's people a mail with one-tap links, now; at most once an hour."""
    at, found, _form = await own_home(key, home_id)
    async with at.reading() as connection:
        members = (await select_members_of(connection, [home_id]))[home_id]
    _ = current_language().gettext
    is_asked = found.home.standing is not Standing.DECLINED
    if found.home.profile.status is not HomeStatus.OPEN or not is_asked:
        wrong = _("This home is not reminded. Please call.")
        return await home_response(at, found, 409, wrong=wrong)
    if not choose_recipients("staff", members):
        wrong = _("There is nobody who could be reminded. Please call.")
        return await home_response(at, found, 409, wrong=wrong)
    if not await state().limiter.allows(REMINDING, home_id):
        wrong = _("This home was reminded within the last hour. Please call.")
        return await home_response(at, found, 429, wrong=wrong)
    sent = await _send(found, members)
    if not sent:
        wrong = _("The mail could not be sent. Please call.")
        return await home_response(at, found, 502, wrong=wrong)
    async with at.writing() as connection:
        await insert_act(connection, at.desk, "home_reminded", home_id, people=sent)
    return redirect_to(to_home(at, home_id))


async def _send(found: DeskHome, members: list[Membership]) -> int:
    """To how many people a mail was handed over."""
    settings, now = state().settings, datetime.now(UTC)
    post = ReminderPost(
        current_app.extensions["mail"], sender_address(settings), MailWriter(settings)
    )
    # In no plan: a name of its own for the mails.
    once = Reminder(id=uuid4(), home_id=found.home.id, since=now, step="staff", due_at=now)
    delivery = Delivery(told=())
    await post.deliver(once, found.home, members, None, now, delivery)
    return delivery.sent
