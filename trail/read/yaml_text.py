"""YAML as the AWS CLI prints it (`--output yaml`), as the value that its JSON would be.

Untrusted text: no tags, no aliases (a few of them unfold without end), no more than `LONGEST`, and
text of numbers and times stays text wherever YAML would make another thing of it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

LONGEST = 250_000
"""Characters that are read: YAML is slow to read, and its tools print JSON as well."""
_DEEPEST = 60
_BEGINS = re.compile(
    r"\s*(?:---\s*\n\s*)?(?:- )?['\"]?[A-Za-z_][\w.-]{0,60}['\"]?:(?:[ \t][^\n]*)?\r?\n\s*[-'\"\w]"
)
_KNOWN = re.compile(
    r"^[ \t-]*['\"]?(?:eventName|eventVersion|CloudTrailEvent|schemaVersion|SchemaVersion|Findings"
    r"|detail-type|accessKeyDetails|AccessKeyDetails)['\"]?:",
    re.MULTILINE,
)


class TooLong(ValueError):
    """The YAML is longer than is read."""


def is_yaml(text: str) -> bool:
    """Whether a text begins as YAML with keys of records or of findings."""
    return _BEGINS.match(text) is not None and _KNOWN.search(text[:65_536]) is not None


def yaml_values(text: str) -> list[Any]:
    """The values of YAML text; an empty list where it is none. Raises `TooLong`."""
    if not is_yaml(text):
        return []
    if len(text) > LONGEST:
        raise TooLong(f"YAML of more than {LONGEST:,} characters: ask for JSON (`--output json`)")
    import yaml  # it takes a while, and few files need it

    try:
        if not _is_plain(text):
            return []
        values = list(yaml.load_all(text, _loader()))  # noqa: S506 # a safe loader's child
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    return [value for value in values if isinstance(value, dict | list)]


def _is_plain(text: str) -> bool:
    """Whether it has no aliases and is not nested too deeply, told without building anything."""
    import yaml

    depth = 0
    for event in yaml.parse(text, _loader()):
        if isinstance(event, yaml.AliasEvent):
            return False
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                return False
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return True


@cache
def _loader() -> Any:
    """PyYAML's safe loader, in C where it has that, of JSON's kinds of value alone."""
    import yaml

    safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Loader", (safe,), {"yaml_implicit_resolvers": {}})
    for tag, form, first in _KINDS:
        loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{form})\Z"), first
        )
    return loader


_KINDS = (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    # A leading zero would make an octal number of an account id.
    ("int", r"-?(?:0|[1-9]\d{0,17})", list("-0123456789")),
    ("float", r"-?(?:0|[1-9]\d{0,17})\.\d{1,17}", list("-0123456789")),
)
