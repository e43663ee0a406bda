"""The JSON values inside whatever was pasted: bytes, gzip, one value, lines, or amid prose."""

from __future__ import annotations

import ast
import json
import re
import zlib
from typing import Any

from trail.errors import AlertUnrecognised

MAX_BYTES = 64 * 1024 * 1024
"""Of text, after unpacking: more than any alert, and than what a browser should paste."""
_PRINTED_LENGTH = 2_000_000
MAX_DEPTH = 120
"""Levels of objects and lists. CloudTrail's deepest requests have a few dozen."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_OPENING = re.compile(r"[{\[]")
_PYTHON_OPENING = re.compile(r"\[?\{'")
_BLANKS = re.compile(r"[\s,;]*")
_OPENINGS = 200  # places in prose that look like JSON and are not, before we stop looking


def text_of(pasted: str | bytes) -> str:
    """The text of pasted or uploaded bytes: gunzipped, decoded, without what cannot be stored."""
    if isinstance(pasted, bytes):
        for _ in range(2):
            if pasted[:2] != b"\x1f\x8b":
                break
            pasted = gunzip(pasted)
        if pasted[:4] == b"PK\x03\x04":
            raise AlertUnrecognised("This is a zip file. Unpack it, and give the files inside it.")
        _check_size(len(pasted))
        # By the byte order mark, else by where the first characters have their zero bytes.
        pasted = pasted.decode(json.detect_encoding(pasted), "replace")
    _check_size(len(pasted))
    return storable(pasted.removeprefix("\ufeff"))


def storable(text: str) -> str:
    """The text with NUL and lone surrogates replaced: databases and browsers refuse them."""
    return _UNSTORABLE.sub("\ufffd", text)


def gunzip(data: bytes) -> bytes:
    """The unpacked bytes of every gzip member, up to `MAX_BYTES`."""
    unpacked = bytearray()
    while data[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(wbits=31)
        try:
            unpacked += unpacker.decompress(data, MAX_BYTES + 1 - len(unpacked))
        except zlib.error as error:
            raise AlertUnrecognised(
                "This gzip file is damaged. Download it again, or paste its unpacked text."
            ) from error
        _check_size(len(unpacked))
        if not unpacker.eof:
            raise AlertUnrecognised(
                "This gzip file is cut short. Download it again, or paste its unpacked text."
            )
        data = unpacker.unused_data
    return bytes(unpacked)


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
        try:
            return [_checked(ast.literal_eval(stripped))]
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return []
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
