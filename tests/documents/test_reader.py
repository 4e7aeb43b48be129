"""Files as people attach them, whole, broken and hostile."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from bot.documents import MOST_BYTES, Read, Reader
from bot.documents.apart import started
from tests.documents.made import a_pdf, a_picture
from tests.fakes import WordCounter

PLENTY = 100_000


@pytest.fixture
def reader() -> Reader:
    return Reader(WordCounter())


async def read(reader: Reader, name: str, data: bytes, tokens: int = PLENTY, media_type: str = "") -> Read:
    return await reader.read(name, media_type, data, tokens)


# Text.


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "naïve 今天"),
        ("utf-8-sig", "今天天气很好"),
        ("utf-16", "今天天气很好"),
        ("utf-16-le", "plain letters, no mark"),
        ("utf-16-be", "plain letters, no mark"),
        ("utf-32", "今天 and letters"),
        ("gb18030", "今天天气很好"),
        ("gb18030", "会议纪要：请大家准时参加，谢谢。"),
        ("big5", "今天天氣很好"),
        ("big5", "請問這個檔案的內容是什麼？謝謝你們的幫忙。"),
        ("cp1252", "Grüße aus München, schöne Straße"),
        ("cp1252", "Ça va? Über déjà vu, naïve café"),
        ("shift_jis", "これはテストです。日本語のファイル"),
        ("euc_kr", "안녕하세요 세계 테스트입니다"),
    ],
)
async def test_text_is_read_in_whatever_encoding_it_has(reader: Reader, encoding: str, text: str) -> None:
    found = await read(reader, "note.txt", text.encode(encoding))
    assert found.text == text
    assert found.note == ""


@pytest.mark.parametrize("name", ["app.py", "main.rs", "config.json", "README.md", "server.log", "Makefile"])
async def test_code_and_logs_are_read_as_they_are(reader: Reader, name: str) -> None:
    text = 'if x:\n\treturn {"a": 1}  # 完成\n'
    found = await read(reader, name, text.encode())
    assert found.text.rstrip() == text.rstrip()
    assert found.tokens == len(found.text.split())


async def test_a_long_text_keeps_both_ends_within_its_tokens_and_says_so(reader: Reader) -> None:
    lines = [f"line {number} of the log" for number in range(10_000)]
    found = await read(reader, "server.log", "\n".join(lines).encode(), tokens=500)
    assert found.text.startswith("line 0 of the log\n")
    assert found.text.endswith("line 9999 of the log")
    assert found.tokens <= 500
    assert found.note == "file-cut"
    assert "\n[…]\n" in found.text


async def test_of_a_very_large_text_beginning_and_end_are_decoded(reader: Reader) -> None:
    text = "天" * 3_000_000 + "结尾"
    found = await reader.read("big.txt", "", text.encode(), 10)
    assert found.text.startswith("天天")
    assert found.text.endswith("结尾")
    assert "\ufffd" not in found.text


async def test_what_is_no_text_is_said_to_be_none(reader: Reader) -> None:
    for name, data in [
        ("notes.txt", bytes(range(256)) * 20),
        ("data.bin", b"\x7fELF" + b"\x00\x01" * 400),
        ("app.py", b"PK\x03\x04" + b"x" * 100),
    ]:
        assert (await read(reader, name, data)).note == "file-other", name


async def test_the_colours_of_a_log_are_left_out(reader: Reader) -> None:
    assert (await read(reader, "a.log", b"\x1b[31mERROR\x1b[0m disk full")).text == "ERROR disk full"


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x00", b" \n "])
async def test_an_empty_file_is_said_to_be_empty(reader: Reader, data: bytes) -> None:
    assert (await read(reader, "a.txt", data)).note == "file-empty"


# Tables.


async def test_a_table_is_read_with_its_header(reader: Reader) -> None:
    found = await read(reader, "a.csv", b"name,amount\nAnn,1\nBea,2\n")
    assert found.text == "name,amount\nAnn,1\nBea,2\n"
    assert (found.note, dict(found.values)) == ("file-rows", {"rows": "2"})


async def test_of_a_million_rows_the_first_are_read_and_the_rest_counted(reader: Reader) -> None:
    data = b"a b,c d\n" + b"1 2,3 4\n" * 1_000_000
    began = time.monotonic()
    found = await read(reader, "big.csv", data, tokens=100)
    assert time.monotonic() - began < 5
    assert found.text.startswith("a b,c d\n1 2,3 4\n")
    assert found.tokens <= 100
    assert found.note == "file-some-rows"
    assert found.values["rows"] == "1,000,000"


async def test_a_cell_over_several_lines_is_one_row(reader: Reader) -> None:
    found = await read(reader, "a.csv", b'name;text\nAnn;"one\ntwo"\nBea;three\n')
    assert found.values["rows"] == "2"


async def test_a_cell_without_end_is_no_trap(reader: Reader) -> None:
    found = await read(reader, "a.csv", b'a,b\n"' + b"x" * 400_000, tokens=50)
    assert found.text.startswith("a,b")


async def test_a_tsv_may_hold_commas(reader: Reader) -> None:
    assert (await read(reader, "a.tsv", b"a\tb\n1,5\t2\n")).values["rows"] == "1"


# Pages.


async def test_of_a_page_the_seen_text_is_read(reader: Reader) -> None:
    html = (
        "<title>报告</title><style>p{}</style><body><script>evil()</script><h1>Sales</h1><p>up <b>5 %</b></p>"
    )
    found = await read(reader, "a.html", html.encode())
    assert found.text.split() == ["报告", "Sales", "up", "5", "%"]


async def test_a_tangled_page_cannot_hold_the_reader_up() -> None:
    reader = Reader(WordCounter(), seconds=1.0)
    began = time.monotonic()
    found = await read(reader, "a.html", b"<a " * 400_000 + b"<!" * 200_000)
    assert time.monotonic() - began < 4
    assert isinstance(found, Read)


# PDF.


async def test_a_pdf_is_read_page_by_page(reader: Reader) -> None:
    found = await read(reader, "plan.pdf", a_pdf("Plan for May", "Budget 1200"))
    assert found.text == "[page 1]\nPlan for May\n\n[page 2]\nBudget 1200\n\n"
    assert (found.note, dict(found.values)) == ("file-pages", {"pages": 2})


async def test_a_pdf_is_known_by_its_beginning_whatever_its_name(reader: Reader) -> None:
    found = await read(reader, "invoice.txt", a_pdf("Invoice 7"), media_type="text/plain")
    assert "Invoice 7" in found.text


async def test_a_parser_that_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    found = await read(Reader(WordCounter(), seconds=0.01), "a.pdf", a_pdf("x"))
    assert found.note == "file-slow"
    assert time.monotonic() - began < 3


async def test_a_parser_that_nobody_waits_for_is_ended() -> None:
    reading = asyncio.create_task(Reader(WordCounter()).read("a.pdf", "", a_pdf("x"), PLENTY))
    known = set(psutil.Process().children())
    while not (parsers := set(psutil.Process().children()) - known):  # noqa: ASYNC110 — it has no event
        await asyncio.sleep(0.005)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert psutil.wait_procs(parsers, timeout=5)[1] == []


async def test_the_parser_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_MODEL__API_KEY", "sk-secret")
    with started("pdf", 10) as process:
        environment = psutil.Process(process.pid).environ()
        process.kill()
    assert not any("sk-secret" in value for value in environment.values())


# Pictures.


async def test_a_picture_is_known_by_its_beginning_whatever_its_name(reader: Reader) -> None:
    assert (await read(reader, "a.txt", a_picture("PNG", (20, 20)))).note == "file-picture"


async def test_text_that_calls_itself_a_picture_is_read_as_text(reader: Reader) -> None:
    assert (await read(reader, "a.png", b"not a picture", media_type="image/png")).text == "not a picture"


# What is not read.


@pytest.mark.parametrize(
    ("name", "media_type", "note"),
    [
        ("voice.ogg", "audio/ogg", "file-sound"),
        ("clip", "video/mp4", "file-sound"),
        ("report.docx", "", "file-office"),
        ("table.xlsx", "application/octet-stream", "file-office"),
        ("all.zip", "application/zip", "file-other"),
        ("photo.heic", "image/heic", "file-other"),
    ],
)
def test_what_cannot_be_read_is_not_even_fetched(
    reader: Reader, name: str, media_type: str, note: str
) -> None:
    refused = reader.refuse(name, media_type, 10)
    assert refused is not None
    assert refused.note == note


@pytest.mark.parametrize("name", ["a.pdf", "b.csv", "c.py", "d.png", "app.ts", "Dockerfile", "e.svg"])
def test_what_can_be_read_is_fetched(reader: Reader, name: str) -> None:
    assert reader.refuse(name, "", 10) is None


def test_what_is_too_large_is_not_fetched(reader: Reader) -> None:
    refused = reader.refuse("a.txt", "text/plain", MOST_BYTES + 1)
    assert refused is not None
    assert refused.note == "file-too-large"
    assert refused.values["most"] == "20.0 MB"
