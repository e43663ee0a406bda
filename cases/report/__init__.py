"""A case as something to hand over: Markdown, HTML, PDF or JSON, redacted if asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from cases.audit import Head
from cases.database import Database
from cases.redaction import Redactor
from cases.redaction.listed import listed_words
from cases.report.blocks import report_blocks
from cases.report.content import known_of, report_document, without_identities
from cases.report.html import render_html
from cases.report.json import render_json
from cases.report.markdown import render_markdown
from cases.report.pdf import render_pdf
from cases.report_digest import Form, with_digest

Format = Form
FORMATS: tuple[Format, ...] = get_args(Format)

MEDIA_TYPES: dict[Format, str] = {
    "md": "text/markdown",
    "html": "text/html",
    "pdf": "application/pdf",
    "json": "application/json",
}


def render_report(
    database: Database,
    case_id: int,
    form: Format,
    *,
    redacted: bool = False,
    words: Sequence[str] | None = None,
    index_id: str | None = None,
) -> bytes:
    """The report's file, with its digest in it. Answers that were not saved to the case are those
    of the index `index_id` where it has given any.

    Stand-ins are the same throughout one report, and in all its formats.

    `words` are the customer's own, to be replaced in a redacted report as well; without them, those
    that `BACKTRAIL_REDACTED_WORDS` lists. Whoever may read redacted alone is given no other.
    """
    lent = database.lent("read_redacted" if redacted else "read")
    document = report_document(lent, case_id, index_id)
    if redacted:
        listed = listed_words() if words is None else words
        redactor = Redactor(
            shown := without_identities(document), *known_of(lent, case_id), words=listed
        )
        document = {**redactor.redact(shown), "redacted": True}
    head = Head(document["head"]["seq"], document["head"]["hash"])
    return with_digest(form, _rendered(document, form), case_id, document["case"]["seal"], head)


def _rendered(document: Mapping[str, Any], form: Format) -> bytes:
    if form == "json":
        return render_json(document)
    blocks = report_blocks(document)
    if form == "md":
        return render_markdown(blocks)
    if form == "html":
        return render_html(blocks)
    return render_pdf(blocks)
