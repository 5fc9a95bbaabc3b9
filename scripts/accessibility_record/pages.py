"""Every page of the app, in every state that looks different. A new page is one more line here:
`tests/web/test_accessibility.py` fails until it has one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from scripts.accessibility_record.steps import (
    OLD,
    SEARCH,
    Steps,
    an_operation,
    at,
    barrier_wrong,
    care_forms,
    chosen_on_the_map,
    correction_sent,
    correction_wrong,
    documentation,
    invitation,
    linked,
    list_of_homes,
    more_filters,
    offline,
    on_the_map,
    out_of_date,
    overtaken,
    own_home,
    people_wrong,
    refused_by_form,
    renewed,
    reported,
    reported_by_form,
    results,
    second_place,
    sign_in_redeem,
    sign_in_sent,
    sign_in_wrong,
    slip,
    slip_by_form,
    suggestions,
    unfolded,
    upload_looked_at,
    upload_wrong,
    uploaded,
    webhook,
    webhook_removal,
    webhook_secret,
    webhook_tested,
    webhooks_wrong,
)


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


HOME = "/homes/<home_id>"
WRONG = "/homes/<home_id>/wrong"
TRAIL = "/homes/<home_id>/trail"
LINK = "/report/link/<token>"
OWN = "/report/home/<home_id>"
BARRIER = "/accessibility/report"
HOOK = "/webhooks/<webhook_id>"
INSIDE = True
UNFOLDED = ".drop[open] > summary"

VIEWS = (
    View("Finder, before a search", "finder.html", "/", at("/")),
    View("Finder, results", "finder.html", "/", results),
    View("Finder, care forms unfolded", "finder.html", "/", care_forms, start=UNFOLDED),
    View("Finder, more filters unfolded", "finder.html", "/", more_filters, start=UNFOLDED),
    View("Finder, full homes too", "finder.html", "/", at(SEARCH + "&include_full=true")),
    View("Finder, nothing found", "finder.html", "/", at("/?place=33330&care_form=hospice")),
    View("Finder, map", "finder.html", "/", on_the_map),
    View("Finder, chosen on the map", "finder.html", "/", chosen_on_the_map, start="#sheet"),
    View("Finder, suggestions", "finder.html", "/", suggestions, start="#f-place"),
    View("Finder, second place unfolded", "finder.html", "/", second_place, start=UNFOLDED),
    View("Finder, two places", "finder.html", "/", at("/?place=33330&place2=Bielefeld")),
    View("Finder, place mistyped", "refused.html", "/", at("/?place=Bielefld")),
    View("Finder, place not known", "refused.html", "/", at("/?place=Xyzzyhausen")),
    View("Finder, several such places", "refused.html", "/", at("/?place=Neustadt")),
    View("Finder, wrong entry", "refused.html", "/", at("/?place=33330&max_cost_eur=x")),
    View("Home", "home.html", HOME, at("/homes/anna")),
    View("Home, admission stop", "home.html", HOME, at("/homes/berta")),
    View("Home, all unfolded", "home.html", HOME, unfolded(at("/homes/anna?grade=3&since=2"))),
    View("Home, not known", "message.html", HOME, at("/homes/nowhere")),
    View("Home, closed", "message.html", HOME, at("/homes/dora")),
    View("Home, wrong entry", "message.html", HOME, at("/homes/anna?grade=9")),
    View("Correction", "correction.html", WRONG, at("/homes/anna/wrong")),
    View("Correction, incomplete", "correction.html", WRONG, correction_wrong),
    View("Correction, sent", "message.html", WRONG, correction_sent),
    View("Imprint", "imprint.html", "/imprint", at("/imprint")),
    View("Privacy", "privacy.html", "/privacy", at("/privacy")),
    View("Accessibility", "accessibility.html", "/accessibility", at("/accessibility")),
    View("Barrier", "barrier.html", BARRIER, at(BARRIER)),
    View("Barrier, nothing said", "barrier.html", BARRIER, barrier_wrong),
    View("Barrier, sent", "message.html", BARRIER, at(BARRIER + "?sent=1")),
    View("No such page", "message.html", None, at("/nowhere")),
    View("Documentation of the API", "docs.html", "/api/v1/docs", documentation),
    View("Documentation, operation unfolded", "docs.html", "/api/v1/docs", an_operation),
    View("Report by link", "report.html", LINK, linked("pat")),
    View("Report by link, filled in", "report.html", LINK, linked("pat", "?short_term=2")),
    View("Report by link, several homes", "report.html", LINK, linked("admin")),
    View("Report by link, list of homes", "report.html", LINK, list_of_homes),
    View("Report by link, all unfolded", "report.html", LINK, unfolded(linked("pat"))),
    View("Report by link, reported", "report.html", LINK, reported),
    View("Report by link, reported without script", "report.html", LINK, reported_by_form),
    View("Report by link, refused", "report.html", LINK, refused_by_form),
    View("Report by link, likely slip", "report.html", LINK, slip),
    View("Report by link, likely slip without script", "report.html", LINK, slip_by_form),
    View("Report by link, no network", "report.html", LINK, offline),
    View("Report by link, overtaken", "report.html", LINK, overtaken),
    View("Expired link", "report_expired.html", LINK, linked("pat", age=OLD)),
    View("Expired link, new one sent", "message.html", LINK + "/renew", renewed),
    View("Revoked link", "message.html", LINK, linked("rene", age=timedelta(hours=1))),
    View("App, start", "message.html", "/report/start", at("/report/start")),
    View("App, no network", "message.html", "/report/offline", at("/report/offline")),
    View("Sign-in", "signin.html", "/signin", at("/signin")),
    View("Sign-in, wrong address", "signin.html", "/signin", sign_in_wrong),
    View("Sign-in, link sent", "signin_sent.html", "/signin", sign_in_sent),
    View("Sign-in, link opened", "signin_redeem.html", "/signin/<token>", sign_in_redeem),
    View("Sign-in, link not valid", "message.html", "/signin/<token>", at("/signin/over")),
    View("Invitation", "signin_redeem.html", "/signin/<token>", invitation, INSIDE),
    View("Account", "account.html", "/account", at("/account"), INSIDE),
    View("Account, form out of date", "message.html", "/account", out_of_date, INSIDE),
    View("People", "people.html", "/people", at("/people"), INSIDE),
    View("People, all unfolded", "people.html", "/people", unfolded(at("/people")), INSIDE),
    View("People, wrong address", "people.html", "/people", people_wrong, INSIDE),
    View("File", "upload.html", "/upload", at("/upload"), INSIDE),
    View("File, cannot be read", "upload.html", "/upload", upload_wrong, INSIDE),
    View("File, what changes", "upload_preview.html", "/upload", upload_looked_at, INSIDE),
    View("File, reported", "upload_done.html", "/upload/send", uploaded, INSIDE),
    View("Webhooks", "webhooks.html", "/webhooks", at("/webhooks"), INSIDE),
    View("Webhooks, wrong address", "webhooks.html", "/webhooks/add", webhooks_wrong, INSIDE),
    View("Webhook", "webhook.html", HOOK, webhook, INSIDE),
    View("Webhook, tested", "webhook.html", HOOK + "/test", webhook_tested, INSIDE),
    View("Webhook, new secret", "webhook_secret.html", HOOK + "/secret", webhook_secret, INSIDE),
    View("Webhook, removal", "webhook_remove.html", HOOK + "/remove", webhook_removal, INSIDE),
    View("What was reported", "trail.html", TRAIL, at("/homes/anna/trail"), INSIDE),
    View("What was reported, foreign home", "message.html", TRAIL, at("/homes/x/trail"), INSIDE),
    View("Report signed in", "report.html", OWN, own_home, INSIDE),
    View("Report signed in, all unfolded", "report.html", OWN, unfolded(own_home), INSIDE),
    View("Report signed in, foreign home", "message.html", OWN, at("/report/home/nowhere"), INSIDE),
)  # fmt: skip
