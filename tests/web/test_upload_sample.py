"""The file to begin with: it says what is free now, and can be sent as it is."""

from __future__ import annotations

import csv
import io

from providers.report_files import read_reports
from providers.staff import select_memberships
from tests.conftest import Service
from tests.web.staff import BERT, a_desk, a_person, sign_in


async def test_the_sample_is_a_file_that_can_be_sent(service: Service) -> None:
    await a_person(service, BERT, home="a")
    await service.put_home("a", name="=1+1", capacity={"day": 12, "hospice": 8})
    await service.put_home("b")
    bert = await a_person(service, BERT, home="c")
    await service.put_home("c", name="Haus Ü; c")
    await service.report("a", {"care_form": "shared_flat", "count": 2}, {"count": 1})
    assert len(await select_memberships(service.state.deployment.pool, bert.id)) == 2
    async with a_desk(service) as desk:
        await sign_in(service, desk, BERT)
        for language in ("de", "en"):
            answer = await desk.get(f"/upload/sample.csv?lang={language}")
            assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
            assert answer.text.startswith("\ufeffhome_id;name;care_form;count")
            rows = list(csv.reader(io.StringIO(answer.text), delimiter=";"))[1:]
            assert [(row[0], row[1], row[3]) for row in rows] == [
                *(("a", "'=1+1", count) for count in ("0", "0", "2", "1")),
                ("c", "Haus Ü; c", ""),
            ]
            report, empty = read_reports(answer.text.encode())
            said = [(line.care_form.value, line.count) for line in report.vacancies]
            assert sorted(said) == [
                *(("day", 0), ("hospice", 0)),
                *(("long_term", 1), ("shared_flat", 2)),
            ]
            assert empty.fault is not None, "nobody said that it is full"
