"""Every route there is, by the blueprint that holds it."""

from __future__ import annotations

from quart import Blueprint

from providers.api import api as provider_api
from web.account import account
from web.alerts.asking import alert_asking
from web.alerts.pages import alert_pages
from web.api import api as reader_api
from web.barrier import barrier
from web.basemap import basemap
from web.changes import changes
from web.corrections import corrections
from web.desk import DESK_PAGES
from web.embed import embed
from web.feedback import feedback
from web.finder import finder
from web.home import home_pages
from web.legal import legal
from web.letter import letter_pages
from web.looks import looks as look_files
from web.openapi import openapi
from web.opendata.archive_pages import archive
from web.opendata.pages import opendata
from web.operations import operations
from web.passkeys import passkeys
from web.people import people
from web.planning.pages import planning
from web.points import points
from web.portals.desk import portals_desk
from web.report import report_pages
from web.report_files import report_files
from web.report_home import home_report_pages
from web.security_txt import security_txt
from web.shortlist import shortlist
from web.signin import signin
from web.standards.fhir import fhir
from web.standards.hsds import hsds
from web.standards.ngsi_ld import ngsi_ld
from web.standards.ngsi_ld_subscribing import subscribing
from web.status_page import status_page
from web.trail import trail
from web.upload import upload
from web.webhooks.api import api as webhooks_api
from web.webhooks.desk import desk as webhooks_desk

_STANDARDS = (fhir, hsds, ngsi_ld, subscribing)
_STAFF_PAGES = (
    *(signin, passkeys, account, people, trail, home_report_pages, upload),
    *(webhooks_desk, portals_desk),
)
BLUEPRINTS: tuple[Blueprint, ...] = (
    provider_api,
    webhooks_api,
    reader_api,
    points,
    openapi,
    changes,
    operations,
    finder,
    basemap,
    home_pages,
    corrections,
    legal,
    status_page,
    security_txt,
    opendata,
    archive,
    barrier,
    shortlist,
    feedback,
    embed,
    look_files,
    alert_asking,
    alert_pages,
    report_pages,
    report_files,
    letter_pages,
    *_STANDARDS,
    *_STAFF_PAGES,
    *DESK_PAGES,
    planning,
)
