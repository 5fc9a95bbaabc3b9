"""Every page of the app, in every state that looks different. A new page is one more line here:
`tests/web/test_accessibility.py` fails until it has one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from scripts.accessibility_record import inside, reporting, seeking
from scripts.accessibility_record.planned import newest_quarter
from scripts.accessibility_record.seeking import FRAMED, LIST, SEARCH
from scripts.accessibility_record.town import DESK
from scripts.accessibility_record.visit import Steps, at, linked, unfolded


@dataclass(frozen=True)
class View:
    """`template` is what the server renders, `rule` the address as the app has it (none: any
    that there is not), and `is_inside` whether one must be signed in.
    The keyboard starts at `start`, if that is not the top."""

    name: str
    template: str
    rule: str | None
    steps: Steps
    is_inside: bool = False
    start: str = ""


ALERT = "/alerts/<token>"
HOME = "/homes/<home_id>"
FOREIGN = "/homes/<origin>/<home_id>"
WRONG = "/homes/<home_id>/wrong"
TRAIL = "/homes/<home_id>/trail"
LINK = "/report/link/<token>"
OWN = "/report/home/<home_id>"
ARCHIVE = "/opendata/archive/"
BARRIER = "/accessibility/report"
HOOK = "/webhooks/<webhook_id>"
PORTAL = "/webhooks/portals/<webhook_id>"
HOME_LIST = "/desk/<key>/list/<uuid:number>"
DESK_SETTINGS = "/desk/<key>/settings"
DESK_PEOPLE = "/desk/<key>/people"
PLANNING = "/desk/<key>/planning"
EVACUATION = "/desk/<key>/evacuation"
DESK_HOME = "/desk/<key>/homes/<home_id>"
INVITATIONS = "/desk/<key>/invitations"
LEAVE = "/desk/<key>/leave"
LETTER = "/letter/<code>"
INSIDE = True
UNFOLDED = ".drop[open] > summary"

VIEWS = (
    View("Finder, before a search", "finder.html", "/", at("/")),
    View("Finder, results", "finder.html", "/", seeking.results),
    View("Finder, care forms unfolded", "finder.html", "/", seeking.care_forms, start=UNFOLDED),
    View("Finder, more filters unfolded", "finder.html", "/", seeking.more_filters, start=UNFOLDED),
    View("Finder, full homes too", "finder.html", "/", at(SEARCH + "&include_full=true")),
    View("Finder, nothing found", "finder.html", "/", at("/?place=33330&care_form=hospice")),
    View("Finder, map", "finder.html", "/", seeking.on_the_map),
    View(
        "Finder, chosen on the map", "finder.html", "/", seeking.chosen_on_the_map, start="#sheet"
    ),
    View("Finder, suggestions", "finder.html", "/", seeking.suggestions, start="#f-place"),
    View("Finder, second place unfolded", "finder.html", "/", seeking.second_place, start=UNFOLDED),
    View("Finder, two places", "finder.html", "/", at("/?place=33330&place2=Bielefeld")),
    View(
        "Finder, part of the map",
        "finder.html",
        "/",
        at(SEARCH + "&label=33330&bbox=8.2,51.8,8.5,52"),
    ),
    View("Finder, place mistyped", "refused.html", "/", at("/?place=Bielefld")),
    View("Finder, place not known", "refused.html", "/", at("/?place=Xyzzyhausen")),
    View("Finder, several such places", "refused.html", "/", at("/?place=Neustadt")),
    View("Finder, wrong entry", "refused.html", "/", at("/?place=33330&max_cost_eur=x")),
    View("Finder in a frame", "finder.html", "/embed", seeking.framed),
    View("Finder in a frame, wrong entry", "refused.html", "/embed", at(FRAMED + "&nights=x")),
    View("Alert", "alert_new.html", "/alerts/new", at(f"/alerts/new{SEARCH[1:]}")),
    View("Alert, wrong address", "alert_new.html", "/alerts/new", seeking.alert_wrong),
    View("Alert, mail sent", "message.html", "/alerts/new", seeking.alert_sent),
    View("Alert, link opened", "alert.html", ALERT, seeking.alert_asked),
    View("Alert, confirmed", "alert.html", ALERT, seeking.alert_confirmed),
    View("Alert, to be stopped", "alert_stop.html", ALERT + "/stop", seeking.alert_stop),
    View("Alert, stopped", "message.html", ALERT + "/stop", seeking.alert_stopped),
    View("Alert, ended", "message.html", ALERT + "/search", at("/alerts/over/search")),
    View("Home", "home.html", HOME, at("/homes/anna")),
    View("Home of a silent neighbour", "home.html", FOREIGN, at("/homes/herford/anna")),
    View("Home, admission stop", "home.html", HOME, at("/homes/berta")),
    View("Home, all unfolded", "home.html", HOME, unfolded(at("/homes/anna?grade=3&since=2"))),
    View("Home, not known", "message.html", HOME, at("/homes/nowhere")),
    View("Home, closed", "message.html", HOME, at("/homes/dora")),
    View("Home, wrong entry", "message.html", HOME, at("/homes/anna?grade=9")),
    View("Correction", "correction.html", WRONG, at("/homes/anna/wrong")),
    View("Correction, incomplete", "correction.html", WRONG, seeking.correction_wrong),
    View("Correction, sent", "message.html", WRONG, seeking.correction_sent),
    View("Imprint", "imprint.html", "/imprint", at("/imprint")),
    View("Privacy", "privacy.html", "/privacy", at("/privacy")),
    View("Accessibility", "accessibility.html", "/accessibility", at("/accessibility")),
    View("Status", "status.html", "/status", at("/status")),
    View("Open data", "opendata.html", "/opendata/", at("/opendata/")),
    View("Open data, archive", "opendata_archive.html", ARCHIVE, at(ARCHIVE)),
    View("Barrier", "barrier.html", BARRIER, at(BARRIER)),
    View("Barrier, nothing said", "barrier.html", BARRIER, seeking.barrier_wrong),
    View("Barrier, sent", "message.html", BARRIER, at(BARRIER + "?sent=1")),
    View("Shortlist, empty", "shortlist.html", "/shortlist", at("/shortlist")),
    View("Shortlist, passed on", "shortlist.html", "/shortlist", at(LIST + "&place=Xyzzyhausen")),
    View("Shortlist, one's own", "shortlist.html", "/shortlist", seeking.own_list),
    View("Feedback after a call", "feedback.html", "/feedback/<feedback_id>", seeking.told_of_call),
    View("Feedback, not there", "message.html", "/feedback/<feedback_id>", at("/feedback/1")),
    View("No such page", "message.html", None, at("/nowhere")),
    View("Documentation of the API", "docs.html", "/api/v1/docs", seeking.documentation),
    View("Documentation, operation unfolded", "docs.html", "/api/v1/docs", seeking.an_operation),
    View("Report by link", "report.html", LINK, linked("pat")),
    View("Report by link, filled in", "report.html", LINK, linked("pat", "?short_term=2")),
    View("Report by link, several homes", "report.html", LINK, linked("admin")),
    View("Report by link, list of homes", "report.html", LINK, reporting.list_of_homes),
    View("Report by link, all unfolded", "report.html", LINK, unfolded(linked("pat"))),
    View("Report by link, reported", "report.html", LINK, reporting.reported),
    View(
        "Report by link, reported without script", "report.html", LINK, reporting.reported_by_form
    ),
    View("Report by link, refused", "report.html", LINK, reporting.refused_by_form),
    View("Report by link, likely slip", "report.html", LINK, reporting.slip),
    View("Report by link, likely slip without script", "report.html", LINK, reporting.slip_by_form),
    View("Report by link, no network", "report.html", LINK, reporting.offline),
    View("Report by link, overtaken", "report.html", LINK, reporting.overtaken),
    View("Expired link", "report_expired.html", LINK, linked("pat", age=reporting.OLD)),
    View("Expired link, new one sent", "message.html", LINK + "/renew", reporting.renewed),
    View("Revoked link", "message.html", LINK, linked("rene", age=timedelta(hours=1))),
    View("App, start", "message.html", "/report/start", at("/report/start")),
    View("App, no network", "message.html", "/report/offline", at("/report/offline")),
    View("Sign-in", "signin.html", "/signin", at("/signin")),
    View("Sign-in, wrong address", "signin.html", "/signin", inside.sign_in_wrong),
    View("Sign-in, link sent", "signin_sent.html", "/signin", inside.sign_in_sent),
    View("Sign-in, link opened", "signin_redeem.html", "/signin/<token>", inside.sign_in_redeem),
    View("Sign-in, link not valid", "message.html", "/signin/<token>", at("/signin/over")),
    View("Invitation", "signin_redeem.html", "/signin/<token>", inside.invitation, INSIDE),
    View("Account", "account.html", "/account", at("/account"), INSIDE),
    View("Account, form out of date", "message.html", "/account", inside.out_of_date, INSIDE),
    View("People", "people.html", "/people", at("/people"), INSIDE),
    View("People, all unfolded", "people.html", "/people", unfolded(at("/people")), INSIDE),
    View("People, wrong address", "people.html", "/people", inside.people_wrong, INSIDE),
    View("File", "upload.html", "/upload", at("/upload"), INSIDE),
    View("File, cannot be read", "upload.html", "/upload", inside.upload_wrong, INSIDE),
    View("File, what changes", "upload_preview.html", "/upload", inside.upload_looked_at, INSIDE),
    View("File, reported", "upload_done.html", "/upload/send", inside.uploaded, INSIDE),
    View("Webhooks", "webhooks.html", "/webhooks", at("/webhooks"), INSIDE),
    View(
        "Webhooks, wrong address", "webhooks.html", "/webhooks/add", inside.webhooks_wrong, INSIDE
    ),
    View("Webhook", "webhook.html", HOOK, inside.webhook, INSIDE),
    View("Webhook, tested", "webhook.html", HOOK + "/test", inside.webhook_tested, INSIDE),
    View(
        "Webhook, new secret",
        "webhook_secret.html",
        HOOK + "/secret",
        inside.webhook_secret,
        INSIDE,
    ),
    View(
        "Webhook, removal", "webhook_remove.html", HOOK + "/remove", inside.webhook_removal, INSIDE
    ),
    View("Portals", "portals.html", "/webhooks/portals", at("/webhooks/portals"), INSIDE),
    View(
        "Portals, wrong key", "portals.html", "/webhooks/portals/add", inside.portals_wrong, INSIDE
    ),
    View("Portal", "portal.html", PORTAL, inside.portal, INSIDE),
    View("Portal, wrong ids", "portal.html", PORTAL + "/ids", inside.portal_wrong, INSIDE),
    View("What was reported", "trail.html", TRAIL, at("/homes/anna/trail"), INSIDE),
    View("What was reported, foreign home", "message.html", TRAIL, at("/homes/x/trail"), INSIDE),
    View("Desks", "desk_choice.html", "/desk/", at("/desk/"), INSIDE),
    View("Desk", "desk.html", "/desk/<key>", at(f"/desk/{DESK}"), INSIDE),
    View("Desk, filtered", "desk.html", "/desk/<key>", at(f"/desk/{DESK}?state=closed"), INSIDE),
    View("Desk, home", "desk_home.html", DESK_HOME, at(inside.DESK_ANNA), INSIDE),
    View(
        "Desk, home, all unfolded",
        "desk_home.html",
        DESK_HOME,
        unfolded(at(inside.DESK_ANNA)),
        INSIDE,
    ),
    View("Desk, home, refused", "desk_home.html", DESK_HOME, inside.desk_home_wrong, INSIDE),
    View(
        "Desk, home that waits for approval",
        "desk_home.html",
        DESK_HOME,
        unfolded(at(f"/desk/{DESK}/homes/hanna")),
        INSIDE,
    ),
    View(
        "Desk, report after a call",
        "desk_report.html",
        DESK_HOME + "/report",
        at(inside.DESK_ANNA + "/report"),
        INSIDE,
    ),
    View(
        "Desk, duplicates",
        "desk_duplicates.html",
        "/desk/<key>/duplicates",
        unfolded(at(f"/desk/{DESK}/duplicates")),
        INSIDE,
    ),
    View("Desk, evacuation", "desk_evacuation.html", EVACUATION, at(inside.EVACUATE), INSIDE),
    View(
        "Desk, evacuation, list",
        "desk_evacuation.html",
        EVACUATION,
        unfolded(at(inside.EVACUATE + "?places=2&place=33330")),
        INSIDE,
    ),
    View(
        "Desk, evacuation, place not known",
        "desk_evacuation.html",
        EVACUATION,
        at(inside.EVACUATE + "?places=2&place=Xyzzyhausen"),
        INSIDE,
    ),
    View("Desk, people", "desk_members.html", DESK_PEOPLE, at(f"/desk/{DESK}/people"), INSIDE),
    View(
        "Desk, people, wrong address",
        "desk_members.html",
        DESK_PEOPLE,
        inside.desk_members_wrong,
        INSIDE,
    ),
    View(
        "Desk, invitation", "signin_redeem.html", "/signin/<token>", inside.desk_invitation, INSIDE
    ),
    View(
        *("Desk, inviting homes", "desk_invitations.html", INVITATIONS),
        *(at(f"/desk/{DESK}/invitations"), INSIDE),
    ),
    View(
        *("Desk, homes asked", "desk_invitations.html", INVITATIONS, inside.homes_asked, INSIDE),
    ),
    View(
        *("Desk, letters", "desk_letters.html", INVITATIONS + "/letters", inside.letters, INSIDE),
    ),
    View("Desk, leaving", "desk_leave.html", LEAVE, at(f"/desk/{DESK}/leave"), INSIDE),
    View("Desk, leaving, exported", "desk_leave.html", LEAVE, inside.exported, INSIDE),
    View("Code of a letter", "letter_code.html", "/letter", at("/letter")),
    View("Code of a letter, wrong", "letter_code.html", "/letter", inside.code_wrong),
    View("Letter", "letter.html", LETTER, inside.letter, INSIDE),
    View("Letter, wrong address", "letter.html", LETTER, inside.letter_wrong, INSIDE),
    View("Letter, mail sent", "letter_sent.html", LETTER, inside.letter_sent, INSIDE),
    View("Letter, not valid", "message.html", LETTER, at("/letter/over")),
    View("Desk, trail", "desk_trail.html", "/desk/<key>/trail", at(f"/desk/{DESK}/trail"), INSIDE),
    View(
        "Desk, taking part", "desk_join.html", "/desk/<key>/join", at(f"/desk/{DESK}/join"), INSIDE
    ),
    View(
        "Desk, boundary",
        "desk_boundary.html",
        "/desk/<key>/boundary",
        at("/desk/05754/boundary"),
        INSIDE,
    ),
    View(
        "Desk, boundary, wrong file",
        "desk_boundary.html",
        "/desk/<key>/boundary",
        inside.desk_boundary_wrong,
        INSIDE,
    ),
    View("Desk, list", "desk_list.html", "/desk/<key>/list", at(f"/desk/{DESK}/list"), INSIDE),
    View(
        "Desk, list, what changes",
        "desk_list_preview.html",
        HOME_LIST,
        inside.desk_list_looked_at,
        INSIDE,
    ),
    View(
        "Desk, list, unknown columns",
        "desk_list_preview.html",
        HOME_LIST,
        inside.desk_list_unknown_columns,
        INSIDE,
    ),
    View("Desk, list, taken", "desk_list_done.html", HOME_LIST, inside.desk_list_taken, INSIDE),
    View(
        "Desk, settings", "desk_settings.html", DESK_SETTINGS, at(f"/desk/{DESK}/settings"), INSIDE
    ),
    View(
        "Desk, settings, no colour",
        "desk_settings.html",
        DESK_SETTINGS,
        inside.desk_settings_wrong,
        INSIDE,
    ),
    View("Look of a municipality", "finder.html", "/", inside.in_a_look),
    View("Look of a municipality, imprint", "imprint.html", "/imprint", at("/guetersloh/imprint")),
    View("Planning", "desk_planning.html", PLANNING, at("/desk/05754/planning"), INSIDE),
    View(
        "Planning, numbers unfolded",
        "desk_planning.html",
        PLANNING,
        unfolded(at(f"/desk/{DESK}/planning?period=all")),
        INSIDE,
    ),
    View(
        "Planning, print view",
        "desk_planning_quarter.html",
        PLANNING + "/<quarter>",
        at(f"/desk/05754/planning/{newest_quarter()}"),
        INSIDE,
    ),
    View(
        "Planning, table of others",
        "message.html",
        PLANNING + ".csv",
        at("/desk/1/planning.csv"),
        INSIDE,
    ),
    View(
        "Planning, spreadsheet of others",
        "message.html",
        PLANNING + ".xlsx",
        at("/desk/1/planning.xlsx"),
        INSIDE,
    ),
    View("Report signed in", "report.html", OWN, inside.own_home, INSIDE),
    View("Report signed in, all unfolded", "report.html", OWN, unfolded(inside.own_home), INSIDE),
    View("Report signed in, foreign home", "message.html", OWN, at("/report/home/nowhere"), INSIDE),
)
