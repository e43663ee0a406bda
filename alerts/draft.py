"""An alert while it is being read: fields, where each came from, and what to tell the analyst."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alerts.alert import Alert, Principal
from alerts.json_place import Place


@dataclass
class Draft:
    """Fields by name, taken from the first place that has something."""

    fields: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)

    def take(
        self,
        name: str,
        *places: Place,
        read: Callable[[Place], Any] = lambda place: place.text,
    ) -> Any:
        """The value found, which is also the draft's field from now on; None if there is none."""
        for place in places:
            value = read(place)
            if value is not None:
                self.fields[name] = value
                self.origins[name] = place.path
                return value
        return None

    def put(self, name: str, value: Any, path: str) -> None:
        if value is not None:
            self.fields[name] = value
            self.origins[name] = path

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def add_principal(self, principal: Principal, **origins: str) -> None:
        """Adds it unless it is there already; `origins` has a path for each field."""
        if principal in self.principals:
            return
        number = len(self.principals)
        self.principals.append(principal)
        for name, path in origins.items():
            self.origins[f"principals[{number}].{name}"] = path

    def alert(self, source: str, shape: str, record: Any) -> Alert:
        """The finished alert; its raw text is `record`'s, for want of the pasted one."""
        text = json.dumps(record, ensure_ascii=False, indent=2)
        values = {name: None for name in _OPTIONAL} | self.fields
        first, last = values["first_seen"], values["last_seen"]
        first, last = first or last, last or first
        if first is not None and last is not None and last < first:
            first, last = last, first
            self.note("The last time seen was before the first: they were exchanged.")
        values |= {"first_seen": first, "last_seen": last}
        values.setdefault("id", hash_id(text))
        values.setdefault("title", "Alert without a title")
        return Alert(
            source=source,
            shape=shape,
            raw=text,
            principals=tuple(self.principals),
            notes=tuple(self.notes),
            origins=dict(self.origins),
            **values,
        )


_OPTIONAL = (
    "severity",
    "first_seen",
    "last_seen",
    "account_id",
    "region",
    "source_ip_address",
    "user_agent",
    "event_source",
    "event_name",
)


def hash_id(text: str) -> str:
    """An id for what has none: the same text gives the same id."""
    return "content-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
