"""Made-up names for the demo: homes, providers, streets, and numbers that ring nowhere."""

from __future__ import annotations

from random import Random

# Small animals and wild plants: nobody takes them for real organisations.
_FIRST_WORDS = (
    "Amsel Biber Dachs Distel Eichhorn Elster Feldhasen Fink Ginster Grashüpfer Grillen"
    " Haselmaus Holunder Hummel Igel Käuzchen Kiebitz Klee Kranich Laubfrosch Lerchen Libellen"
    " Löwenzahn Marienkäfer Maulwurf Meisen Mohn Otter Pusteblumen Rotkehlchen Schlehen"
    " Schmetterlings Schwalben Siebenschläfer Specht Stieglitz Wacholder Waldkauz Wiesel"
    " Zaunkönig"
)
_SECOND_WORDS = (
    "aue bach blick brunnen eck feld garten grund hain heide hof höhe lichtung quelle ried steg"
    " tal ufer wiese winkel"
)
_STREET_NAMES = (
    "Ahornstraße,Am Alten Bahnhof,Am Anger,Am Mühlbach,Bachstraße,Bergstraße,Birkenweg,"
    "Brunnenstraße,Dorfstraße,Eichenweg,Feldstraße,Gartenstraße,Hauptstraße,Heideweg,"
    "Im Winkel,Kastanienallee,Kirchplatz,Lange Straße,Lindenstraße,Marktstraße,Parkallee,"
    "Poststraße,Rosenweg,Schulstraße,Südring,Talstraße,Waldstraße,Wiesenweg,Ziegeleiweg"
)
_FIRST, _SECOND = _FIRST_WORDS.split(), _SECOND_WORDS.split()
_STREETS = _STREET_NAMES.split(",")
_PROVIDER_KINDS = (
    "Pflege gGmbH",
    "Seniorendienste",
    "Altenhilfe e. V.",
    "Stiftung",
    "Wohnen & Pflege GmbH",
)

# Set aside for film and television: Bundesnetzagentur, "Rufnummern für Film und Fernsehen".
_FICTION = ("+49 30 23125", "+49 221 4710", "+49 40 66969", "+49 89 99998", "+49 69 90009")


def home_name(random: Random, prefix: str) -> str:
    """ "Seniorenzentrum Igelhain"."""
    return f"{prefix} {random.choice(_FIRST)}{random.choice(_SECOND)}"


def provider_name(index: int, offset: int) -> str:
    """The name of the demo provider with that index; 4,000 of them differ."""
    index = (index * 1_237 + offset) % (len(_FIRST) * len(_SECOND) * len(_PROVIDER_KINDS))
    index, kind = divmod(index, len(_PROVIDER_KINDS))
    first, second = divmod(index, len(_SECOND))
    return f"{_FIRST[first]}{_SECOND[second]} {_PROVIDER_KINDS[kind]} (Demo)"


def street(random: Random) -> str:
    return f"{random.choice(_STREETS)} {random.randint(1, 120)}"


def phone(random: Random) -> str:
    return f"{random.choice(_FICTION)}{random.randint(0, 999):03d}"
