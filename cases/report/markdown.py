"""The report as Markdown in which no quoted text can be markup.

Values stand in code spans and fenced blocks only, whose fences are longer than any run of
backticks inside: the one place where CommonMark has no escapes, links, images or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cases.report.blocks import (
    Block,
    ChainPicture,
    Code,
    Facts,
    Heading,
    Remark,
    Table,
    Words,
)
from cases.visible import visible


def render_markdown(blocks: Sequence[Block]) -> bytes:
    """The report's UTF-8 text."""
    return ("\n\n".join(_block(block) for block in blocks) + "\n").encode("utf-8")


def code_span(text: str) -> str:
    """The text on one line as a code span."""
    shown = visible(text)
    if not shown.strip():
        return "(blank)"
    fence = "`" * (_longest_run(shown) + 1)
    padded = shown[0] in "` " or shown[-1] in "` "
    return f"{fence} {shown} {fence}" if padded else f"{fence}{shown}{fence}"


def fenced(text: str) -> str:
    """The text with its line breaks as a fenced block."""
    shown = visible(text.replace("\r\n", "\n"), newlines=True)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _block(block: Block) -> str:
    match block:
        case Heading(level, label, value):
            quoted = f": {code_span(value)}" if value else ""
            return f"{'#' * level} {label}{quoted}"
        case Remark(label):
            return label
        case Words(value) | Code(value):
            return fenced(value)
        case Facts(rows):
            return "\n".join(f"- **{label}:** {code_span(value)}" for label, value in rows)
        case Table(columns, rows):
            return _table(columns, rows)
        case ChainPicture(boxes):
            lines: list[str] = []
            for box in boxes:
                lines += [f"  |  {one}" for one in map(visible, box.arrow)]
                lines += ["  v"] if box.arrow else []
                lines.append(f"[ {visible(box.title)} ]")
                lines += [f"  {visible(one)}" for one in box.lines]
            return fenced("\n".join(lines))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # A Markdown table would be cut at a pipe that someone put into a name.
    cells = [list(columns), *([visible(one) for one in row] for row in rows)]
    widths = [min(48, max(len(row[at]) for row in cells)) for at in range(len(columns))]
    lines = ["  ".join(one.ljust(w) for one, w in zip(row, widths, strict=True)) for row in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return fenced("\n".join(line.rstrip() for line in lines))
