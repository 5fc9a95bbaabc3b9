"""The desks of municipalities: pages under /desk/<key>, for those who work there."""

from web.desk.boundary import boundary
from web.desk.entrance import entrance
from web.desk.home_list import home_list
from web.desk.join import join
from web.desk.members import members
from web.desk.settings import settings
from web.desk.trail import trail

DESK_PAGES = (entrance, boundary, home_list, join, members, settings, trail)
