"""The desks of municipalities: pages under /desk/<key>, for those who work there."""

from web.desk.entrance import entrance
from web.desk.members import members
from web.desk.trail import trail

DESK_PAGES = (entrance, members, trail)
