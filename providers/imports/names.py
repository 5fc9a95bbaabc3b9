"""The names of columns in German, English and French, and of OpenStreetMap."""

from __future__ import annotations

from providers.imports.positions import EASTING, LATITUDE, LONGITUDE, NORTHING, SYSTEM
from providers.imports.tables import fold
from vacancies.models import CareForm, Costs

# A running number ("Nr.") is no id: it names another home as soon as a row is inserted.
# Every field, with the column names that mean it, most certain first (as `fold` has them).
NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "osmid", "uuid", "kennung", "kennziffer", "einrichtungsnummer", "objektid",
           "einrichtungsid", "heimid", "homeid", "facilityid", "ik", "iknummer",
           "institutionskennzeichen", "identifiant", "finess", "nofiness", "numerofiness"),
    "name": ("name", "einrichtungsname", "nameder", "namedereinrichtung", "namedesheims",
             "namederpflegeeinrichtung", "bezeichnung", "einrichtung", "heim", "pflegeheim",
             "pflegeeinrichtung", "home", "homename", "nameofhome", "carehome", "nursinghome",
             "heimname", "haus", "facility", "facilityname", "title", "titel", "nom",
             "nometablissement", "nomdeletablissement", "etablissement", "raisonsociale",
             "denomination", "nomusuel"),
    "street": ("street", "strasse", "strassehausnummer", "strassehausnr", "strassenr",
               "strasseundhausnummer", "strasseundnr", "strasseundhausnr", "anschrift", "str",
               "adresszeile", "streetaddress", "streetandnumber", "addressline1", "address",
               "adresse", "adr", "rue", "rueetnumero", "voie", "adressepostale"),
    "address": (),  # all in one: "Weg 1, 33330 Gütersloh"; told by content alone
    "house_number": ("housenumber", "hausnummer", "hausnr", "hnr", "hsnr", "streetnumber",
                     "numeroderue", "numerodevoie", "norue"),
    "postcode": ("postcode", "plz", "postleitzahl", "zip", "zipcode", "postalcode", "codepostal",
                 "cp", "npa"),
    "city": ("city", "ort", "stadt", "town", "gemeinde", "wohnort", "standort", "ortsname",
             "place", "municipalityname", "ville", "commune", "localite"),
    "postcode_city": ("plzort", "plzundort", "postleitzahlort", "plzstadt", "postcodecity",
                      "zipcity", "codepostalville", "npalocalite", "npaville"),
    "country": ("country", "land", "countrycode", "staat", "pays"),
    "latitude": (fold(LATITUDE), "latitude", "lat", "breite", "breitengrad", "geobreite",
                 "geographischebreite", "ycoord"),
    "longitude": (fold(LONGITUDE), "longitude", "lon", "lng", "long", "laenge", "laengengrad",
                  "geolaenge", "geographischelaenge", "xcoord"),
    "coordinates": ("coordinates", "koordinaten", "geopoint", "geopoint2d", "latlon", "latlng",
                    "wkt", "coordonnees"),
    "easting": (fold(EASTING), "easting", "ostwert", "rechtswert", "rw", "utmx", "utme", "utmost",
                "utmostwert", "xutm", "eutm", "xkoordinate", "xkoord", "koordinatex", "xwert", "x",
                "e", "est", "xlambert"),
    "northing": (fold(NORTHING), "northing", "nordwert", "hochwert", "hw", "utmy", "utmn",
                 "utmnord", "utmnordwert", "yutm", "nutm", "ykoordinate", "ykoord", "koordinatey",
                 "ywert", "y", "n", "nord", "ylambert"),
    "crs": (fold(SYSTEM), "crs", "epsg", "epsgcode", "srid", "srs", "srsname", "koordinatensystem",
            "koordinatenreferenzsystem", "bezugssystem", "referenzsystem"),
    "phone": ("phone", "telefon", "tel", "telefonnummer", "fon", "telephone", "rufnummer",
              "telefonnr", "phonenumber", "telephonenumber", "numerodetelephone"),
    "email": ("email", "mail", "emailadresse", "mailadresse", "emailaddress", "courriel",
              "adressemail", "adresseemail", "mel"),
    "website": ("website", "internet", "homepage", "url", "web", "webseite", "internetadresse",
                "www", "siteweb", "siteinternet"),
    "provider": ("provider", "traeger", "traegername", "namedestraegers", "betreiber",
                 "betreibername", "operator", "operatorname", "traegerschaft", "gestionnaire",
                 "organismegestionnaire", "exploitant"),
    "care_form": ("careform", "wohnform", "pflegeform", "pflegeart", "angebotsform", "angebotsart",
                  "leistungsart", "versorgungsform", "versorgungsart", "einrichtungsart",
                  "einrichtungstyp", "heimart", "art", "artdereinrichtung", "typ", "socialfacility",
                  "amenity", "typeofcare", "caretype", "facilitytype", "type", "typedaccueil",
                  "typedhebergement", "modedaccueil", "typedetablissement", "categorie"),
    "target_group": ("socialfacilityfor", "zielgruppe", "personenkreis"),
    "places": ("places", "platzzahl", "plaetze", "anzahlplaetze", "anzahlderplaetze", "platzanzahl",
               "kapazitaet", "capacity", "beds", "betten", "bettenzahl", "gesamtplaetze",
               "plaetzegesamt", "plaetzeinsgesamt", "zugelasseneplaetze", "numberofplaces",
               "numberofbeds", "licensedplaces", "totalplaces", "capacite", "capacitetotale",
               "nombredeplaces", "nombredelits", "lits"),
    "municipality": ("municipality", "ags", "gemeindeschluessel", "amtlichergemeindeschluessel"),
}  # fmt: skip
COSTS: dict[str, tuple[str, ...]] = {
    "costs.care_eur": ("costscareeur", "careeur", "eee", "eigenanteil", "pflegekosteneigenanteil",
                       "einrichtungseinheitlichereigenanteil", "eigenanteilpflege", "carecosts",
                       "careshare"),
    "costs.training_eur": ("coststrainingeur", "trainingeur", "ausbildungsumlage",
                           "ausbildungskosten", "ausbildungszuschlag", "trainingcosts",
                           "traininglevy"),
    "costs.board_eur": ("costsboardeur", "boardeur", "unterkunftundverpflegung",
                        "unterkunftverpflegung", "unterkunftuverpflegung", "uv", "boardandlodging",
                        "accommodation", "hebergement", "gitecouvert"),
    "costs.investment_eur": ("costsinvestmenteur", "investmenteur", "investitionskosten",
                             "investkosten", "investitionskostenanteil", "investmentcosts",
                             "fraisdinvestissement"),
}  # fmt: skip
CAPACITY_FIELDS = tuple(f"capacity.{form.value}" for form in CareForm)
OFFER_FIELDS = tuple(f"offers.{form.value}" for form in CareForm)
COST_FIELDS = tuple(f"costs.{name}" for name in Costs.__struct_fields__)
FIELDS = (*NAMES, *CAPACITY_FIELDS, *OFFER_FIELDS, *COST_FIELDS)
# Too short to tell a header by: rows of data have such cells too.
TOO_SHORT = frozenset({"x", "y", "e", "n", "rw", "hw", "uv", "est", "nord"})
KNOWN = (
    frozenset(name for names in (*NAMES.values(), *COSTS.values()) for name in names) - TOO_SHORT
)
