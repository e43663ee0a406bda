"""One walk over a document that replaces the originals, and looks again at what it wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import ahocorasick

from cases.redaction.forms import ARN, aws_hosts_in, moments_in
from cases.redaction.hidden import (
    LONGEST,
    as_json,
    decoded,
    encoded_forms,
    encoded_runs,
    hidden_in,
    hidden_texts,
    refanged,
    variants,
)
from cases.redaction.kinds import ACCOUNT, CERTAIN, NAME, named
from cases.redaction.originals import NESTED, Originals, is_account_number, is_label, parts_of_name
from cases.redaction.own_words import own_words
from cases.redaction.places import Holds, Place, holds, key_holds
from cases.redaction.writings import other_writings, thing_of

DROPPED = "[redacted]"


class Search(IntEnum):
    """How boldly an original is searched for where it is a part of a text."""

    CLEAR = 0  # anywhere, also inside a word
    PART = 1  # anywhere in somebody's text, as a word of its own in our sentences
    WORD = 2  # as a word of its own: "Ann" is someone's name, but not in "planned"
    VAGUE = 3  # as a word, in somebody's text alone: our sentences say "console" themselves
    NEVER = 4  # only where it stands alone: a single letter is in every sentence


@dataclass(frozen=True)
class _Found:
    """An original in a text, up to the character before `end`."""

    begin: int
    end: int
    stand_in: str


class Redactor:
    """Rewrites documents; built from the one document (or several) whose originals it knows."""

    def __init__(self, *documents: Any, words: Iterable[str] = ()) -> None:
        originals = Originals(documents, words)
        search = {
            original: _search(original, kind, original in originals.listed)
            for original, kind in originals.found.items()
        }
        self._stand_ins = named(
            originals.found,
            {one.casefold() for one, how in search.items() if how in (Search.CLEAR, Search.PART)},
            thing_of,
        )
        forms = {**originals.found, **originals.forms}
        self._patterns = _Patterns(search, self._stand_ins, forms)
        self._written: dict[tuple[str, Holds], str] = {}  # what was rewritten already
        self._names: dict[str, str] = {}
        self._crowded = originals.crowded

    @property
    def originals(self) -> frozenset[str]:
        """What is replaced, case-folded."""
        return frozenset(self._stand_ins)

    def redact(self, value: Any) -> Any:
        """The value with what identifies someone or something replaced; its shape stays."""
        try:
            return self._walk(value, Place(), 0)
        finally:
            for kept in (encoded_runs, hidden_in):  # texts of a case, which the next has no use for
                kept.cache_clear()

    def _walk(self, value: Any, place: Place, depth: int) -> Any:
        if isinstance(value, str):
            return self._leaf(value, place, depth)
        if isinstance(value, Mapping):
            written: dict[str, Any] = {}
            for key, inner in value.items():
                name = self._key(str(key), place)
                while name in written:  # two keys of a record, one stand-in: none is lost
                    name += " (2)"
                written[name] = self._walk(inner, place.under(key, value), depth)
            return written
        if isinstance(value, list | tuple):
            return [self._walk(inner, place, depth) for inner in value]
        if (place.quoted or place.is_account) and is_account_number(value):
            stand_in = self._stand_ins.get(f"{int(value):012d}", "")
            return type(value)(stand_in) if stand_in.isdigit() else value
        return value

    def _key(self, key: str, place: Place) -> str:
        what = key_holds(key, place)
        if what is Holds.OURS:
            return key
        if what is Holds.NAME:  # a field of AWS's, unless somebody is called exactly that
            return self._stand_ins.get(key.casefold(), key) if self._is_told(key) else key
        return self._text(key, what)

    def _is_told(self, name: str) -> bool:
        """Whether a name says by itself whose it is: of three letters, and no word of ours."""
        return len(name) > 2 and name.casefold() not in own_words()

    def _leaf(self, text: str, place: Place, depth: int) -> str:
        document = as_json(text) if depth < NESTED else None
        if document is not None:
            walked = self._walk(document, Place(place.key, True), depth + 1)
            return json.dumps(walked, ensure_ascii=False)
        what = holds(text, place)
        if what is Holds.OURS:
            return text
        if what is Holds.NAME:
            if not is_label(text, place):
                return self._name(text, place.names or NAME)
            what = Holds.SENTENCE if not place.quoted else Holds.TEXT
        return self._text(text, what)

    def _name(self, text: str, kind: str) -> str:
        """A name, an ARN or an id with every part of it replaced."""
        if text not in self._names:
            self._names[text] = "".join(
                part if part_kind is None else self._stand_ins.get(part.casefold(), part)
                for part_kind, part in parts_of_name(text, kind)
            )
        return self._names[text]

    def _text(self, text: str, what: Holds) -> str:
        if (text, what) not in self._written:
            self._written[text, what] = self._rewritten(text, what)
        return self._written[text, what]

    def _rewritten(self, text: str, what: Holds) -> str:
        if text in self._crowded:
            return DROPPED
        if (clickable := refanged(text)) != text and self._shows(clickable, what):
            text = clickable
        written, left = self._replaced(text, what)
        if not self._shows(left, what):
            return written
        # Something encoded is left: without the runs that hide it, else decoded, else nothing.
        bare = text
        for run in reversed(encoded_runs(text)):
            if run.is_file or any(self._shows(hidden, what) for hidden in hidden_texts(run.text)):
                bare = f"{bare[: run.start]}{DROPPED}{bare[run.end :]}"
        for attempt in (bare, decoded(bare)):
            written, left = self._replaced(attempt, what)
            if not self._shows(left, what):
                return written
        return DROPPED

    def _replaced(self, text: str, what: Holds) -> tuple[str, str]:
        """The text with stand-ins, and what of it was left as it stood."""
        found = [_Found(run.start, run.end, DROPPED) for run in encoded_runs(text) if run.is_file]
        for match in ARN.finditer(text):
            found.append(_Found(match.start(), match.end(), self._name(match[0], NAME)))
        found += self._patterns.find(text, what)
        found.sort(key=lambda one: (one.begin, -one.end))
        written, left, at = [], [], 0
        for one in found:
            if one.begin < at:
                continue
            # `role-1` before the 2 of a longer name would read as another stand-in.
            runs_on = one.stand_in[-1:].isdigit() and text[one.end : one.end + 1].isdigit()
            written += [text[at : one.begin], one.stand_in, "_" if runs_on else ""]
            left.append(text[at : one.begin])
            at = one.end
        return "".join((*written, text[at:])), "\n".join((*left, text[at:]))

    def _shows(self, text: str, what: Holds, depth: int = 0) -> bool:
        """Whether an original can still be read in the text, in any encoding we know of."""
        for form in dict.fromkeys((text, decoded(text))):
            if any(True for _ in self._patterns.find(form, what)):
                return True
            if depth < 3:
                hidden, files = hidden_in(form)
                if files or (hidden and self._shows(hidden, what, depth + 1)):
                    return True
        return False


_NUMBERS = re.compile(r"[\d\s:./,+TZ-]+")


def _search(original: str, kind: str, listed: bool) -> Search:
    """How an original is searched for in texts."""
    folded = original.casefold()
    if len(original) < 2:
        return Search.NEVER
    if kind == ACCOUNT or (kind in CERTAIN and len(original) > 6):
        return Search.CLEAR
    if _NUMBERS.fullmatch(original):
        return Search.VAGUE
    words = re.findall(r"[a-z_]+", folded)
    ours = own_words()
    if not listed and (folded in ours or (" ".join(words) == folded and set(words) <= ours)):
        return Search.VAGUE
    if original.isalpha() and original.lower() == original.upper():
        return Search.CLEAR  # in scripts without capitals words stand without spaces
    if len(original) < 5 and (original.isalpha() or len(original) < 4):
        return Search.WORD
    return Search.PART if len(original) < 8 and original.isalpha() else Search.CLEAR


class _Patterns:
    """All the originals in all their spellings, searched for in one pass over a text."""

    def __init__(
        self, search: Mapping[str, Search], stand_ins: Mapping[str, str], forms: Mapping[str, str]
    ) -> None:
        self._clear = ahocorasick.Automaton()
        self._words = ahocorasick.Automaton()
        self._in_64 = ahocorasick.Automaton()
        self._in_hex = ahocorasick.Automaton()
        for original, how in search.items():
            if how is Search.NEVER:
                continue
            stand_in = stand_ins[original.casefold()]
            for variant in variants(original):
                self._add(variant, how, stand_in)
            for variant in other_writings(original, forms[original]):
                # One of figures alone is found as a number of its own.
                self._add(variant, Search.WORD if variant.isalnum() else how, stand_in)
            in_64, in_hex = encoded_forms(original)
            for form in in_64:
                self._in_64.add_word(form, (len(form), how))
            for form in in_hex:
                self._in_hex.add_word(form, (len(form), how))
        for automaton in (self._clear, self._words, self._in_64, self._in_hex):
            if len(automaton):
                automaton.make_automaton()

    def _add(self, variant: str, how: Search, stand_in: str) -> None:
        folded = _folded(variant)
        if folded:
            into = self._clear if how is Search.CLEAR else self._words
            before = into.get(folded, None)
            if before is None or before[1] > how:
                into.add_word(folded, (len(folded), how, stand_in))

    def find(self, text: str, what: Holds) -> Iterator[_Found]:
        """Where an original stands, as far as it is searched for in such a text."""
        folded = _folded(text)
        if len(self._clear):
            for last, (length, _, stand_in) in self._clear.iter_long(folded):
                yield _Found(last + 1 - length, last + 1, stand_in)
        yield from self._encoded(text, folded, what)
        if not len(self._words):
            return
        kept: list[tuple[int, int]] | None = None  # times, and AWS's own hosts
        for last, (length, how, stand_in) in self._words.iter(folded):
            begin, end = last + 1 - length, last + 1
            if how is Search.VAGUE and what is Holds.SENTENCE:
                continue
            is_part = how is Search.PART and what is not Holds.SENTENCE
            if not is_part and not _is_word(folded, begin, end):
                continue
            if kept is None:
                kept = [one.span() for one in (*moments_in(text), *aws_hosts_in(text))]
            if not any(start <= begin and end <= stop for start, stop in kept):
                yield _Found(begin, end, stand_in)

    def _encoded(self, text: str, folded: str, what: Holds) -> Iterator[_Found]:
        """The runs of base64 and hex within which an original is written."""
        for automaton, of, run, anywhere in (
            (self._in_64, text, _64_RUN, 5),
            (self._in_hex, folded, _HEX_RUN, 8),
        ):
            if not len(automaton):
                continue
            done = 0  # what was given out already
            for last, (length, how) in automaton.iter(of):
                if last < done or (how is Search.VAGUE and what is Holds.SENTENCE):
                    continue
                begin, end = last + 1 - length, last + 1
                around = run.match(of, _run_start(of, begin, run), len(of))
                if around is None or around.end() < end:
                    continue
                # A short one is found as a run of its own: in a long one there is any of them.
                if length < anywhere and around[0].rstrip("=") != of[begin:end]:
                    continue
                done = around.end()
                yield _Found(around.start(), around.end(), DROPPED)


_64_RUN = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_HEX_RUN = re.compile(r"[0-9a-f]+")


def _run_start(text: str, at: int, run: re.Pattern[str]) -> int:
    """Where the run of characters begins that `at` is in, a few thousand before it at the most."""
    least = max(0, at - LONGEST)
    while at > least and run.match(text, at - 1, at):
        at -= 1
    return at


def _is_word(text: str, begin: int, end: int) -> bool:
    """Whether nothing goes on before or behind: no letters beside letters, no figures beside
    figures, also not across the point of a number or the dash of a date."""
    before, behind = text[max(0, begin - 2) : begin], text[end : end + 2]
    if text[begin].isdigit() and before:
        if before[-1].isalnum() or (before[-1] in ".:-,/" and before[:-1].isdigit()):
            return False
    elif before and text[begin].isalpha() and before[-1].isalpha():
        return False
    if text[end - 1].isdigit() and behind:
        return not (behind[0].isalnum() or (behind[0] in ".:-,/" and behind[1:].isdigit()))
    return not (behind and text[end - 1].isalpha() and behind[0].isalpha())


def _folded(text: str) -> str:
    """The text in lower case, each character still in its place."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := one.lower()) == 1 else one for one in text)
