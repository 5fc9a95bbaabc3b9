"""Texts that would run, break out or be calculated if anything took them for more than text, put
wherever a provider, a person or a municipality can write."""

from __future__ import annotations

from providers.staff import ensure_membership, ensure_staff, update_staff
from tests.web.desk.verbund import TOWN, Verbund
from vacancies.corrections import Matter, insert_correction
from vacancies.provider import ensure_provider

# Each sets window.pwned if it runs. What is in them as MARK says that a page shows them.
MARK = "pwned"
PAYLOADS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "</title></textarea></style><svg onload=window.pwned=1>",
    '"><img src=x onerror=window.pwned=1>',
    "' autofocus onfocus='window.pwned=1",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<math><mtext></p><style><a title='</style><img src=x onerror=window.pwned=1>'>",
    "<template><script>window.pwned=1</script></template><details open ontoggle=window.pwned=1>",
    "<!--<script>window.pwned=1//-->",
    "{{ ''.__class__ }}${window.pwned=1}%(pwned)s{0.__class__}",
    "<a href=javascript:window.pwned=1>pwned</a>",
    "=HYPERLINK(\"javascript:pwned\")|' /C calc'!A0",
    "\u2028<base href=//evil.test/>window.pwned=1",
    "＜script＞window.pwned=1＜/script＞",
)
HOMES = len(PAYLOADS)
LOOK = "gueter"
# What a payload would leave in the page if it were taken for HTML.
TRACES = (
    "img[src=x], iframe[srcdoc], svg[onload], [onfocus], [ontoggle], base, a[href^=javascript],"
    " script:not([src]):not([type='application/json']):not([type='application/ld+json'])"
)


def profile_of(number: int) -> dict[str, object]:
    """A home with another payload in each field; over all numbers each field has each."""

    def payload(field: int) -> str:
        return PAYLOADS[(number + field) % len(PAYLOADS)]

    return {
        "name": payload(0),
        "address": {"street": payload(1), "postcode": "33330", "city": payload(2)},
        "coordinates": {"latitude": 51.9 + number / 100, "longitude": 8.38},
        "contact": {
            "phone": payload(3)[:50],
            "person": payload(4),
            "hours": payload(5),
            "email": f"{payload(6).replace(' ', '/')}@evil.example".replace("\u2028", ""),
            "website": f"https://evil.example/?{payload(7)}".translate(
                str.maketrans("", "", ' "<>\u2028')
            ),
        },
        "capacity": {"short_term": 90},
        "municipality": TOWN,
        "quality_url": "https://evil.example/?'onclick='window.pwned=1",
    }


async def fill(verbund: Verbund) -> None:
    """`HOMES` homes in the first municipality; `home` is one of them."""
    service = verbund.service
    ids = ["home", *(f"evil-{number}" for number in range(1, HOMES))]
    for number, home in enumerate(ids):
        await service.put_home(home, "caritas", **profile_of(number))
        notes = [PAYLOADS[number], PAYLOADS[number - 1]]
        lines = [{"care_form": "short_term", "count": 1, "note": note} for note in notes]
        await service.report(home, *lines, provider="caritas")
    provider = await ensure_provider(verbund.pool, "caritas")
    await verbund.pool.execute(
        "UPDATE provider SET name = $2 WHERE id = $1", provider.id, PAYLOADS[0]
    )
    await verbund.pool.execute(
        "UPDATE municipality SET name = $2 WHERE key = $1", TOWN, PAYLOADS[3]
    )
    await verbund.pool.execute(
        "INSERT INTO municipality_look (municipality, path, greeting, imprint, privacy)"
        " VALUES ($1, $2, $3, $3, $3)",
        TOWN,
        LOOK,
        "\n\n".join(PAYLOADS),
    )
    person = await ensure_staff(verbund.pool, "open@town.example")
    await update_staff(verbund.pool, person.id, name=PAYLOADS[5], language="de")
    await ensure_membership(verbund.pool, person.id, provider.id, None)
    async with verbund.pool.acquire() as connection:
        for payload in PAYLOADS:
            await insert_correction(connection, "home", Matter.OTHER, payload, None)
