"""Property: whatever people do in whatever order, a case is in a lawful state and proves it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cases import audit, case, inbox, review
from cases.database import open_database
from cases.errors import CaseConflict, CaseRefused, NotAllowed
from cases.verify import verify
from tests.a_case import Clock, add_people, an_alert, an_id

PEOPLE = st.sampled_from(["ann", "abe", "lea", "lou", "vic"])
WORDS = st.text(alphabet=st.characters(codec=None), max_size=20)  # surrogates and NUL too
VERDICTS = st.sampled_from([None, *case.VERDICTS])


class CaseLife(RuleBasedStateMachine):
    """One case, several people, and a model of what must be true of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.database = open_database(str(Path(self.folder.name) / "cases.db"), self.clock)
        add_people(self.database)
        alerts = [an_alert(id=an_id(number)) for number in range(3)]
        self.alerts = [one.id for one in inbox.receive(self.database, "ann", alerts)]
        self.case_id = case.open_case(self.database, "ann", self.alerts[:1]).id
        self.notes: list[str] = []
        self.heads = [audit.head(self.database)]

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    def now(self) -> case.Case:
        return case.get_case(self.database, self.case_id)

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Whether it was done; if it was refused, nothing of the case has changed."""
        before = self.now()
        self.clock.move(minutes=5)
        try:
            act()
        except (CaseRefused, NotAllowed, CaseConflict):
            assert self.now() == before
            return False
        return True

    @rule(who=PEOPLE, title=WORDS, reason=WORDS, verdict=VERDICTS, stale=st.booleans())
    def save(self, who: str, title: str, reason: str, verdict: Any, stale: bool) -> None:
        before = self.now()
        version = before.version - stale
        changes = {"title": title, "reason": reason, "verdict": verdict}
        done = self.attempt(
            lambda: case.save_case(self.database, who, self.case_id, version, changes)
        )
        if done:
            assert not stale
            assert who != "vic"
            assert before.state != "closed"
            after = self.now()
            assert (after.title, after.reason, after.verdict) == (title, reason, verdict)

    @rule(who=PEOPLE, text=WORDS)
    def note(self, who: str, text: str) -> None:
        if self.attempt(lambda: case.add_note(self.database, who, self.case_id, text)):
            self.notes.append(text)

    @rule(who=PEOPLE, at=st.integers(0, 2))
    def add_alert(self, who: str, at: int) -> None:
        self.attempt(lambda: case.add_alert(self.database, who, self.case_id, self.alerts[at]))

    @rule(who=PEOPLE, verdict=VERDICTS, reason=WORDS)
    def close(self, who: str, verdict: Any, reason: str) -> None:
        version = self.now().version
        done = self.attempt(
            lambda: case.close_case(
                self.database, who, self.case_id, version, verdict=verdict, reason=reason
            )
        )
        if done:
            assert self.now().state == "closed"

    @rule(who=PEOPLE)
    def reopen(self, who: str) -> None:
        before = self.now()
        if self.attempt(lambda: case.reopen_case(self.database, who, self.case_id, "why")):
            assert before.state == "closed"
            assert before.seal is None or who in ("lea", "lou")
            assert self.now().reopened == before.reopened + 1

    @rule(who=PEOPLE)
    def approve(self, who: str) -> None:
        before = self.now()
        done = self.attempt(
            lambda: review.approve(self.database, who, self.case_id, before.version)
        )
        if done:
            assert before.state == "closed"
            assert who in ("lea", "lou")
            assert who not in (before.owner, before.decided_by, before.closed_by)
            assert self.now().seal is not None

    @rule(who=PEOPLE)
    def send_back(self, who: str) -> None:
        version = self.now().version
        self.attempt(lambda: review.return_case(self.database, who, self.case_id, version, "more"))

    @precondition(lambda self: len(self.heads) < 4)
    @rule()
    def sign(self) -> None:
        self.heads.append(audit.head(self.database))

    @invariant()
    def lawful(self) -> None:
        now = self.now()
        assert (now.state == "closed") == (now.closed_at is not None)
        if now.state == "closed":
            assert now.verdict is not None
        if now.verdict is not None:
            assert now.reason.strip()
            assert now.decided_at is not None
        assert (now.seal is not None) == (now.review == "approved")
        if now.seal is not None:
            assert now.state == "closed"
        assert now.owner is not None

    @invariant()
    def complete_and_proven(self) -> None:
        file = case.case_file(self.database, self.case_id)
        assert [one.text for one in file.notes] == self.notes
        versions = [e.case_version for e in file.history if e.case_version is not None]
        assert versions == list(range(1, file.case.version + 1))
        assert verify(self.database, self.heads).problems == ()


CaseLife.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_any_order_of_actions = CaseLife.TestCase
