"""The desks of municipalities: pages under /desk/<key>, for those who work there."""

from web.desk.acts import acts
from web.desk.boundary import boundary
from web.desk.duplicates import duplicates
from web.desk.entrance import entrance
from web.desk.evacuation import evacuation
from web.desk.home import home_pages
from web.desk.home_list import home_list
from web.desk.homes import homes
from web.desk.invitations import invitations
from web.desk.join import join
from web.desk.leave import leaving
from web.desk.letters import letters
from web.desk.members import members
from web.desk.phone_report import phone_report
from web.desk.reminding import reminding
from web.desk.settings import settings
from web.desk.trail import trail

DESK_PAGES = (
    *(entrance, homes, home_pages, acts, phone_report, reminding, duplicates, evacuation),
    *(join, boundary, home_list, invitations, letters, members, settings, leaving, trail),
)
