"""compose.yaml: what its specification asks of it, and what we promise of containers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from compose_spec import PyCompose

from scripts.deployment_trial.composition import (
    fill_in,
    in_order,
    instructions,
    read_composition,
)
from scripts.deployment_trial.topology import GIVEN
from vacancies.config import NAMES, load_settings

# What makes no sense in a container, or is given by the image.
NOT_IN_COMPOSE = {"HOST", "PORT", "WORKERS", "DATA_DIR", "OUTBOUND_LOOPBACK", "BACKUP_DIR"}
# A key that opens backups stays outside of what is backed up (docs/backup.md).
NOT_IN_COMPOSE |= {"BACKUP_KEY_FILE"}
# These begin as root, with few rights, and go on as postgres.
MAY_DO = {
    "proxy": ["NET_BIND_SERVICE"],
    "archive": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
    "recover": ["DAC_OVERRIDE", "SETGID", "SETUID"],
}


@pytest.fixture
def composition() -> dict[str, Any]:
    return read_composition(GIVEN)


@pytest.fixture
def services(composition: dict[str, Any]) -> dict[str, Any]:
    return dict(composition["services"])


def test_it_is_as_the_specification_has_it(composition: dict[str, Any]) -> None:
    def names_of(read: dict[str, Any]) -> list[str]:
        return list(PyCompose.from_json(json.dumps(read)).service_names())

    assert names_of(composition) == list(composition["services"])
    for key, wrong in (("restarts", "no"), ("restart", "sometimes"), ("stop_signal", 3.5)):
        web = {**composition["services"]["web"], key: wrong}
        with pytest.raises(ValueError, match=r"\w"):
            names_of({**composition, "services": {"web": web}})


def test_nobody_is_root_and_nothing_can_be_changed(services: dict[str, Any]) -> None:
    for name, service in services.items():
        is_root = service["user"] in ("root", "0", "0:0")
        begins = json.dumps([service.get("entrypoint"), service.get("command")])
        assert not is_root or "gosu postgres" in begins or '"gosu", "postgres"' in begins, name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == MAY_DO.get(name, []), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not service.get("privileged"), name


def test_what_runs_is_watched_bounded_and_comes_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        if service["restart"] == "no":
            continue  # it is done once
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["pids_limit"], name


def test_only_the_proxy_is_reached_from_outside(composition: dict[str, Any]) -> None:
    services = composition["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]
    assert composition["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert services[name]["networks"] == ["inside"]
    for name, service in services.items():
        for needed in service.get("depends_on", ()):
            assert set(service["networks"]) & set(services[needed]["networks"]), (name, needed)


def test_services_wait_for_what_they_need(services: dict[str, Any]) -> None:
    order = in_order(services)
    assert order.index("postgres") < order.index("migrate") < order.index("web")
    assert order.index("web") < order.index("proxy")
    with pytest.raises(ValueError, match="wait for each other"):
        in_order({"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}})


def test_every_setting_can_be_given(services: dict[str, Any]) -> None:
    given = services["web"]["environment"]
    assert given.keys() == {n for n in NAMES if n.removeprefix("FREIPLATZ_") not in NOT_IN_COMPOSE}
    settings = load_settings(given)
    assert settings.public_url == "https://localhost"
    assert settings.database_url is not None
    assert settings.database_url.endswith("@postgres:5432/freiplatz")


def test_what_is_needed_and_missing_is_told() -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD is needed"):
        read_composition({})
    assert fill_in("${A:-x${B:-y}}", {}) == "xy"
    assert fill_in("${A:-x${B:-y}}", {"B": "z"}) == "xz"
    assert fill_in("${A:-x${B:-y}}", {"A": "a"}) == "a"


def test_images_and_services_say_the_same(services: dict[str, Any]) -> None:
    for stage, service in (("web", services["web"]), ("proxy", services["proxy"])):
        said = dict(instructions(stage))
        assert said["USER"] == service["user"]
        assert service["build"]["target"] == stage
    assert dict(instructions("web"))["STOPSIGNAL"] == services["web"]["stop_signal"] == "SIGQUIT"
