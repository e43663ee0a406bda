"""Where text of JSON stops being it, in words of ours."""

from __future__ import annotations

import json

_WORDS = {
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Expecting value": "a value is missing, or is none of JSON's",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Expecting ':' delimiter": "the colon behind a name is missing",
    "Unterminated string starting at": "the quotes that open here do not close",
    "Invalid control character at": "a control character stands within quotes",
    "Invalid control character": "a control character stands within quotes",
    "Invalid \\escape": "a backslash stands before what it cannot escape",
    "Invalid \\uXXXX escape": "a \\u is not followed by four hexadecimal figures",
    "Extra data": "text goes on behind what is whole",
    "Illegal trailing comma before end of object": "a comma stands before a closing bracket",
    "Illegal trailing comma before end of array": "a comma stands before a closing bracket",
}
"""By what Python's decoder says; another version may say something else."""


def breaks_at(error: json.JSONDecodeError) -> str:
    """ "line 1, column 14: a comma or a closing bracket is missing"."""
    what = _WORDS.get(error.msg.rstrip(": "), "this is no JSON")
    return f"line {error.lineno:,}, column {error.colno:,}: {what}"
