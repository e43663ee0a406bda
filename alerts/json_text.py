"""The JSON values inside whatever was pasted: bytes, gzip, one value, lines, or amid prose."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from trail.errors import AlertUnrecognised
from trail.read.containers import texts_in
from trail.read.streams import BrokenStream

MAX_BYTES = 64 * 1024 * 1024
"""Of text, after unpacking: more than any alert, and than what a browser should paste."""
_PRINTED_LENGTH = 2_000_000
MAX_DEPTH = 120
"""Levels of objects and lists. CloudTrail's deepest requests have a few dozen."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PACKED = re.compile(r"\s*(?:H4sI|UEsDB)[A-Za-z0-9+/\r\n]{40,}={0,2}\s*\Z")
"""Base64 of gzip or of a zip archive."""
_OPENING = re.compile(r"[{\[]")
_OPENING_A_LINE = re.compile(r'(?m)^([ \t]*)(?:\{\s*"|\[\s*[{"\[])')
_PYTHON_OPENING = re.compile(r"\[?\{'")
_BLANKS = re.compile(r"[\s,;]*")
_OPENINGS = 200  # places in prose that look like JSON and are not, before we stop looking


def text_of(pasted: str | bytes) -> str:
    """The text of pasted or uploaded bytes: unpacked, decoded, without what cannot be stored.

    The texts of an archive's files stand one after another.
    """
    if isinstance(pasted, str) and _PACKED.match(pasted):
        pasted = pasted.encode()
    if isinstance(pasted, bytes):
        _check_size(len(pasted))
        try:
            texts = texts_in(pasted, MAX_BYTES)
        except BrokenStream as error:
            if "bomb" in str(error):
                _check_size(MAX_BYTES + 1)
            raise AlertUnrecognised(
                f"This file cannot be unpacked ({error}). Download it again, or paste its unpacked "
                "text."
            ) from error
        _check_size(sum(map(len, texts)))
        pasted = "\n".join(text.decode("utf-8", "replace") for text in texts)
    _check_size(len(pasted))
    return storable(pasted.removeprefix("\ufeff"))


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced: databases and browsers refuse them."""
    return _UNSTORABLE.sub("\ufffd", text)


def json_values(text: str, *, strict: bool = True) -> list[Any]:
    """The JSON values in the text, in order; an empty list if it holds none.

    One value, values one after another (JSON lines), or values amid other text. Unless `strict`,
    strings may hold line breaks.
    """
    decoder = json.JSONDecoder(parse_int=_whole_number, strict=strict)
    values: list[Any] = []
    position = _after_blanks(text, 0)
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            break
        except RecursionError as error:
            raise _too_deep() from error
        values.append(_checked(value))
        position = _after_blanks(text, position)
    if position >= len(text):
        return values
    # Something is not JSON: prose around a value, a log prefix on each line, a cut-off paste.
    values = [value for value in values if _may_hold_alert(value)]
    failures = 0
    while failures < _OPENINGS and (opening := _OPENING.search(text, position)):
        try:
            value, position = decoder.raw_decode(text, opening.start())
        except json.JSONDecodeError:
            position = opening.start() + 1
            failures += 1
            continue
        except RecursionError as error:
            raise _too_deep() from error
        if _may_hold_alert(value):
            values.append(_checked(value))
    return values


def first_break(text: str) -> json.JSONDecodeError | None:
    """Where the first value of JSON that begins a line stops being one; None if none does."""
    decoder = json.JSONDecoder()
    position = failures = 0
    while failures < _OPENINGS and (opening := _OPENING_A_LINE.search(text, position)):
        try:
            _, position = decoder.raw_decode(text, opening.end(1))
        except json.JSONDecodeError as error:
            return error
        except (RecursionError, ValueError):
            position, failures = opening.end(), failures + 1
    return None


def _may_hold_alert(value: Any) -> bool:
    """Whether a value amid prose is more than a footnote's [1]."""
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return isinstance(value, dict) and value != {}


def printed_values(text: str) -> list[Any]:
    """The value of JSON that a program printed: with every quote escaped, or as Python writes it.

    An empty list if the text is neither.
    """
    stripped = text.strip()
    if len(stripped) > _PRINTED_LENGTH:
        return []
    if stripped[:1] in ("{", "[") and '\\"' in stripped[:200]:
        try:
            inner = json.loads(f'"{stripped}"', strict=False)
        except json.JSONDecodeError:
            return []
        value = json_in(inner)
        return [] if value is None else [value]
    if _PYTHON_OPENING.match(stripped):
        whole = _as_python(stripped)
        lines = [line for line in stripped.split("\n") if line.strip()]
        if whole or len(lines) == 1 or not all(map(_PYTHON_OPENING.match, lines)):
            return whole
        return [value for line in lines for value in _as_python(line.strip())]
    return []


def _as_python(text: str) -> list[Any]:
    """The value that a literal of Python's is, in a list; an empty one if the text is none."""
    try:
        return [_checked(ast.literal_eval(text))]
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []


def json_in(text: str) -> Any:
    """What a string that holds JSON holds, else None."""
    stripped = text.strip()
    if stripped[:1] not in ("{", "[", '"'):
        return None
    try:
        return _checked(json.loads(stripped, parse_int=_whole_number, strict=False))
    except json.JSONDecodeError:
        return None
    except RecursionError as error:
        raise _too_deep() from error


def _checked(value: Any) -> Any:
    """The value with unstorable characters replaced; raises if it is nested too deeply."""
    return _cleaned(value, 0)


def _cleaned(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple | set):
        return [_cleaned(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {storable(str(key)): _cleaned(item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 10**18:
        return value
    return storable(str(value))  # a long number, or what only Python writes


def _whole_number(digits: str) -> int | str:
    # Longer ones overflow times and floats, and Python refuses to read very long ones at all.
    return int(digits) if len(digits) <= 18 else digits


def _after_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise AlertUnrecognised(
            f"This is more than {MAX_BYTES // 1024 // 1024} MB of text. Index log files with "
            "`python -m trail add`, and give only the alerts here."
        )


def _too_deep() -> AlertUnrecognised:
    return AlertUnrecognised(
        f"This JSON is nested more than {MAX_DEPTH} levels deep, which no alert is. "
        "Paste the alert alone."
    )
