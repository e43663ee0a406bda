"""The report as one HTML file: no script, no link, nothing loaded, and fit to be printed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

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

_STYLE = """
:root { color-scheme: light }
body { font: 14px/1.5 system-ui, sans-serif; color: #1b2430; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }
h1 { font-size: 1.6rem; line-height: 1.25; border-bottom: 3px solid #1f5fa8; padding-bottom: .4rem }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #c8d0da }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem }
h1, h2, h3, td, dd, pre, .words { overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0 }
dt { color: #55606e }
dd { margin: 0 }
.words { white-space: pre-wrap; border-left: 3px solid #c8d0da; padding: .2rem .8rem;
  margin: .4rem 0 }
.remark { color: #55606e }
table { border-collapse: collapse; width: 100%; font-size: 12px; margin: .6rem 0 }
th, td { border: 1px solid #d5dbe3; padding: .2rem .4rem; text-align: left; vertical-align: top }
th { background: #eef2f7 }
pre { font: 11px/1.4 ui-monospace, monospace; white-space: pre-wrap; background: #f5f7fa;
  border: 1px solid #d5dbe3; padding: .6rem; margin: .4rem 0 }
svg { max-width: 100%; height: auto }
@page { size: A4; margin: 16mm }
@media print {
  body { margin: 0; max-width: none; font-size: 10pt }
  table { font-size: 8pt }
  h2, h3 { break-after: avoid }
  tr, svg { break-inside: avoid }
}
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

_WIDTH, _LINE, _COLUMNS = 700, 18, 84


def render_html(blocks: Sequence[Block]) -> bytes:
    """The file's bytes, in UTF-8."""
    heading = next((b for b in blocks if isinstance(b, Heading)), Heading(1, "Case"))
    title = quoted(f"{heading.label}: {heading.value}" if heading.value else heading.label)
    body = "\n".join(_block(block) for block in blocks)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
""".encode()


def quoted(text: str, *, newlines: bool = False) -> str:
    """Any text, escaped for HTML's text and attributes, with nothing invisible in it."""
    return escape(visible(text.replace("\r\n", "\n"), newlines=newlines), quote=True)


def _block(block: Block) -> str:
    match block:
        case Heading(level, label, value):
            words = f"{quoted(label)}: {quoted(value)}" if value else quoted(label)
            return f"<h{level}>{words}</h{level}>"
        case Remark(label):
            return f'<p class="remark">{quoted(label)}</p>'
        case Words(value):
            return f'<div class="words" dir="auto">{quoted(value, newlines=True)}</div>'
        case Code(value):
            return f"<pre>{quoted(value, newlines=True)}</pre>"
        case Facts(rows):
            items = "".join(f"<dt>{quoted(k)}</dt><dd>{quoted(v)}</dd>" for k, v in rows)
            return f"<dl>{items}</dl>"
        case Table(columns, rows):
            head = "".join(f"<th>{quoted(one)}</th>" for one in columns)
            body = "".join(
                "<tr>" + "".join(f"<td>{quoted(one)}</td>" for one in row) + "</tr>" for row in rows
            )
            return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        case ChainPicture():
            return _svg(block)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(visible(text), _COLUMNS, break_on_hyphens=False) or [""]


def _svg(picture: ChainPicture) -> str:
    """Boxes under each other, with what led from one to the next beside the arrow."""
    parts: list[str] = []
    y = 8

    def text(line: str, x: int, size: int, weight: str, colour: str) -> None:
        parts.append(
            f'<text x="{x}" y="{y + 13}" font-size="{size}" font-weight="{weight}"'
            f' fill="{colour}" font-family="system-ui, sans-serif">{escape(line)}</text>'
        )

    for box in picture.boxes:
        if box.arrow:
            lines = [line for one in box.arrow for line in _wrapped(one)]
            length = len(lines) * _LINE + 12
            parts.append(
                f'<path d="M30 {y} V{y + length - 2} m-6 -8 l6 8 l6 -8" fill="none"'
                ' stroke="#1f5fa8" stroke-width="2"/>'
            )
            y += 4
            for line in lines:
                text(line, 48, 12, "400", "#55606e")
                y += _LINE
            y += 8
        titles, details = _wrapped(box.title), [w for one in box.lines for w in _wrapped(one)]
        height = (len(titles) + len(details)) * _LINE + 12
        parts.append(
            f'<rect x="8" y="{y}" width="{_WIDTH - 16}" height="{height}" rx="6" fill="#eef4fb"'
            ' stroke="#1f5fa8"/>'
        )
        y += 6
        for line in titles:
            text(line, 20, 13, "600", "#1b2430")
            y += _LINE
        for line in details:
            text(line, 20, 12, "400", "#55606e")
            y += _LINE
        y += 6
    size = f'viewBox="0 0 {_WIDTH} {y + 8}" width="{_WIDTH}" height="{y + 8}"'
    label = 'role="img" aria-label="Chain of who assumed what"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {label}>{"".join(parts)}</svg>'
