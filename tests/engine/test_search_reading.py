"""Reading files of all kinds, and what becomes of those that are damaged, hostile or no documents at all."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest

from playground_tui.engine.tools.file_search.chunking import Chunk
from playground_tui.engine.tools.file_search.reading import __main__ as program
from playground_tui.engine.tools.file_search.reading.formats import text_of
from playground_tui.engine.tools.file_search.reading.process import DAMAGED, MEGABYTE, TOO_MUCH, Limits, read_chunks
from playground_tui.engine.tools.file_search.reading.refusal import Unreadable
from tests.support.documents import archive, handbook, locked_pdf, pdf, with_body

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
GERMAN = "Grüße aus Köln, sagte der Besitzer des Cafés"


def read(content: bytes, name: str = "file.txt") -> str:
    return text_of(content, name)[0]


def refusal(content: bytes, name: str = "file.txt") -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        text_of(content, name)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_a_text_is_read_in_the_encoding_it_has(encoding):
    assert read(GERMAN.encode(encoding)) == GERMAN


def test_ends_of_lines_are_made_the_same_and_control_characters_left_out():
    assert read(b"one\r\ntwo\rthree\x00\x1b" + b"-" * 200) == "one\ntwo\nthree" + "-" * 200


def test_a_text_of_one_byte_is_a_text():
    assert read(b"x") == "x"


def test_json_is_shown_line_by_line_with_its_characters():
    assert (
        read(b'{"name":"K\\u00f6ln","rooms":[1,2]}', "a.json") == '{\n "name": "Köln",\n "rooms": [\n  1,\n  2\n ]\n}'
    )


@pytest.mark.parametrize("text", ["{not json", "[" * 100_000])
def test_json_that_cannot_be_read_is_a_text(text):
    assert read(text.encode(), "a.json") == text


def test_json_with_half_a_character_is_read():
    assert read(b'["\\ud800 here"]', "a.json") == '[\n "? here"\n]'


def test_json_lines_are_read_one_by_one():
    assert read(b'{"a":"\\u00e9"}\nnot json\n', "a.jsonl") == '{"a": "é"}\nnot json'


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_each_row_of_a_table_names_its_columns(separator):
    rows = [["city", "rooms"], ["Graz", "14"], ["Linz", ""], ["", ""]]
    table = "\n".join(separator.join(row) for row in rows)
    assert read(table.encode(), "a.csv") == "city: Graz; rooms: 14\ncity: Linz"


def test_a_row_that_is_longer_than_the_head_keeps_its_values():
    rows = ["a,b", *["1,2"] * 30, "1,2,3"]
    assert read("\n".join(rows).encode(), "a.csv").endswith("a: 1; b: 2\na: 1; b: 2; 3")


@pytest.mark.parametrize("text", ["just a line", "one\ntwo, three\nfour", 'a,b\n"' + "x" * 200_000 + '",c', ""])
def test_what_is_no_table_is_a_text(text):
    text = text or "a"
    assert read(text.encode(), "a.csv") == text


def test_a_table_with_a_field_beyond_all_measure_is_a_text():
    text = "a,b\n" + "1,2\n" * 30 + '"' + "x" * 200_000 + '",c'
    assert read(text.encode(), "a.csv") == text


PAGE = """<!DOCTYPE html><html><head><title>Rooms</title><style>p { x: y }</style><script>run("<p>")</script></head>
<body><h1>Our   rooms</h1><p>Quiet &amp;
bright.<br>With a view.</p><svg><text>drawn</text></svg><ul><li>one<li>two</ul><pre>a
   b</pre><table><tr><th>City<th>Rooms</tr><tr><td>Graz<td>14</table><p/><script/></body></html>"""
SEEN = """Rooms

# Our rooms

Quiet & bright.
With a view.

- one
- two

a
   b

 | City | Rooms
 | Graz | 14"""


@pytest.mark.parametrize("name", ["a.html", "a.htm", "page"])
def test_of_a_page_what_is_seen_is_read(name):
    assert text_of(PAGE.encode(), name) == (SEEN, True)


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-8", "euc-jp"])
def test_a_page_says_its_own_encoding(encoding):
    page = f'<html><head><meta charset="{encoding}"></head><body>東京都</body></html>'
    assert read(page.encode(encoding), "a.html") == "東京都"


def test_a_page_with_an_encoding_that_does_not_exist_is_read():
    assert read("<html><meta charset=klingon><body>Grüße".encode(), "a.html") == "Grüße"


def test_a_page_with_a_mark_is_read_by_it():
    assert read("\ufeff<html><meta charset=latin-1><body>Grüße".encode(), "a.html") == "Grüße"


def test_a_page_that_closes_what_it_did_not_open_is_read():
    assert read(b"</script></pre></p>text</b>", "a.html") == "text"


def test_a_page_as_deep_as_it_likes_is_read():
    assert read(b"<div>" * 50_000 + b"needle", "a.html") == "needle"


def test_a_pdf_is_read_page_by_page():
    content = pdf("First page (one)\nwith a hyphen-\nated word", "Second  page, café")
    assert read(content, "a.pdf").split() == [
        "First",
        "page",
        "(one)",
        "with",
        "a",
        "hyphenated",
        "word",
        "Second",
        "page,",
        "café",
    ]


def test_a_pdf_is_known_by_what_is_in_it():
    assert "here" in read(pdf("here"), "notes.txt")


def test_a_pdf_without_text_says_what_it_needs():
    code, sentence = refusal(pdf(""), "scan.pdf")
    assert code == "invalid_file"
    assert "OCR" in sentence


def test_a_pdf_with_a_password_says_so_and_one_that_only_forbids_changes_is_read():
    assert refusal(locked_pdf("secret"), "a.pdf")[1].startswith("The PDF is protected by a password")
    assert refusal(locked_pdf("secret", algorithm="AES-256"), "a.pdf")[1].startswith("The PDF is protected")
    for algorithm in ("RC4-128", "AES-128", "AES-256"):
        assert read(locked_pdf("", algorithm=algorithm), "a.pdf").strip() == "readable after all"


def test_what_was_filled_into_the_form_of_a_pdf_is_read():
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

    def field(name: str, value: str) -> Any:
        kind = {NameObject("/FT"): NameObject("/Tx"), NameObject("/T"): TextStringObject(name)}
        return writer._add_object(DictionaryObject({**kind, NameObject("/V"): TextStringObject(value)}))

    writer = PdfWriter(io.BytesIO(pdf("Name and town:")))
    fields = ArrayObject([field("name", "Kofi Mensah"), field("town", "Graz"), field("phone", "")])
    writer._root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): fields})
    written = io.BytesIO()
    writer.write(written)
    assert read(written.getvalue(), "a.pdf") == "Name and town:\n\n\nname: Kofi Mensah\ntown: Graz"


WORDS = {
    "de": "Der Zählerstand der Wärmepumpe beträgt 4711 kWh. Größe: groß, schön, süß.",
    "pl": "Spotkanie odbywa się w każdy wtorek o dziesiątej w drugiej sali. Żółć, gęślą jaźń.",
    "ru": "Совещание проходит каждый вторник в десять утра во второй переговорной.",
    "ar": "يعقد الاجتماع كل يوم ثلاثاء في الساعة العاشرة صباحا في قاعة الاجتماعات الثانية.",
    "ja": "会議は毎週火曜日の午前十時に第二会議室で行われます。資料は前日までに提出してください。",
    "zh": "会议每周二上午十点在二号会议室举行。请提前一天提交材料。",
    "tw": "會議每週二上午十點在二號會議室舉行。請提前一天提交材料。",
    "ko": "회의는 매주 화요일 오전 열시에 제2회의실에서 열립니다.",
    "µ": "10 µm ± 2 °C",
}


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *(("de", "cp1252"), ("pl", "cp1250"), ("ru", "cp1251"), ("ru", "koi8-r"), ("ru", "cp866"), ("ar", "cp1256")),
        *(("ja", "shift_jis"), ("ja", "euc-jp"), ("zh", "gb18030"), ("tw", "big5"), ("ko", "euc-kr"), ("µ", "cp1252")),
    ],
)
def test_a_text_that_is_no_unicode_is_read_in_the_encoding_that_it_most_likely_has(language, encoding):
    assert read(WORDS[language].encode(encoding)) == WORDS[language]


def test_a_word_document_is_read_with_headings_lists_and_tables():
    expected = "# Handbook\n\n## Vacation\n\nEverybody gets 28 days of vacation.\n\n- Ask early.\n\nCity | Rooms\nGraz"
    assert text_of(handbook(), "a.docx") == (expected, True)


def test_nothing_is_read_through_a_word_document():
    xml = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document xmlns:w="{WORD}"><w:body><w:p><w:r>'
    content = with_body(handbook(), f"{xml}<w:t>before &x; after</w:t></w:r></w:p></w:body></w:document>".encode())
    with pytest.raises(ParseError, match="undefined entity"):
        read(content, "a.docx")


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "invalid_file", "empty"),
        (b" \n ", "invalid_file", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 50, "unsupported_file", "not a text"),
        (os.urandom(5000) + bytes(200), "unsupported_file", "not a text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "unsupported_file", "save it as .docx"),
        (archive(**{"[Content_Types]_xml": "<x/>", "xl__workbook_xml": "<x/>"}), "unsupported_file", "save it as"),
        (archive(readme="text"), "unsupported_file", "archive"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(content, code, words):
    refused, sentence = refusal(content)
    assert refused == code
    assert words in sentence


async def chunks(tmp_path: Path, content: bytes, name: str = "file.txt", limits: Limits | None = None) -> list[Chunk]:
    path = tmp_path / "content"
    path.write_bytes(content)
    return [chunk async for chunk in read_chunks(path, name, 100, 50, limits or Limits())]


async def refused(tmp_path: Path, content: bytes, name: str = "file.txt", limits: Limits | None = None) -> str:
    with pytest.raises(Unreadable) as caught:
        await chunks(tmp_path, content, name, limits)
    assert caught.value.code == "invalid_file"
    return str(caught.value)


async def test_a_file_is_read_and_cut_in_a_process_of_its_own(tmp_path):
    found = await chunks(tmp_path, b"# One\n\n" + b"Some words here. " * 60 + b"\n\n# Two\n\nThe end.", "a.md")
    assert len(found) > 3
    assert found[0].heading == "One"
    assert found[-1].text.endswith("The end.")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"# One\n\nText.", [["# One\n\nText.", "One"], {"chunks": 1}]),
        (b"", [{"code": "invalid_file", "message": "The file is empty."}]),
    ],
)
def test_the_process_answers_in_lines(tmp_path, monkeypatch, content, expected):
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(program, "limit", lambda *given: limits.append(given))
    path = tmp_path / "content"
    path.write_bytes(content)
    task = {"path": str(path), "filename": "a.md", "size": 100, "overlap": 0, "memory": 5, "seconds": 6, "most": 9}
    answer = io.StringIO()
    program.main(io.StringIO(json.dumps(task)), answer)
    assert [json.loads(line) for line in answer.getvalue().splitlines()] == expected
    assert limits == [(5, 6)]


def test_too_little_memory_is_said(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(program, "limit", lambda *_: None)
    monkeypatch.setattr(program, "text_of", fail)
    path = tmp_path / "content"
    path.touch()
    answer = io.StringIO()
    program.main(io.StringIO(json.dumps({"path": str(path), "filename": "a", "memory": 1, "seconds": 1})), answer)
    assert "more memory" in json.loads(answer.getvalue())["message"]


async def test_a_file_without_text_is_refused_by_the_process(tmp_path):
    assert await refused(tmp_path, b"") == "The file is empty."


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pdf", pdf("text")[:300]), ("a.pdf", b"%PDF-1.7\n" + bytes(5000)), ("a.docx", handbook()[:4000])],
)
async def test_a_damaged_file_is_refused(tmp_path, name, content):
    assert await refused(tmp_path, content, name) == DAMAGED


async def test_a_page_tree_that_contains_itself_is_refused(tmp_path):
    loop = b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n"
    assert "cannot be read" in await refused(tmp_path, b"%PDF-1.4\n" + loop + b"trailer<</Root 1 0 R>>\n%%EOF", "a.pdf")


async def test_a_document_that_unpacks_to_gigabytes_costs_no_more_than_its_limit(tmp_path):
    xml = f'<w:document xmlns:w="{WORD}"><w:body>' + "<w:p><w:r><w:t>aa</w:t></w:r></w:p>" * 2_000_000
    bomb = with_body(handbook(), f"{xml}</w:body></w:document>".encode())
    assert len(bomb) < 1_000_000
    limits = Limits(memory=256 * 1024 * 1024)
    assert "than is allowed" in await refused(tmp_path, bomb, "a.docx", limits)


async def test_a_file_that_takes_too_long_is_given_up(tmp_path):
    limits = Limits(seconds=1, seconds_factor=0)
    assert "more time" in await refused(tmp_path, b"<div>" * 2_000_000, "a.html", limits)


async def test_a_file_that_waits_too_long_is_given_up(tmp_path):
    assert "more time" in await refused(tmp_path, b"text", limits=Limits(patience=0))


async def test_a_file_of_too_many_tokens_is_refused(tmp_path):
    sentence = await refused(tmp_path, b"word " * 2000, limits=Limits(tokens=1000))
    assert sentence == "The file has more than 1,000 tokens: cut it into several files."
    assert await chunks(tmp_path, b"word " * 900, limits=Limits(tokens=1000))


async def test_a_process_that_ends_for_another_reason_is_our_own_error(tmp_path, monkeypatch):
    monkeypatch.setattr("playground_tui.engine.tools.file_search.reading.process.COMMAND", ("/bin/sh", "-c", "exit 7"))
    with pytest.raises(Unreadable) as caught:
        await chunks(tmp_path, b"text")
    assert (caught.value.code, "status 7" in str(caught.value)) == ("server_error", True)


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("printf '[\"half a'", "ended with status 0"),
        ("printf '[\"half a'; kill -KILL $$", TOO_MUCH),
        (f"head -c {2 * MEGABYTE} /dev/zero; sleep 60", DAMAGED),
        ("echo '[no JSON'", DAMAGED),
    ],
)
async def test_a_line_that_is_no_chunk_is_a_refusal(tmp_path, monkeypatch, shell, words):
    monkeypatch.setattr("playground_tui.engine.tools.file_search.reading.process.COMMAND", ("/bin/sh", "-c", shell))
    with pytest.raises(Unreadable, match=words):
        await chunks(tmp_path, b"text")


async def test_the_process_knows_nothing_of_the_engines_environment(tmp_path, monkeypatch):
    told = tmp_path / "told"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setattr(
        "playground_tui.engine.tools.file_search.reading.process.COMMAND",
        ("/bin/sh", "-c", f"env > {told}; echo '{json.dumps({'chunks': 0})}'"),
    )
    assert await chunks(tmp_path, b"text") == []
    assert "PYTHONPATH=" in told.read_text()
    assert "canary" not in told.read_text()


async def test_reading_that_is_left_ends_the_process(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"Some words here. " * 60_000)
    reading = read_chunks(path, "a.txt", 100, 50, Limits())
    assert (await anext(reading)).text.startswith("Some words")
    await reading.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(reading)
