"""The report as JSON: everything that the other forms draw, and the frozen data whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cases.canonical import plain


def render_json(document: Mapping[str, Any]) -> bytes:
    """One indented object, in ASCII: it survives any viewer."""
    return json.dumps(plain(document), indent=2, ensure_ascii=True).encode("ascii") + b"\n"
