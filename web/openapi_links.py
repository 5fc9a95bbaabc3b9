"""Which call goes on where another one ends, as the OpenAPI document says it (its `links`)."""

from __future__ import annotations

from web.schemas import Json


def _to(path: str, method: str, description: str, **parameters: str) -> Json:
    escaped = path.replace("~", "~0").replace("/", "~1")
    return {
        "operationRef": f"#/paths/{escaped}/{method}",
        "description": description,
        "parameters": parameters,
    }


_HOME = "/api/v1/homes/{home_id}"
_WEBHOOK = "/api/v1/webhooks/{webhook_id}"
_home, _webhook = {"home_id": "$request.path.home_id"}, {"webhook_id": "$response.body#/id"}

OF_HOME: Json = {
    "home": _to(_HOME, "get", "What the public sees of it", **_home),
    "report": _to(f"{_HOME}/vacancies", "put", "Report for it", **_home),
    "confirm": _to(f"{_HOME}/vacancies/confirm", "post", "Still so", **_home),
}
OF_SEARCH: Json = {
    "next": _to("/api/v1/vacancies", "get", "The next page", cursor="$response.body#/next"),
}
OF_WEBHOOK: Json = {
    "remove": _to(_WEBHOOK, "delete", "Remove it", **_webhook),
    **{
        name: _to(f"{_WEBHOOK}/{name}", "post", description, **_webhook)
        for name, description in (
            ("test", "Send a ping now"),
            ("rotate", "Make a new secret"),
            ("pause", "Send nothing"),
            ("resume", "Go on"),
        )
    },
    "deliveries": _to(f"{_WEBHOOK}/deliveries", "get", "What was tried", **_webhook),
}
