"""The digest that a report carries of its own bytes, and where in each form it stands.

It is the SHA-256 of the whole file with the digest's own 64 places zeroed, beside the case, its
seal and the head of the history. No value from a log can stand in its place: Markdown has it in
the last line and a PDF after its end; JSON under a key of the outermost object and HTML in the
page's head, where quoted text is escaped. Whoever knows how makes the digest anew after an edit:
what the history says was made (`cases.report.made`) finds that.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from cases.audit import Head

Form = Literal["md", "html", "pdf", "json"]

_NONE = "0" * 64
_MARK = (
    rb"backtrail-digest-1 case=([0-9]{1,12}) seal=(none|[0-9a-f]{64})"
    rb" head=([0-9]{1,12}):([0-9a-f]{64}) sha256=([0-9a-f]{64})"
)
_PLACES: dict[Form, re.Pattern[bytes]] = {
    "md": re.compile(rb"Digest of this file: `" + _MARK + rb"`"),
    "html": re.compile(rb'<meta name="backtrail-digest" content="' + _MARK + rb'">'),
    "json": re.compile(rb'\n  "digest": "' + _MARK + rb'"'),
    "pdf": re.compile(rb"%" + _MARK),
}


@dataclass(frozen=True)
class Mark:
    """What a report says of itself. `sha256` is as it stands there, `found` as it is now."""

    case_id: int
    seal: str | None
    head: Head
    sha256: str
    found: str


def with_digest(form: Form, content: bytes, case_id: int, seal: str | None, head: Head) -> bytes:
    """The report's bytes with their digest in them."""
    mark = f"backtrail-digest-1 case={case_id} seal={seal or 'none'} head={head} sha256={_NONE}"
    if form == "md":
        blank = content + f"\nDigest of this file: `{mark}`\n".encode()
    elif form == "html":
        meta = f'\n<meta name="backtrail-digest" content="{mark}">\n</head>'
        blank = content.replace(b"\n</head>", meta.encode(), 1)
    elif form == "json":
        blank = content.removesuffix(b"\n}\n") + f',\n  "digest": "{mark}"\n}}\n'.encode()
    else:
        blank = content.removesuffix(b"\n") + f"\n%{mark}\n".encode()
    at = _position(form, blank)
    assert at is not None
    digest = hashlib.sha256(blank).hexdigest().encode()
    return blank[: at.start(5)] + digest + blank[at.end(5) :]


def form_of(content: bytes) -> Form:
    """Which of the four forms the file has, by its first bytes; Markdown if no other."""
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%PDF-"):
        return "pdf"
    if start.startswith(b"<"):
        return "html"
    return "json" if start.startswith(b"{") else "md"


def read_mark(content: bytes) -> Mark | None:
    """The mark that the report carries; None without one."""
    at = _position(form_of(content), content)
    if at is None:
        return None
    case_id, seal, seq, head, sha256 = (one.decode("ascii") for one in at.groups())
    blank = content[: at.start(5)] + _NONE.encode() + content[at.end(5) :]
    return Mark(
        case_id=int(case_id),
        seal=None if seal == "none" else seal,
        head=Head(int(seq), head),
        sha256=sha256,
        found=hashlib.sha256(blank).hexdigest(),
    )


def _position(form: Form, content: bytes) -> re.Match[bytes] | None:
    """HTML has it before any quoted text, the others after all of it."""
    found = list(_PLACES[form].finditer(content))
    if not found:
        return None
    return found[0] if form == "html" else found[-1]
