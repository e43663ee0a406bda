"""An alert while it is being read: fields, where each came from, and what to tell the analyst."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alerts.alert import Alert, Principal
from alerts.json_place import Place, is_readable_time
from alerts.times.epoch_times import epoch_time
from alerts.times.time_window import TimeWindow, window_of
from alerts.times.written_times import written_times
from trail.access_keys import is_access_key, is_stand_in
from trail.masks import could_be_a_name, may_be_mask, says_none

_ZEROS = "0" * 12
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NEVER_BLANK = re.compile(
    r"(?:A[A-Z]{3}[A-Z0-9]{12,28}|\d{12})(?::.*)?|arn:aws[a-z-]*:(?:iam|sts):.*"
)
"""An identity's id, a key, an account or an ARN of IAM's or STS's: none has a blank within."""


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

    def take_times(
        self, first: Sequence[Place], last: Sequence[Place], *, epoch_is_usual: bool = False
    ) -> bool:
        """Takes when the activity was, from the first place of each list; False if none says so.

        A time in words that leaves something open is taken too, with its question. One that cannot
        be read is kept as such: whatever else is taken does not pass for it.
        """
        for place in (*first, *last):
            if is_stated(place) and not is_readable_time(place.value):
                self.cannot_read(str(place.text or place.value))
            elif (epoch := epoch_time(place.value)) is not None and not epoch_is_usual:
                self.note(epoch.in_words(place.value))
        self.take("first_seen", *first, *last, read=lambda place: place.time)
        self.take("last_seen", *last, *first, read=lambda place: place.time_until)
        if "first_seen" in self.fields:
            if self.fields.get("unread_times"):
                self.fields["time_is_fallback"] = True
            return True
        ends = [_written((*first, *last)), _written((*last, *first))]
        written = [place for place in ends if place is not None]
        texts = dict.fromkeys((place.text or "")[:80] for place in written)
        window = window_of(written_times("\n".join(texts)))
        if window is None:
            return False
        self.put_window(window, written[0].path, written[-1].path)
        return True

    def cannot_read(self, text: str) -> None:
        """Keeps what the alert states as its time, and is none, with a note of it."""
        unread = self.fields.get("unread_times", ())
        if text[:60] not in unread:
            self.fields["unread_times"] = (*unread, text[:60])
            self.note(
                f"The alert states the time “{text[:60]}”, which cannot be read: give it in full,"
                " as 2026-03-10T12:00:00Z."
            )

    def fall_back_on(self, places: Sequence[Place], words: str) -> bool:
        """Takes as times when the alert was written or sent: all that is known, and marked so."""
        known = [place for place in places if place.time is not None]
        if not known:
            return False
        first, last = (
            [(one.time, one.path) for one in known],
            [(one.time_until, one.path) for one in known],
        )
        self.put("first_seen", *min(first))
        self.put("last_seen", *max(last))
        self.mark_fallback(words)
        return True

    def mark_fallback(self, words: str) -> None:
        """Says that the times are `words` ("when the finding was created"), not the activity's."""
        self.fields["time_is_fallback"] = True
        self.note(fallback_words(words, unread=bool(self.fields.get("unread_times"))))

    def put_window(self, window: TimeWindow, first_path: str, last_path: str) -> None:
        self.put("first_seen", window.first, first_path)
        self.put("last_seen", window.last, last_path)
        self.fields["time_question"] = window.question
        if window.question is not None:
            self.note(window.question.text)
        for note in window.notes:
            self.note(note)
        if window.is_fallback:
            self.mark_fallback("when the mail was sent")

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def take_account(self, *places: Place) -> None:
        """Takes the account id; what only stands where one was is none, and is said."""
        if any(place.account not in (None, _ZEROS) for place in places):
            # Where another account is named, the zeros are written over this one.
            if any(place.account == _ZEROS for place in places):
                self.note(f"The account id “{_ZEROS}” is a mask: another names the account.")
            places = tuple(place for place in places if place.account != _ZEROS)
        if self.take("account_id", *places, read=lambda place: place.account) is None:
            masked = next((place.text for place in places if is_stand_in(place.text)), None)
            if masked is not None and not is_nothing(masked):
                self.note(
                    f"The account id “{masked[:40]}” is a mask or a placeholder: it names none."
                )

    def add_principal(self, principal: Principal, **origins: str) -> None:
        """Adds it unless it is there already; `origins` has a path for each field.

        What only stands where a key, an id or a name was is left out (§3.4 rule 1): a mask
        equals every other mask.
        """
        principal = self._without_stand_ins(principal)
        for number, known in enumerate(self.principals):
            if (both := _one_of(known, principal)) is not None:
                self.principals[number] = both
                for name, path in origins.items():
                    self.origins.setdefault(f"principals[{number}].{name}", path)
                return
        number = len(self.principals)
        self.principals.append(principal)
        for name, path in origins.items():
            if name == "principal" or getattr(principal, name) is not None:
                self.origins[f"principals[{number}].{name}"] = path

    def _without_stand_ins(self, principal: Principal) -> Principal:
        if self.fields.get("sample", False):
            return principal  # a sample's placeholders are shown as such, and never looked up
        for name, value in vars(principal).items():
            broken_by = None
            if isinstance(value, str) and _CONTROL.search(value):
                broken_by = "a line break or another control character"
            elif isinstance(value, str) and name in _IDS and _has_blank_within(value):
                broken_by = "a blank"
            if broken_by is not None:
                self.note(
                    f"The {name.replace('_', ' ')} in it is broken by {broken_by}: it is not used."
                )
                without: dict[str, Any] = {name: "Unknown" if name == "type" else None}
                principal = replace(principal, **without)
        if principal.access_key_id is not None and not is_access_key(principal.access_key_id):
            self.note_no_key(principal.access_key_id)
            principal = replace(principal, access_key_id=None)
        if is_stand_in(principal.principal_id) or (
            principal.principal_id == _ZEROS and self.fields.get("account_id") != _ZEROS
        ):
            self.note_stand_in("principal id", principal.principal_id)
            principal = replace(principal, principal_id=None)
        if is_stand_in(principal.user_name):
            self.note_stand_in("user name", principal.user_name)
            principal = replace(principal, user_name=None)
        session = principal.session_name
        if session is not None and (
            says_none(session) or (is_stand_in(session) and not could_be_a_name(session))
        ):
            self.note_stand_in("session name", session)
            principal = replace(principal, session_name=None)
        self._note_masks(principal)
        if is_stand_in(principal.account_id):
            principal = replace(principal, account_id=None)
        return principal

    def _note_masks(self, principal: Principal) -> None:
        """Says of a name that may be one, and may be written over many, that it is looked up."""
        user = (principal.arn or "").rpartition("/")[2] if principal.type == "IAMUser" else ""
        for name, whose in ((principal.session_name, "session"), (user, "user")):
            if name and may_be_mask(name):
                self.note(
                    f"“{name[:64]}” may be a {whose}'s name, or stand where names were masked: then"
                    f" it is that of several {whose}s, whose events are counted together here."
                )

    def note_no_key(self, text: str) -> None:
        """Says that what stands where a key would is none."""
        if not is_nothing(text):
            self.note(
                f"“{text[:40]}” is no access key: a mask, a placeholder or an example. Nothing is "
                "matched by it."
            )

    def note_stand_in(self, what: str, text: str | None) -> None:
        if text is not None and not is_nothing(text):
            self.note(
                f"“{text[:40]}” is no {what}: a mask or a placeholder. Nothing is matched by it."
            )

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


_IDS = ("principal_id", "access_key_id", "arn", "role_arn", "account_id")


def _has_blank_within(text: str) -> bool:
    bare = "".join(text.split())
    return bare != text.strip() and _NEVER_BLANK.fullmatch(bare) is not None


def _written(places: Sequence[Place]) -> Place | None:
    """The first place with a time in words."""
    return next((one for one in places if written_times((one.text or "")[:80])), None)


def is_nothing(text: str) -> bool:
    """Whether a value says no more than that there is none."""
    return text.strip().casefold() in ("", "-", "null", "none", "n/a")


def is_stated(place: Place) -> bool:
    """Whether something stands where a time would, be it one or none."""
    if isinstance(place.value, str):
        return not is_nothing(place.value) and not is_stand_in(place.value)
    return place.value is not None and place.value not in ([], {}, 0, False)


def _one_of(known: Principal, found: Principal) -> Principal | None:
    """Both in one where they are the same identity by the same key, told more or less fully."""
    if known == found:
        return known
    if known.access_key_id is None or known.access_key_id != found.access_key_id:
        return None
    told = {name: value for name, value in vars(found).items() if value is not None}
    if any(getattr(known, name) not in (None, "Unknown", value) for name, value in told.items()):
        return None
    return replace(known, **told)


def fallback_words(when: str, *, unread: bool = False) -> str:
    """The note on an alert whose times are only `when` it was written or sent."""
    why = "What the alert says of when the activity was cannot be read."
    why = why if unread else "The alert does not say when the activity was."
    return (
        f"{why} Its times here are {when}: the activity was before that, it is not known by how "
        "much."
    )


def hash_id(text: str) -> str:
    """An id for what has none: the same text gives the same id."""
    return "content-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
