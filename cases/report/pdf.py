"""The report as PDF, by fpdf2 alone.

Without a font of the team's own the PDF's built-in ones are used, which know western European
letters; `BACKTRAIL_REPORT_FONT` names a TrueType file that knows more. A character that the font
does not have is spelled out as `\\u{4E2D}`: nothing is lost, and nothing can make it fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fontTools.ttLib import TTLibError  # type: ignore[import-untyped]  # it ships no types
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.errors import FPDFException
from fpdf.fonts import TTFFont

from cases.errors import CaseRefused
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

FONT_SETTING = "BACKTRAIL_REPORT_FONT"

_FONT_STARTS = (b"\0\1\0\0", b"OTTO", b"true")
_SIZES = {1: 17.0, 2: 13.0, 3: 10.5}
_INK, _GREY, _BLUE = (27, 36, 48), (85, 96, 110), (31, 95, 168)


class _Page(FPDF):
    """A4 with a page number at the foot."""

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font("helvetica", size=7)
        self.set_text_color(*_GREY)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")


def _latin(one: str) -> bool:
    return ord(one) < 0x100


class _Writer:
    def __init__(self) -> None:
        self.pdf = _Page(format="A4")
        self.pdf.set_margins(16, 14, 16)
        self.pdf.set_auto_page_break(True, margin=16)
        self.family, self.drawable = self._font()
        self.pdf.add_page()

    def _font(self) -> tuple[str, Callable[[str], bool]]:
        file = os.environ.get(FONT_SETTING)
        if not file:
            return "helvetica", _latin
        try:
            with Path(file).open("rb") as opened:
                if opened.read(4) not in _FONT_STARTS:
                    raise TTLibError("it does not begin as a font does")
            self.pdf.add_font("report", fname=Path(file))
            self.pdf.add_font("report", style="B", fname=Path(file))
        except (OSError, TTLibError, FPDFException, ValueError, RuntimeError) as error:
            raise CaseRefused(
                f"{FONT_SETTING} names {file}, which is no TrueType font that can be read. Correct"
                " it, or unset it to use the built-in fonts."
            ) from error
        font = self.pdf.fonts["report"]
        assert isinstance(font, TTFFont)
        known = frozenset(font.cmap)
        return "report", lambda one: ord(one) in known

    def shown(self, text: str, newlines: bool = False) -> str:
        plain = text.replace("\r\n", "\n").replace("→", "->").replace("–", "-")
        return visible(plain, newlines=newlines, drawable=self.drawable)

    def write(
        self,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
        indent: float = 0,
        width: float = 0,
        newlines: bool = False,
    ) -> None:
        self.pdf.set_font(self.family, style="B" if bold else "", size=size)
        self.pdf.set_text_color(*colour)
        self.pdf.set_x(self.pdf.l_margin + indent)
        self.pdf.multi_cell(
            width,
            size * 0.5,
            self.shown(text, newlines) or " ",
            align="L",
            wrapmode=WrapMode.CHAR if _has_long_word(text) else WrapMode.WORD,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def block(self, block: Block) -> None:
        match block:
            case Heading(level, label, value):
                self._keep_together(24)
                self.pdf.ln(5 if level < 3 else 3)
                self.write(f"{label}: {value}" if value else label, _SIZES[level], bold=True)
                if level < 3:
                    self._rule()
                self.pdf.ln(1)
            case Remark(label):
                self.write(label, colour=_GREY)
            case Words(value):
                self.write(value, indent=4, newlines=True)
                self.pdf.ln(1)
            case Code(value):
                self.write(value, 7, indent=4, newlines=True, colour=_GREY)
                self.pdf.ln(1)
            case Facts(rows):
                for label, value in rows:
                    self._fact(label, value)
                self.pdf.ln(1)
            case Table(columns, rows):
                for row in rows:
                    self._row(columns, row)
                self.pdf.ln(1)
            case ChainPicture():
                self._picture(block)

    def _keep_together(self, height: float) -> None:
        if self.pdf.will_page_break(height):
            self.pdf.add_page()

    def _rule(self) -> None:
        self.pdf.set_draw_color(*_BLUE)
        y = self.pdf.get_y() + 0.5
        self.pdf.line(self.pdf.l_margin, y, self.pdf.w - self.pdf.r_margin, y)
        self.pdf.ln(1)

    def _fact(self, label: str, value: str) -> None:
        self._keep_together(5)
        self.pdf.set_font(self.family, size=9)
        self.pdf.set_text_color(*_GREY)
        self.pdf.cell(44, 4.5, self.shown(label), new_x=XPos.RIGHT, new_y=YPos.TOP)
        self.write(value, indent=44)

    def _row(self, columns: Sequence[str], row: Sequence[str]) -> None:
        # One line of words per row: a cell of any length breaks over lines and pages.
        self._keep_together(9)
        self.write(row[0] if len(row) < 4 else "  ".join(row[:2]), 8.5, bold=True, indent=2)
        first = 1 if len(row) < 4 else 2
        rest = [
            f"{label}: {value}"
            for label, value in zip(columns[first:], row[first:], strict=True)
            if value != "–"
        ]
        if rest:
            self.write("   ".join(rest), 8, indent=6, colour=_GREY)
        self.pdf.ln(0.8)

    def _picture(self, picture: ChainPicture) -> None:
        pdf = self.pdf
        for box in picture.boxes:
            pdf.set_draw_color(*_BLUE)
            if box.arrow:
                self._keep_together(28)
                top = pdf.get_y()
                for line in box.arrow:
                    self.write(line, 8, indent=14, colour=_GREY)
                bottom = pdf.get_y() + 1
                if bottom > top:  # it stayed on one page
                    x = pdf.l_margin + 8
                    pdf.line(x, top, x, bottom)
                    pdf.line(x - 1.5, bottom - 2, x, bottom)
                    pdf.line(x + 1.5, bottom - 2, x, bottom)
                pdf.set_y(bottom + 0.5)
            self._keep_together(16)
            top = pdf.get_y()
            pdf.set_y(top + 1.5)
            self.write(box.title, 10, bold=True, indent=3)
            for line in box.lines:
                self.write(line, 8.5, indent=3, colour=_GREY)
            bottom = pdf.get_y() + 1.5
            if bottom > top:
                pdf.rect(pdf.l_margin, top, pdf.epw, bottom - top, round_corners=True)
            pdf.set_y(bottom)
        pdf.ln(2)


def _has_long_word(text: str) -> bool:
    """Whether a word would not fit on a line, which is then broken anywhere."""
    return any(len(word) > 60 for word in text.split())


def render_pdf(blocks: Sequence[Block]) -> bytes:
    """The file's bytes."""
    writer = _Writer()
    heading = next((b for b in blocks if isinstance(b, Heading)), Heading(1, "Case"))
    writer.pdf.set_title(heading.label)
    for block in blocks:
        writer.block(block)
    return bytes(writer.pdf.output())
