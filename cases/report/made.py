"""A report made for somebody, and that it was made: who, when, in which form, with which digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DatabaseError

from cases import audit
from cases.database import Database
from cases.errors import CaseStoreUnusable
from cases.kept_reports import REPORT_MADE
from cases.report import Format, render_report
from cases.report_digest import read_mark


@dataclass(frozen=True)
class MadeReport:
    """The file's bytes, and why the history does not tell of it: None when it does."""

    content: bytes
    unrecorded: str | None


def make_report(
    database: Database,
    actor: str,
    case_id: int,
    form: Format,
    *,
    redacted: bool = False,
    words: Sequence[str] | None = None,
    by: Mapping[str, Any] | None = None,
    index_id: str | None = None,
) -> MadeReport:
    """The report, recorded in the history. Whoever may read a case may take its report along: a
    database that cannot be written to is no reason to refuse it. Whoever may read redacted alone
    may take that along, and the history tells of them too.

    `by` is how the actor is known, where the database is in nobody's hands.
    """
    content = render_report(
        database, case_id, form, redacted=redacted, words=words, index_id=index_id
    )
    mark = read_mark(content)
    assert mark is not None
    told = {"sha256": mark.sha256, "form": form, "redacted": redacted, "head": str(mark.head)}
    try:
        with database.write("read_redacted" if redacted else "read") as connection:
            audit.append(
                database,
                connection,
                actor,
                REPORT_MADE,
                case_id=case_id,
                after={"report": told},
                by=by,
            )
    except (DatabaseError, CaseStoreUnusable) as error:
        cause = error.__cause__ if isinstance(error, CaseStoreUnusable) else error
        why = str(getattr(cause, "orig", cause)).strip().partition("\n")[0]
        return MadeReport(
            content,
            f"The case database cannot be written to ({why}), so its history does not tell that"
            " this report was made, and verification will not know it.",
        )
    return MadeReport(content, None)
