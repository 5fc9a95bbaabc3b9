"""Traces for OpenTelemetry: the way of a report from its call to the viewers, as one trace.

Only while `FREIPLATZ_TRACES_URL` is set. Else nothing is imported, a span is nothing, and no
message is longer for it. Spans hold names and numbers, nothing about people or homes.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# A collector that is away must not hold up the end of the process.
EXPORT_SECONDS = 1.0

_NOTHING: AbstractContextManager[Any] = nullcontext()
_tracer: Tracer | None = None  # of this process


@asynccontextmanager
async def exporting(url: str | None) -> AsyncIterator[None]:
    """Send spans to the collector at `url` (OTLP over HTTP, such as http://127.0.0.1:4318) while
    this is open. How many are recorded OpenTelemetry's own OTEL_TRACES_SAMPLER says."""
    global _tracer
    if url is None:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    instance = f"{socket.gethostname()}/{os.getpid()}"
    resource = Resource.create({"service.name": "freiplatz", "service.instance.id": instance})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    before, _tracer = _tracer, provider.get_tracer("freiplatz")
    try:
        yield
    finally:
        _tracer = before
        await asyncio.to_thread(provider.shutdown)  # sends what waits


def span(name: str, parent: str | None = None, **numbers: float) -> AbstractContextManager[Any]:
    """What is done inside belongs to a span of that name. `parent` is what `current()` said where
    this began, perhaps in another process; empty: it belongs to no trace, so there is no span.
    None: to the span around this one, or to a new trace."""
    if _tracer is None or parent == "":
        return _NOTHING
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None
    if parent is not None:
        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
    return _tracer.start_as_current_span(
        name,
        context=context,
        attributes=numbers,
        record_exception=False,  # its message may be about somebody
        set_status_on_exception=False,
    )


def current() -> str:
    """Names the span around this, for others to go on from (W3C Trace Context); empty: none."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")
