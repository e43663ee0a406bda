"""What records name at the paths of `enrich.facts.made_and_undone`, to be compared."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from enrich.facts.interface import json_object
from enrich.facts.made_and_undone import GLOBAL, Thing
from enrich.facts.targets import LONGEST, texts_at

MOST_VALUES = 1_000
"""Values at one path: a call may launch so many instances."""
Names = tuple[str, ...]


class Record:
    """The request and the response of one row, read when they are first asked for."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self._request: Any = None
        self._response: Any = None

    @property
    def request(self) -> Any:
        if self._request is None:
            self._request = json_object(self.row["request_parameters"])
        return self._request

    @property
    def response(self) -> Any:
        if self._response is None:
            self._response = json_object(self.row["response_elements"])
        return self._response

    def values(self, path: str) -> tuple[str, ...]:
        """What stands at a path; nothing where the record does not have it."""
        if path == "=":
            whole = json.dumps(_without_descriptions(self.request), sort_keys=True)
            return (whole,) if self.request else ()
        if path.startswith("*"):
            return tuple(_beginning(self.request, path[1:]))
        of = self.response if path.startswith(">") else self.request
        found = texts_at(of, path.lstrip(">").casefold().split("."), most=None)
        named = (text for text in found if len(text) <= LONGEST)
        return tuple(itertools.islice(named, MOST_VALUES))

    def names(self, thing: Thing, paths: Sequence[str]) -> frozenset[Names]:
        """Every combination of what stands at the paths, each written as it is compared."""
        if paths == ("userName",) and not self.values("userName"):
            return frozenset({(own.casefold(),)} if (own := self.row["user_name"]) else ())
        parts = ([_compared(thing, one) for one in self.values(path)] for path in paths)
        return frozenset(itertools.product(*parts))

    def shown(self, thing: Thing) -> dict[Names, str]:
        """What a making record made: as it is compared, and as it is written."""
        paths = thing.name
        if paths == ("userName",) and not self.values("userName"):
            own = self.row["user_name"]
            return {(own.casefold(),): own} if own else {}
        every = itertools.product(*(self.values(path) for path in paths))
        return {
            tuple(_compared(thing, one) for one in values): " / ".join(
                one if path != "=" else self._rule()
                for path, one in zip(paths, values, strict=True)
            )
            for values in every
        }

    def _rule(self) -> str:
        """What a rule of a security group opens: "tcp 22 0.0.0.0/0"; it is named by all of it."""
        ports = dict.fromkeys((*self._either("fromPort"), *self._either("toPort")))
        whom = [
            *self._either("cidrIp", "ipPermissions.items.ipRanges.items.cidrIp"),
            *self._either("cidrIpv6", "ipPermissions.items.ipv6Ranges.items.cidrIpv6"),
            *self._either("groupId", "ipPermissions.items.groups.items.groupId")[1:],
        ]
        shown = [*dict.fromkeys(self._either("ipProtocol")), "-".join(ports), *whom[:3]]
        return " ".join(filter(None, shown)) + (" …" if len(whom) > 3 else "")

    def _either(self, path: str, other: str | None = None) -> tuple[str, ...]:
        return self.values(path) + self.values(other or f"ipPermissions.items.{path}")


def _compared(thing: Thing, value: str) -> str:
    """IAM's names are one whatever their case; a trail or function may be called by its ARN."""
    if thing.source == "iam":
        return value.casefold()
    if thing.source in ("cloudtrail", "lambda") and value.startswith("arn:"):
        kind, _, rest = value.split(":", 5)[-1].partition(":")
        return rest.partition(":")[0] if kind == "function" else value.rpartition("/")[2]
    return value


def in_one_place(thing: Thing, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two rows are of one account, and of one Region where that tells names apart: the ids
    that AWS gives are of one Region each."""
    if one["recipient_account_id"] != other["recipient_account_id"]:
        return False
    return thing.source in GLOBAL or not thing.reused or one["aws_region"] == other["aws_region"]


def _beginning(value: Any, begin: str) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(begin):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _beginning(one, begin)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _beginning(one, begin)


def _without_descriptions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_descriptions(one) for one in value]
    if isinstance(value, Mapping):
        return {
            key: _without_descriptions(one) for key, one in value.items() if key != "description"
        }
    return value
