"""Settings: all that is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from vacancies.config import NAMES, Basemap, Bounds, OpenData, load_settings
from vacancies.errors import SettingsError
from vacancies.licences import LICENCES
from vacancies.proxies import Proxies


def test_the_defaults_need_nothing() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, None)
    assert settings.data_dir == Path(".freiplatz").absolute()


def test_one_sentence_lists_everything_that_is_wrong() -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(
            {
                "FREIPLATZ_PORT": "80808",
                "FREIPLATZ_WORKERS": "0",
                "FREIPLATZ_DATABASE_URL": "mysql://x",
                "FREIPLATZ_PUBLIC_URL": "example.org",
                "FREIPLATZ_SECRET_KEY": "short",
                "FREIPLATZ_GEOCODDER": "offline",
                "FREIPLATZ_OUTBOUND_PORTS": "443,99999",
                "FREIPLATZ_OUTBOUND_LOOPBACK": "yes",
                "FREIPLATZ_EMBED_ORIGINS": "www.example.org",
                "FREIPLATZ_OPEN_DATA_LICENCE": "cc-by-nc",
                "FREIPLATZ_OPEN_DATA_CONTRIBUTOR": "kreis",
                "FREIPLATZ_OPEN_DATA_ARCHIVE_YEARS": "ever",
            }
        )
    for name in (
        "PORT",
        "WORKERS",
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_URL",
        "SECRET_KEY",
        "GEOCODDER",
        "OUTBOUND_PORTS",
        "OUTBOUND_LOOPBACK",
        "EMBED_ORIGINS",
        "OPEN_DATA_LICENCE",
        "OPEN_DATA_CONTRIBUTOR",
        "OPEN_DATA_ARCHIVE_YEARS",
    ):
        assert f"FREIPLATZ_{name}" in raised.value.detail


@pytest.mark.parametrize("wrong", ["kreis", "a@b", "a@b.example,c@d.example", "A <a@b.example>"])
def test_corrections_go_to_one_address(wrong: str) -> None:
    settings = load_settings({"FREIPLATZ_CONTACT_EMAIL": "pflege@kreis.example"})
    assert settings.contact_email == "pflege@kreis.example"
    with pytest.raises(SettingsError, match="CONTACT_EMAIL"):
        load_settings({"FREIPLATZ_CONTACT_EMAIL": wrong})


def test_ports_are_a_list() -> None:
    settings = load_settings({"FREIPLATZ_OUTBOUND_PORTS": "443, 4443"})
    assert settings.outbound_ports == (443, 4443)


def test_proxies_are_networks_and_bounds_are_numbers() -> None:
    assert load_settings({}).proxies == Proxies()
    settings = load_settings(
        {
            "FREIPLATZ_PROXIES": "private, 2001:db8::/32",
            "FREIPLATZ_REQUESTS_PER_ADDRESS": "7",
            "FREIPLATZ_CALLS_PER_KEY": "8",
            "FREIPLATZ_VIEWERS": "9",
            "FREIPLATZ_VIEWERS_PER_ADDRESS": "10",
        }
    )
    assert settings.proxies.private
    assert [str(network) for network in settings.proxies.networks[2:]] == ["2001:db8::/32"]
    assert settings.bounds == Bounds(
        requests_per_address=7, calls_per_key=8, viewers=9, viewers_per_address=10
    )
    for name, value in (("PROXIES", "caddy"), ("PROXIES", "10.0.0.1/8"), ("VIEWERS", "0")):
        with pytest.raises(SettingsError, match=f"FREIPLATZ_{name} must be"):
            load_settings({f"FREIPLATZ_{name}": value})


def test_a_base_map_is_an_address_or_a_file(tmp_path: Path) -> None:
    def basemap(text: str) -> Basemap | None:
        return load_settings({"FREIPLATZ_BASEMAP": text}).basemap

    tiles = "https://tiles.example.org/{z}/{x}/{y}.png"
    assert basemap(f"{tiles} © Jemand") == Basemap(address=tiles, attribution="© Jemand")
    file = tmp_path / "my map.pmtiles"
    file.write_bytes(b"PMTiles\x03")
    assert basemap(f"{file} © Jemand") == Basemap(file=file, attribution="© Jemand")
    assert basemap(str(file)) == Basemap(file=file)
    file.write_bytes(b"PMTiles\x02")
    for wrong in (str(file), str(tmp_path / "none.pmtiles"), "map.mbtiles"):
        with pytest.raises(SettingsError, match="FREIPLATZ_BASEMAP"):
            basemap(wrong)


def test_this_machine_may_be_called_for_trying_only() -> None:
    trying = {"FREIPLATZ_OUTBOUND_LOOPBACK": "true"}
    assert not load_settings({}).outbound_loopback
    assert load_settings(trying).outbound_loopback
    with pytest.raises(SettingsError, match="OUTBOUND_LOOPBACK"):
        load_settings({**trying, "FREIPLATZ_PUBLIC_URL": "https://freiplatz.example"})


def test_nobody_may_embed_unless_it_is_said_who() -> None:
    def origins(text: str) -> tuple[str, ...]:
        return load_settings({"FREIPLATZ_EMBED_ORIGINS": text}).embed_origins

    assert load_settings({}).embed_origins == ()
    assert origins("*") == ("*",)
    town, wide, here = "https://www.guetersloh.de", "https://*.example.de", "http://127.0.0.1:8701"
    assert origins(f"{town}, {wide}\n{here} {town}") == (town, wide, here)
    assert origins("https://xn--gtersloh-65a.de:8443") == ("https://xn--gtersloh-65a.de:8443",)


@pytest.mark.parametrize(
    "wrong",
    [
        "https://*",
        "https://*.de",
        "https://a.*.de",
        "* https://www.example.org",
        "http://www.example.org",
        "https://www.example.org/",
        "https://www.example.org/page",
        "https://www.example.org;script-src *",
        "https://www.Example.org",
        "https://gütersloh.de",
        "https://user@example.org",
        "https://example.org:",
        "'self'",
        "https:",
        "null",
        ",",
    ],
)
def test_an_origin_that_may_embed_is_exact(wrong: str) -> None:
    with pytest.raises(SettingsError, match="EMBED_ORIGINS must be"):
        load_settings({"FREIPLATZ_EMBED_ORIGINS": wrong})


def test_open_data_have_a_licence_of_the_list() -> None:
    assert load_settings({}).open_data.licence.uri.endswith("/dl-by-de/2.0")
    found = load_settings(
        {
            "FREIPLATZ_OPEN_DATA_LICENCE": "cc-zero",
            "FREIPLATZ_OPEN_DATA_ATTRIBUTION": "Kreis Musterstadt",
            "FREIPLATZ_OPEN_DATA_CONTRIBUTOR": "http://dcat-ap.de/def/contributors/kreis",
            "FREIPLATZ_OPEN_DATA_ARCHIVE_YEARS": "0",
        }
    ).open_data
    assert found == OpenData(
        licence=LICENCES["cc-zero"],
        attribution="Kreis Musterstadt",
        contributor="http://dcat-ap.de/def/contributors/kreis",
        archive_years=0,
    )


def test_empty_means_not_set() -> None:
    assert load_settings(dict.fromkeys(NAMES, "")).port == 8000


def test_every_setting_stands_in_the_example() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text("utf-8")
    assert [name for name in NAMES if f"{name}=" not in example] == []
