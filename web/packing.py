"""Text goes out packed to all who take it: on a slow line, bytes are the waiting time.

What is packed here is public and the same for everybody. A page that shows a secret of its
reader beside something that others can choose must not be: its length would betray the secret.
The live stream never comes here.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping

from quart import request
from quart.wrappers import Response

# Level 1 leaves a tenth more, level 6 takes two to three times as long for 5 % less.
_LEVEL = 4
CODINGS = ("br", "gzip")  # the smallest first


def accepted() -> list[str]:
    """Those of `CODINGS` that the client takes."""
    return [coding for coding in CODINGS if request.accept_encodings.quality(coding) > 0]


def pack(body: bytes) -> bytes:
    """As gzip; the same bytes for the same body."""
    return gzip.compress(body, _LEVEL, mtime=0)


def packed_response(body: bytes, packed: Mapping[str, bytes], kind: str) -> Response:
    """`body`, or one of its `packed` forms (by their coding) if the client takes it."""
    coding = next((coding for coding in accepted() if coding in packed), None)
    response = Response(packed[coding] if coding else body, content_type=kind)
    response.headers["Vary"] = "Accept-Encoding"
    if coding:
        response.headers["Content-Encoding"] = coding
    return response
