"""The seam to the socket below Hypercorn's `send`.

Hypercorn offers no way to drop a client that does not read: closing waits for it to take
what is buffered, for ever. In Hypercorn 0.18 the transport stands behind the bound methods
of `send` (stream → H11 protocol → TCP server → writer). Elsewhere (HTTP/2, where
many streams share a connection, another server or version) there is none, and streams end
the ordinary way.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

# The kernel hides megabytes before a slow reader is seen; a phone needs a fraction.
SEND_BUFFER_BYTES = 64 * 1024


def transport_below(scope: dict[str, Any], send: object) -> asyncio.WriteTransport | None:
    if scope.get("http_version") not in ("1.0", "1.1"):
        return None
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    transport = getattr(getattr(server, "writer", None), "transport", None)
    return transport if isinstance(transport, asyncio.WriteTransport) else None


def bound_send_buffer(transport: asyncio.WriteTransport) -> None:
    """Let back-pressure be felt early."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
