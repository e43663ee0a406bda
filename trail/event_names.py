"""An API's name without the version date that some services write behind it."""

from __future__ import annotations

import re

_DATE_SUFFIX = re.compile(r"\d{8}(v\d+)?$")


def plain_name(event_name: str) -> str:
    """ "ListFunctions" of "ListFunctions20150331": the API's name without its version date."""
    return _DATE_SUFFIX.sub("", event_name) or event_name
