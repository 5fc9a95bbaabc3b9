"""What is in the export of a municipality, and how it is read: as its desk, of its own homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vacancies.unmet import LEAST_SHOWN

Form = Literal["csv", "json", "jsonl", "geojson"]


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the export. In `query` $1 are the ids of the homes, or where `by_home` one of
    them, and $2 is the key of the municipality. `de` and `en` say what it is."""

    name: str
    form: Form
    query: str
    de: str
    en: str
    by_home: bool = False


_KEYED = " WHERE $1::text[] IS NOT NULL AND "

PARTS = (
    Part(
        "homes.csv",
        "csv",
        "SELECT h.*, p.slug AS provider, p.name AS provider_name, s.vacancies, s.observed_at,"
        " s.reported_at, s.confirmed_at FROM care_home h JOIN home_state s ON s.home_id = h.id"
        " JOIN provider p ON p.id = h.provider_id WHERE h.id = ANY($1) AND $2 <> '' ORDER BY h.id",
        "Einrichtungen, auch geschlossene, eine je Zeile, mit ihrer letzten Meldung",
        "homes, closed ones too, one a row, with their last report",
    ),
    Part(
        "homes.json",
        "json",
        "SELECT (to_jsonb(h) || to_jsonb(s) - 'home_id' || jsonb_build_object("
        " 'provider', p.slug, 'provider_name', p.name))::text FROM care_home h"
        " JOIN home_state s ON s.home_id = h.id JOIN provider p ON p.id = h.provider_id"
        " WHERE h.id = ANY($1) AND $2 <> '' ORDER BY h.id",
        "dieselben mit allem, auch wie sie zugeordnet wurden",
        "the same with everything, also how they were assigned",
    ),
    Part(
        "reports.jsonl",
        "jsonl",
        "SELECT to_jsonb(r)::text FROM report r WHERE r.home_id = $1 AND $2 <> ''"
        " ORDER BY r.reported_at, r.id",
        "alle Meldungen, eine je Zeile (JSON Lines), je Einrichtung die älteste zuerst",
        "all reports, one a line (JSON Lines), for each home the oldest first",
        by_home=True,
    ),
    Part(
        "people.csv",
        "csv",
        "SELECT f.id AS staff_id, f.email, f.name, f.phone, f.language, CASE WHEN m.home_id IS NULL"
        " THEN 'provider_admin' ELSE 'home_staff' END AS role, m.home_id, p.slug AS provider,"
        " m.wants_reminders, m.created_at FROM membership m JOIN staff f ON f.id = m.staff_id"
        " JOIN provider p ON p.id = m.provider_id WHERE $2 <> '' AND (m.home_id = ANY($1)"
        " OR m.home_id IS NULL AND m.provider_id IN"
        "  (SELECT provider_id FROM care_home WHERE id = ANY($1))) ORDER BY m.id",
        "Personen, die melden: Name, Adresse, Rolle (home_staff: eine Einrichtung,"
        " provider_admin: alle eines Trägers)",
        "people who report: name, address, role (home_staff: one home, provider_admin: all of a"
        " provider)",
    ),
    Part(
        "desk_people.csv",
        "csv",
        "SELECT f.id AS staff_id, f.email, f.name, w.role, w.created_at FROM municipality_member w"
        f" JOIN staff f ON f.id = w.staff_id{_KEYED}w.municipality = $2 ORDER BY w.id",
        "Personen, die im Arbeitsbereich arbeiten",
        "people who work at the desk",
    ),
    Part(
        "invitations.csv",
        "csv",
        "SELECT id, home_id, email, letter_id, invited_by, asked_at, sent_at, failure,"
        " withdrawn_at, accepted_at FROM home_invitation"
        " WHERE home_id = ANY($1) AND $2 <> '' ORDER BY id",
        "Einladungen an Einrichtungen (aus den letzten 180 Tagen)",
        "invitations to homes (of the last 180 days)",
    ),
    Part(
        "letters.csv",
        "csv",
        "SELECT id, home_id, created_by, created_at, expires_at, accepted_at FROM home_letter"
        " WHERE home_id = ANY($1) AND $2 <> '' ORDER BY id",
        "gedruckte Briefe, ohne ihre Codes",
        "printed letters, without their codes",
    ),
    Part(
        "corrections.csv",
        "csv",
        "SELECT id, home_id, matter, said, email, created_at, done_at FROM correction"
        " WHERE home_id = ANY($1) AND $2 <> '' ORDER BY id",
        "was Lesende für falsch hielten",
        "what readers said was wrong",
    ),
    Part(
        "call_feedback.csv",
        "csv",
        "SELECT id, home_id, kind, care_form, revision, at, settled_at, outcome"
        " FROM call_feedback WHERE home_id = ANY($1) AND $2 <> '' ORDER BY at, id",
        "was Anrufende gehört haben (aus den letzten 30 Tagen), ohne woher",
        "what callers heard (of the last 30 days), without from where",
    ),
    Part(
        "reminders.csv",
        "csv",
        "SELECT id, home_id, since, step, due_at, told, failures, reminded_at, closed_at, outcome"
        " FROM reminder WHERE home_id = ANY($1) AND $2 <> '' ORDER BY since, id",
        "Erinnerungen",
        "reminders",
    ),
    Part(
        "policies.csv",
        "csv",
        f"SELECT * FROM reporting_policy{_KEYED}starts_with(prefix, $2) ORDER BY prefix",
        "wie oft gemeldet werden soll",
        "how often homes are to report",
    ),
    Part(
        "advice_offices.csv",
        "csv",
        f"SELECT * FROM advice_office{_KEYED}starts_with(area, $2) ORDER BY id",
        "Beratungsstellen für das Gebiet",
        "advice offices for the area",
    ),
    Part(
        "trail.csv",
        "csv",
        "SELECT id, at, staff_id, act, home_id, detail FROM desk_act"
        f"{_KEYED}municipality = $2 ORDER BY id",
        "was im Arbeitsbereich getan wurde",
        "what was done at the desk",
    ),
    Part(
        "look.json",
        "json",
        "SELECT (to_jsonb(l) || jsonb_build_object('logo', encode(l.logo, 'base64')))::text"
        f" FROM municipality_look l{_KEYED}l.municipality = $2",
        "Aussehen, Adressen und Texte der eigenen Seiten, das Bild in Base64",
        "look, addresses and texts of its pages, the picture in Base64",
    ),
    Part(
        "lists.csv",
        "csv",
        "SELECT file_name, created_at, encode(content, 'base64') AS content FROM home_list"
        f"{_KEYED}municipality = $2 ORDER BY created_at",
        "Listen von Einrichtungen, die noch auf ihre Übernahme warten, in Base64",
        "lists of homes that still wait to be taken over, in Base64",
    ),
    Part(
        "not_the_same.csv",
        "csv",
        "SELECT one_id, two_id, at FROM not_the_same"
        " WHERE (one_id = ANY($1) OR two_id = ANY($1)) AND $2 <> '' ORDER BY at",
        "Paare, die als zwei Einrichtungen erkannt wurden",
        "pairs that were found to be two homes",
    ),
    Part(
        "planning.csv",
        "csv",
        f"SELECT * FROM planning_rollup{_KEYED}starts_with(municipality, $2)"
        " ORDER BY step, first_day, municipality, care_form, size",
        "gezählte Vergangenheit für die Pflegeplanung, nach Tagen und Monaten",
        "the counted history for planning, by days and months",
    ),
    Part(
        "planning_stops.csv",
        "csv",
        f"SELECT * FROM planning_stop{_KEYED}starts_with(municipality, $2)"
        " ORDER BY step, first_day, municipality, care_form, size, reason",
        "davon mit Aufnahmestopp, nach Gründen",
        "of these with an admission stop, by reason",
    ),
    Part(
        "unmet_searches.csv",
        "csv",
        "SELECT municipality, care_form, date_trunc('month', day)::date AS month,"
        f" sum(searches) AS searches FROM unmet_search{_KEYED}starts_with(municipality, $2)"
        f" GROUP BY 1, 2, 3 HAVING sum(searches) >= {LEAST_SHOWN} ORDER BY 3, 1, 2",
        f"Suchen ohne Ergebnis nach Monaten, wo es mindestens {LEAST_SHOWN} waren",
        f"searches that found nothing, by month, where they were at least {LEAST_SHOWN}",
    ),
    Part(
        "boundary.geojson",
        "geojson",
        "SELECT jsonb_build_object('type', 'Feature', 'properties', jsonb_build_object("
        " 'ags', key, 'name', name, 'source', boundary_source, 'joined_at', created_at),"
        f" 'geometry', boundary)::text FROM municipality{_KEYED}key = $2",
        "die Kommune und ihre Grenze (RFC 7946)",
        "the municipality and its boundary (RFC 7946)",
    ),
)


def readme(name: str, key: str, at: str) -> str:
    """README.txt, in German and English."""
    width = max(len(part.name) for part in PARTS) + 2

    def listed(language: str) -> str:
        return "\n".join(f"  {part.name:<{width}}{getattr(part, language)}" for part in PARTS)

    return (
        f"Alle Daten von {name} ({key}) in Freiplatz, Stand {at}\n\n{listed('de')}\n"
        f"  {'manifest.json':<{width}}Prüfsummen (SHA-256) und Zeilen jeder Datei\n\n"
        "CSV: UTF-8, Kommas, CRLF (RFC 4180); Texte, die eine Tabelle rechnen würde, beginnen mit"
        " einem '.\nZeiten sind UTC (RFC 3339). Leer heißt: nicht bekannt. Die Dateien enthalten"
        " personenbezogene Daten.\nNummern von Personen (staff_id) verweisen auf people.csv und"
        " desk_people.csv.\n\n"
        f"All data of {name} ({key}) in Freiplatz, as of {at}\n\n{listed('en')}\n"
        f"  {'manifest.json':<{width}}checksums (SHA-256) and rows of each file\n\n"
        "CSV: UTF-8, commas, CRLF (RFC 4180); texts that a spreadsheet would calculate begin with"
        " a '.\nTimes are UTC (RFC 3339). Empty means: not known. The files hold personal data.\n"
        "Numbers of people (staff_id) refer to people.csv and desk_people.csv.\n"
    )
