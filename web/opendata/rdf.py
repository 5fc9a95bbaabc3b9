"""Writing a small RDF graph as JSON-LD 1.1 and as Turtle.

A graph is a list of nodes as JSON-LD has them: each with `@id`, an absolute IRI, then `@type` and
properties with prefixed names, whose values are lists of the dicts that the functions here make.
There are no blank nodes, so both forms are written from the same dicts, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

Value = Mapping[str, str]
Node = Mapping[str, Any]

_LEGAL = ":/?#[]@!$&'()*+,;=%~"  # besides letters, digits and -._ (RFC 3986)


def iri(text: str) -> Value:
    """A reference; what an IRI must not hold is percent-encoded."""
    return {"@id": iri_text(text)}


def iri_text(text: str) -> str:
    return quote(text, safe=_LEGAL)


def plain(text: str) -> Value:
    return {"@value": text}


def said(**texts: str) -> list[Value]:
    """The same in several languages, by their codes."""
    return [{"@value": text, "@language": code} for code, text in texts.items()]


def typed(text: str, kind: str) -> Value:
    """A literal of a type, which is a prefixed name."""
    return {"@value": text, "@type": kind}


def json_ld(nodes: Iterable[Node], prefixes: Mapping[str, str]) -> bytes:
    document = {"@context": dict(prefixes), "@graph": list(nodes)}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def turtle(nodes: Iterable[Node], prefixes: Mapping[str, str]) -> bytes:
    lines = [f"@prefix {name}: <{address}> ." for name, address in prefixes.items()]
    for node in nodes:
        parts = [f"a {', '.join(node['@type'])}"]
        for name, values in node.items():
            if not name.startswith("@"):
                parts.append(f"{name} {', '.join(map(_term, values))}")
        lines.append(f"\n<{node['@id']}>\n    " + " ;\n    ".join(parts) + " .")
    return "\n".join(lines).encode() + b"\n"


def _term(value: Value) -> str:
    if "@id" in value:
        return f"<{value['@id']}>"
    # A string of JSON is one of Turtle too: the same quotes, and a part of its escapes.
    text = json.dumps(value["@value"], ensure_ascii=False)
    if "@language" in value:
        return f"{text}@{value['@language']}"
    return f"{text}^^{value['@type']}" if "@type" in value else text
