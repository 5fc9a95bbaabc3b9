"""The way of a report, from its call to a viewer of another process, is one trace; and nothing is
traced, imported or sent unless the operator asks for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from msgspec import json
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import served
from tests.flow.viewer import Viewer
from tests.receiver import receiver
from vacancies import config, tracing
from vacancies.config import Settings, load_settings
from vacancies.errors import SettingsError
from vacancies.feed import Announcement, encode_announcement
from vacancies.tasks import stop_tasks


@dataclass
class Collector:
    """What it was sent."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.path == "/v1/traces"
        body = await request.read()
        self.bodies.append(body)
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(content_type="application/x-protobuf")

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    async with receiver(collector.handle) as (port, _):
        collector.url = f"http://127.0.0.1:{port}"
        yield collector


async def test_from_the_push_to_the_viewer_of_another_process(settings: Settings) -> None:
    async with collecting() as collector:
        traced = replace(settings, traces_url=collector.url)
        async with served(traced) as one, served(traced) as other:
            await one.put_home("zwetschge", name="Haus Zwetschgenkern")
            viewer = Viewer(other.url, {})
            watching = asyncio.create_task(viewer.watch(other.client))
            await viewer.until(lambda: viewer.is_ready)
            await one.report("zwetschge", {"count": 2})
            await viewer.until(lambda: "zwetschge" in viewer.table)
            await stop_tasks([watching])
        # What was recorded is sent at the end at the latest.
        push = max(collector.named("push"), key=lambda span: span.start_time_unix_nano)
        way = [span for span in collector.spans if span.trace_id == push.trace_id]
        by_name = {span.name: span for span in way}
        assert set(by_name) == {"push", "commit", "publish", "follow", "deliver"}
        commit = by_name["commit"]
        follows = [span for span in way if span.name == "follow"]
        assert len(follows) == 2, "in both processes"
        assert push.parent_span_id == b""
        assert commit.parent_span_id == push.span_id
        assert by_name["publish"].parent_span_id == commit.span_id
        assert {span.parent_span_id for span in follows} == {commit.span_id}
        assert by_name["deliver"].parent_span_id in {span.span_id for span in follows}
        assert len(collector.named("push")) == 2
        for body in collector.bodies:
            assert b"zwetschge" not in body.lower(), "no names, and no homes"


async def test_a_collector_that_is_away_harms_nobody(settings: Settings) -> None:
    async with served(replace(settings, traces_url="http://127.0.0.1:9")) as service:
        await service.put_home("a")
        await service.report("a", {"count": 2})
        assert tracing.current() == ""
    with tracing.span("push") as nothing:
        assert nothing is None


def test_without_the_setting_nothing_is_imported_and_no_message_is_longer() -> None:
    # redis-py imports what it needs for metrics of its own where it finds the packages.
    program = (
        "import sys, web.app, web.commands.process, vacancies.tracing as t\n"
        "assert t.current() == '' and t.span('x') is t.span('y')\n"
        "traces = ('opentelemetry.sdk.trace', 'opentelemetry.exporter')\n"
        "print([name for name in sys.modules if name.startswith(traces)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    news = encode_announcement(Announcement(first=1, last=1, listings=()))
    assert json.decode(news) == {"first": 1, "last": 1, "listings": []}


def test_the_setting_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:4318"
    assert load_settings({"FREIPLATZ_TRACES_URL": url}).traces_url == url
    with pytest.raises(SettingsError, match="FREIPLATZ_TRACES_URL must look like"):
        load_settings({"FREIPLATZ_TRACES_URL": "localhost"})
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'freiplatz\[traces\]'"):
        load_settings({"FREIPLATZ_TRACES_URL": url})
    assert load_settings({}).traces_url is None
