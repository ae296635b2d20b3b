"""Word documents and presentations as people make them: what is read beside plain paragraphs, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.tools.file_search.reading.formats import text_of
from playground_tui.engine.tools.file_search.reading.numbering import BULLET
from playground_tui.engine.tools.file_search.reading.refusal import Unreadable
from playground_tui.engine.tools.file_search.reading.word97 import LOCKED, OTHER
from tests.support.documents import KINDS, office

LETTER = (Path(__file__).parents[1] / "support" / "letter.doc").read_bytes()
"""A letter that a word processor saved as Word 97 does: a heading, umlauts, a link, a table and a footnote."""
SPACES = f'xmlns:w="urn:w" xmlns:a="urn:a" xmlns:c="urn:c" xmlns:dgm="urn:d" xmlns:p="urn:p" xmlns:r="{KINDS}"'
MAIN = "word/document.xml"


def read(content: bytes, name: str = "a.docx") -> str:
    return text_of(content, name)[0]


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def paragraph(inner: str, style: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{more}</w:pPr>{inner}</w:p>"


def word(body: str, references: list[tuple[str, str, str]] | None = None, main: str = MAIN, **parts: str) -> bytes:
    filled = {name: f"<w:part {SPACES}>{xml}</w:part>" for name, xml in parts.items()}
    document = f"<w:document {SPACES}><w:body>{body}</w:body></w:document>"
    return office(main, document, {main: references or []}, **filled)


def test_what_stands_in_controls_changes_and_boxes_is_read_once():
    body = (
        f"<w:sdt><w:sdtContent>{paragraph(run('in a control'))}</w:sdtContent></w:sdt>"
        + paragraph(f"<w:ins>{run('put in')}</w:ins><w:del><w:r><w:delText>taken out</w:delText></w:r></w:del>")
        + paragraph(f"<w:moveFrom>{run('moved away')}</w:moveFrom><w:moveTo>{run('moved here')}</w:moveTo>")
        + paragraph(f"{run('before')}<w:r><w:tab/><w:t>after</w:t><w:br/><w:t>below</w:t></w:r>")
        + paragraph(
            f"{run('beside')}<w:r><x><Choice><w:txbxContent>{paragraph(run('boxed'))}</w:txbxContent></Choice>"
            f"<Fallback><w:txbxContent>{paragraph(run('boxed'))}</w:txbxContent></Fallback></x></w:r>"
        )
    )
    expected = ["in a control", "put in", "moved here", "before\tafter\nbelow", "beside", "boxed"]
    assert read(word(body)) == "\n\n".join(expected)


def test_headers_come_first_footers_last_and_notes_where_they_belong():
    body = paragraph(f'{run("Tides rise")}<w:r><w:footnoteReference w:id="2"/></w:r>{run(", twice.")}')
    kinds = {"header1.xml": "header", "header2.xml": "header", "footer1.xml": "footer", "footnotes.xml": "footnotes"}
    references = [(f"rId{place}", kind, name) for place, (name, kind) in enumerate(kinds.items())]
    note = f'<w:footnote w:id="2">{paragraph(run("At sea."))}</w:footnote>'
    separator = f'<w:footnote w:id="-1">{paragraph(run("no note"))}</w:footnote>'
    parts = {
        "word/header1.xml": paragraph(run("DRAFT 7")),
        "word/header2.xml": paragraph(run("DRAFT 7")),
        "word/footer1.xml": paragraph(run("Zelda Park")),
        "word/footnotes.xml": separator + note,
    }
    assert read(word(body, references, **parts)) == "DRAFT 7\n\nTides rise (At sea.), twice.\n\nZelda Park"


def style(key: str, name: str, inner: str = "", base: str = "") -> str:
    based = f'<w:basedOn w:val="{base}"/>' if base else ""
    return f'<w:style w:styleId="{key}"><w:name w:val="{name}"/>{based}<w:pPr>{inner}</w:pPr></w:style>'


def test_headings_are_known_by_their_style_whatever_it_is_called():
    styles = (
        style("berschrift1", "heading 1")
        + style("Mine", "Clause head", base="berschrift1")
        + style("Deep", "Deep", '<w:outlineLvl w:val="8"/>')
        + style("Body", "Body", '<w:outlineLvl w:val="9"/>', base="berschrift1")
        + style("Round", "Round", base="Round")
    )
    body = paragraph(run("own"), more='<w:outlineLvl w:val="1"/>') + "".join(
        paragraph(run(key), key) for key in ("berschrift1", "Mine", "Deep", "Body", "Round", "gone")
    )
    text, headings = text_of(word(body, [("rId1", "styles", "styles.xml")], **{"word/styles.xml": styles}), "a.docx")
    expected = ["### own", "## berschrift1", "## Mine", "###### Deep", "Body", "Round", "gone"]
    assert (text.split("\n\n"), headings) == (expected, True)


def level(place: int, form: str, shown: str, start: str = "1") -> str:
    says = f'<w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{shown}"/>'
    return f'<w:lvl w:ilvl="{place}">{says}</w:lvl>'


def item(text: str, number: int, place: int | None = None) -> str:
    deep = f'<w:ilvl w:val="{place}"/>' if place is not None else ""
    return paragraph(run(text), more=f'<w:numPr>{deep}<w:numId w:val="{number}"/></w:numPr>')


def test_items_of_lists_have_the_numbers_that_a_reader_sees():
    kinds = {
        1: level(0, "decimal", "%1.") + level(1, "decimal", "%1.%2") + level(2, "lowerLetter", "(%3)"),
        2: level(0, "upperRoman", "%1.", "8") + level(1, "lowerRoman", "%2)") + level(2, "upperLetter", "%3", "26"),
        3: level(0, "bullet", "•") + level(1, "none", ""),
    }
    numbering = "".join(f'<w:abstractNum w:abstractNumId="{key}">{of}</w:abstractNum>' for key, of in kinds.items())
    numbering += "".join(f'<w:num w:numId="{key + 4}"><w:abstractNumId w:val="{key}"/></w:num>' for key in kinds)
    body = "".join(
        [
            *(item("one", 5), item("a", 5, 1), item("b", 5, 1), item("deep", 5, 2), item("two", 5, 0), item("c", 5, 1)),
            *(item("eight", 6), item("nine", 6), item("i", 6, 1), item("Z", 6, 2), item("AA", 6, 2)),
            *(item("dot", 7), item("none", 7, 1), item("no list", 99)),
        ]
    )
    read_ = read(word(body, [("rId1", "numbering", "numbering.xml")], **{"word/numbering.xml": numbering}))
    assert read_.split("\n\n") == [
        *("1. one", "1.1 a", "1.2 b", "(a) deep", "2. two", "2.1 c"),
        *("VIII. eight", "IX. nine", "i) i", "Z Z", "AA AA"),
        *(f"{BULLET}dot", "none", "no list"),
    ]


def test_tables_in_tables_are_a_row_each_and_parts_have_any_name():
    inner = f"<w:tbl><w:tr><w:tc>{paragraph(run('x'))}</w:tc><w:tc>{paragraph(run('y'))}</w:tc></w:tr></w:tbl>"
    row = f"<w:tr><w:tc>{paragraph(run('a'))}{paragraph(run('b'))}</w:tc><w:tc>{inner}</w:tc></w:tr>"
    table = f"<w:tbl><w:sdt><w:sdtContent>{row}</w:sdtContent></w:sdt></w:tbl>"
    assert read(word(table, main="word/document2.xml")) == "a b | x | y"


CHART = (
    "<c:title><a:p><a:r><a:t>Sales</a:t></a:r></a:p></c:title><c:ser><c:tx><c:v>Graz</c:v></c:tx>"
    "<c:cat><c:v>Q1</c:v><c:v>Q2</c:v></c:cat><c:val><c:v>7</c:v><c:v>9</c:v><c:v>11</c:v></c:val></c:ser>"
    "<c:ser><c:val><c:v>1</c:v></c:val></c:ser>"
)
CHART_SAYS = "Sales\nGraz: Q1 = 7; Q2 = 9; 11\nSeries: 1"


def test_charts_and_diagrams_are_read_where_they_stand():
    body = paragraph(
        f'{run("Look:")}<w:r><w:drawing><c:chart r:id="rId1"/><dgm:relIds r:dm="rId2"/>'
        '<c:chart r:id="rId9"/></w:drawing></w:r>'
    )
    references = [("rId1", "chart", "charts/one.xml"), ("rId2", "diagramData", "diagrams/one.xml")]
    points = "<dgm:pt><a:p><a:t>Plan</a:t></a:p></dgm:pt><dgm:pt><a:p><a:t>Do</a:t></a:p></dgm:pt>"
    parts = {"word/charts/one.xml": CHART, "word/diagrams/one.xml": points}
    assert read(word(body, references, **parts)) == f"Look:\n{CHART_SAYS}\nPlan\nDo"


def shape(text: str, place: str = "") -> str:
    kind = f'<p:nvPr><p:ph type="{place}"/></p:nvPr>' if place else ""
    return f"<p:sp>{kind}<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p><a:p/></p:txBody></p:sp>"


def slides(count: int, **parts: Any) -> bytes:
    listed = "".join(f'<p:sldId id="{256 + n}" r:id="rId{n}"/>' for n in range(count, 0, -1))
    main = f"<p:presentation {SPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    related = {"ppt/presentation.xml": [(f"rId{n}", "slide", f"slides/slide{n}.xml") for n in range(1, count + 1)]}
    related["ppt/slides/slide1.xml"] = [("n", "notesSlide", "../notesSlides/one.xml"), ("c", "chart", "../one.xml")]
    filled = {name: f"<p:part {SPACES}>{xml}</p:part>" for name, xml in parts.items()}
    return office("ppt/presentation.xml", main, related, **filled)


def test_slides_are_read_in_the_order_in_which_they_are_shown_with_titles_tables_charts_and_notes():
    cells = "".join(f"<a:tc><a:p><a:t>{text}</a:t></a:p></a:tc>" for text in ("City", "Rooms"))
    frame = f'<p:graphicFrame><a:tbl><a:tr>{cells}</a:tr></a:tbl><c:chart r:id="c"/></p:graphicFrame>'
    parts = {
        "ppt/slides/slide1.xml": f"{shape('Results', 'title')}<p:grpSp>{shape('grew')}</p:grpSp>{frame}",
        "ppt/slides/slide2.xml": shape("Welcome", "ctrTitle"),
        "ppt/notesSlides/one.xml": shape("Lisbon closed", "body") + shape("7", "sldNum"),
        "ppt/one.xml": CHART,
    }
    expected = f"# Welcome\n\n# Results\ngrew\nCity | Rooms\n{CHART_SAYS}\nNotes: Lisbon closed"
    assert text_of(slides(2, **parts), "a.pptx") == (expected, True)


@pytest.mark.parametrize("content", [word(""), slides(1)])
def test_a_document_without_text_is_refused_without_a_word_of_scanning(content):
    with pytest.raises(Unreadable, match=r"^No text was found in the file\.$"):
        read(content)


def test_a_document_of_word_97_is_read():
    text = read(LETTER, "letter.doc")
    for said in ("Der Zählerstand", "Größe: 7 m²", "Stadtwerke Köln", "City | Rooms\nGraz | 14", "gemessen am Montag"):
        assert said in text
    assert "HYPERLINK" not in text


def test_a_document_of_word_97_that_is_damaged_or_locked_is_refused():
    flags = LETTER.index(b"\xec\xa5") + 10
    locked = bytearray(LETTER)
    locked[flags + 1] |= 1
    for content, said in ((bytes(locked), LOCKED), (LETTER[:1500], OTHER), (LETTER[:512] + bytes(20_000), OTHER)):
        with pytest.raises(Unreadable) as refused:
            read(content, "a.doc")
        assert str(refused.value) == said


@pytest.mark.parametrize("place", range(0x1E, 0x60, 2))
def test_a_document_of_word_97_with_a_wrong_number_in_its_head_is_read_or_refused(place):
    wrong = bytearray(LETTER)
    wrong[place : place + 2] = b"\x07\x00"
    try:
        assert isinstance(read(bytes(wrong), "a.doc"), str)
    except Unreadable as refused:
        assert str(refused)
