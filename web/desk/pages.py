"""What the pages of a desk have in common."""

from __future__ import annotations

from typing import Any

from quart import Response

from web.desk.access import AtDesk
from web.pages import page


async def desk_page(template: str, at: AtDesk, status: int = 200, **values: Any) -> Response:
    """A page of the desk, with the way to the others; `template` extends desk_frame.html."""
    return await page(
        template,
        status,
        is_private=True,
        staff=at.found.staff,
        desk=at.desk,
        others=at.others,
        **values,
    )
