"""Mails as people get them: every part, in any charset, whoever wrote it."""

from __future__ import annotations

import base64
import time

import pytest

from pipelines.chunking.formats import read_blocks
from tests.pipelines.chunking import files

HEAD = "Subject: Water\r\nFrom: ada@a.test\r\nMIME-Version: 1.0\r\n"


def _read(mail: bytes | str) -> str:
    content = mail.encode("utf-8", "surrogateescape") if isinstance(mail, str) else mail
    return "\n\n".join(block.text for block in read_blocks(content, files.MAIL))


def _mixed(*parts: str, kind: str = "mixed") -> str:
    divided = "".join(f"--B\r\n{part}\r\n" for part in parts)
    return f'{HEAD}Content-Type: multipart/{kind}; boundary="B"\r\n\r\n{divided}--B--\r\n'


def _encoded(text: str, encoding: str) -> str:
    return base64.b64encode(text.encode(encoding)).decode()


@pytest.mark.parametrize(
    ("charset", "body", "words"),
    [
        ("iso-8859-8-i", "שלום".encode("iso8859-8"), "שלום"),
        ("cp-850", "Grüße".encode("cp850"), "Grüße"),
        ("x-sjis", "本日の会議では".encode("shift_jis"), "本日の会議では"),
        ("ks_c_5601-1987", "첨부된 문서를".encode("euc-kr"), "첨부된 문서를"),
        ("no-such-charset", "Grüße aus Köln".encode("cp1252"), "Grüße aus Köln"),
        ("us-ascii", "Сегодня на совещании обсуждали".encode("koi8-r"), "Сегодня на совещании обсуждали"),
        ("utf-8", "München".encode("cp1252"), "München"),
        ('"UTF-8; format=flowed"', "Zürich".encode(), "Zürich"),
    ],
)
def test_charsets(charset: str, body: bytes, words: str) -> None:
    mail = f"{HEAD}Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + body
    assert words in _read(mail)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Subject: Grüße"),
        (b"Subject: Re:=?utf-8?B?R3LDvMOfZQ==?=!", "Subject: Re:Grüße!"),
        (b"Subject: =?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "Subject: Grüße"),
        (b"Subject: =?utf-8?q?with spaces?= =?x-none?q?=FC?=", "Subject: with spacesü"),
        (b'From: "=?iso-8859-1?Q?J=FCrgen?=" <j@a.test>', 'From: "Jürgen" <j@a.test>'),
        (b"Subject: Gr\xfc\xdfe", "Subject: Grüße"),
        ("Subject: Grüße".encode(), "Subject: Grüße"),
        (b"Subject: one\r\n two", "Subject: one two"),
        (b"To: a@[", "To: a@["),
        (b"To: undisclosed-recipients:;, <<x@y>>", "To: undisclosed-recipients:;, <<x@y>>"),
    ],
)
def test_headers(raw: bytes, shown: str) -> None:
    assert shown in _read(raw + b"\r\n\r\nbody").split("\n")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=UTF-8''Gr%C3%BC%C3%9Fe.bin", "Grüße.bin"),
        ("filename*0*=iso-8859-1''M%FC; filename*1*=hle; filename*2=.bin", "Mühle.bin"),
        ('filename="=?utf-8?q?M=C3=BChle.bin?="', "Mühle.bin"),
        ("filename=plan of mill.bin", "plan"),
        ('filename="cut.bin', "cut.bin"),
    ],
)
def test_names_of_attachments(disposition: str, name: str) -> None:
    part = f"Content-Type: application/x-none\r\nContent-Disposition: attachment; {disposition}\r\n\r\nx"
    assert f"Attachments: {name}" in _read(_mixed("\r\nbody", part))


def test_text_around_pictures_and_in_nested_parts() -> None:
    picture = 'Content-Type: image/png; name="a.png"\r\nContent-Disposition: inline\r\n\r\nxyz'
    html = "Content-Type: text/html\r\n\r\n<p>inner</p>"
    inner = f'Content-Type: multipart/related; boundary="C"\r\n\r\n--C\r\n{html}\r\n--C--'
    assert _read(_mixed("\r\nbefore", picture, "\r\nafter", inner)).endswith(
        "before\n\nafter\n\ninner\n\nAttachments: a.png"
    )


@pytest.mark.parametrize(
    ("plain", "html", "shown", "unseen"),
    [
        ("Dear all, the garnet mill", "<p>Dear all, the garnet mill</p>", "Dear all", "<p>"),
        (
            "Your reader shows no HTML.",
            "<table><tr><th>Mill<th>Power<tr><td>opal<td>12</table>",
            "| opal | 12 |",
            "reader",
        ),
        ("", "<p>only here</p>", "only here", "<p>"),
    ],
)
def test_the_alternative_that_says_more(plain: str, html: str, shown: str, unseen: str) -> None:
    read = _read(_mixed(f"\r\n{plain}", f"Content-Type: text/html\r\n\r\n{html}", kind="alternative"))
    assert shown in read
    assert unseen not in read


FULL = "Dear all, the garnet mill will stand still in March: " + " ".join(f"day{number}" for number in range(30))


@pytest.mark.parametrize(
    ("alternatives", "shown", "unseen"),
    [
        ((("plain", FULL), ("html", "<img src=x alt='Newsletter of March'>")), "garnet", "Newsletter"),
        ((("plain", FULL), ("html", "<p>View this mail in your browser</p>")), "garnet", "browser"),
        ((("plain", "The mill stops."), ("html", "<p>View this mail in your browser</p>")), "mill", "browser"),
        ((("plain", FULL), ("html", "<p>opal</p>")), "garnet", "opal"),
        ((("html", f"<p>{FULL}</p>"), ("plain", "see the page")), "garnet", "see"),
        (
            (("plain", "See https://a.test/news/of/the/mills"), ("html", "<p>See <a href=x>opal news</a></p>")),
            "opal",
            ":",
        ),
        (
            (("plain", "garnet"), ("html", "<p>garnet opal</p>"), ("x-amp-html", "<p>amp words are more</p>")),
            "opal",
            "amp",
        ),
        ((("plain", "garnet"), ("rtf", r"{\rtf1 garnet and opal \'fc}")), "garnet and opal ü", "rtf1"),
        ((("plain", "garnet"), ("html", "<p>garnet htmlwords</p>")), "htmlwords", "<p>"),
        ((("x-amp-html", "<p>only here</p>"),), "only here", "<p>"),
        (
            (("plain", "今日は会議です。"), ("html", "<p>今日は<b>会議</b>です。資料を添付しました。</p>")),
            "資料",
            "<b>",
        ),
    ],
)
def test_of_alternatives_the_fullest(alternatives: tuple[tuple[str, str], ...], shown: str, unseen: str) -> None:
    parts = (f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{body}" for kind, body in alternatives)
    body = _read(_mixed(*parts, kind="alternative")).split("\n\n", 1)[1]
    assert shown in body
    assert unseen not in body


def test_styles_and_scripts_of_a_page_are_no_text() -> None:
    page = "Content-Type: text/html\r\n\r\n<p>garnet</p>"
    read = _read(_mixed(page, *(f"Content-Type: text/{kind}\r\n\r\n.opal {{}}" for kind in ("css", "javascript"))))
    assert "garnet" in read
    assert "opal" not in read


EVENT = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Garnet review\r\nLOCATION:Room 5\\, first floor\r\n"
    "DTSTART;TZID=Europe/Berlin:20260304T100000\r\nDTEND:20260304T110000Z\r\n"
    'ATTENDEE;CN="Lovelace, Ada";RSVP=TRUE:mailto:ada@a.test\r\n'
    "DESCRIPTION:Bring the obs\r\n idian report\\nand tea\r\n"
    "END:VEVENT\r\nEND:VCALENDAR"
)


def test_invitations_once() -> None:
    invitation = f"Content-Type: text/calendar; method=REQUEST\r\n\r\n{EVENT}"
    attached = f"Content-Type: text/calendar; name=invite.ics\r\nContent-Disposition: attachment\r\n\r\n{EVENT}"
    read = _read(_mixed("\r\nYou are invited", invitation, kind="alternative"))
    assert "Garnet review\nPlace: Room 5, first floor\nStart: 2026-03-04 10:00 Europe/Berlin" in read
    assert "Attendee: Lovelace, Ada <ada@a.test>" in read
    assert "Bring the obsidian report\nand tea" in read
    assert "Garnet review" in _read(_mixed("\r\nSee there", attached))


def test_forwarded_and_attached_files_are_read_under_their_names() -> None:
    forwarded = "Content-Type: message/rfc822\r\n\r\nSubject: outage\r\nFrom: c@a.test\r\n\r\nthe opaline gateway"
    sheet = 'Content-Type: application/octet-stream; name="mills.csv"\r\n\r\nmill;power\r\nopal;12'
    word = base64.b64encode(files.word()).decode()
    document = f'Content-Type: application/x-none; name="plan.docx"\r\nContent-Transfer-Encoding: base64\r\n\r\n{word}'
    vague = document.replace("application/x-none", "application/octet-stream")
    broken = 'Content-Type: application/pdf; name="scan.pdf"\r\n\r\n%PDF-1.4 broken'
    read = _read(_mixed("\r\nbody", forwarded, sheet, vague, broken))
    assert "## outage\n\nSubject: outage\nFrom: c@a.test\n\nthe opaline gateway" in read
    assert "## mills.csv\n\n| mill | power |\n| --- | --- |\n| opal | 12 |" in read
    assert "## plan.docx\n\n### Plan\n\nA short line" in read
    assert read.endswith("Attachments: mills.csv, plan.docx, scan.pdf")


@pytest.mark.parametrize(
    ("parameters", "body", "shown"),
    [
        ("format=flowed", "one \r\ntwo\r\n> said \r\n> so\r\n-- \r\nAda", "one two\n> said so\n-- \nAda"),
        ("format=flowed; delsp=yes", "日本 \r\n語", "日本語"),
        ("charset=utf-8", "one \r\ntwo", "one\ntwo"),
    ],
)
def test_flowed_text(parameters: str, body: str, shown: str) -> None:
    read = _read(f"{HEAD}Content-Type: text/plain; {parameters}\r\n\r\n{body}")
    assert [line.rstrip() for line in read.split("\n\n", 1)[1].split("\n")] == [
        line.rstrip() for line in shown.split("\n")
    ]


@pytest.mark.parametrize(
    ("mail", "word"),
    [
        ("From: a@b.test\r\n\r\nwithout MIME", "MIME"),
        ("\r\n\r\nSubject: after empty lines\r\n\r\nbody", "empty"),
        ("From a@b.test Mon Jan  5\r\nSubject: of a mailbox\r\n\r\nbody", "mailbox"),
        (f"{HEAD}Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe cut=", "Grüße"),
        (f"{HEAD}Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZSBjdX", "Grüße"),
        (f"{HEAD}Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nnever closed", "closed"),
        (f"{HEAD}Content-Type: multipart/mixed\r\n\r\nno boundary", "boundary"),
        (f"{HEAD}Content-Type: nonsense\r\n\r\nstill text", "still"),
        ("Subject: only headers", "only"),
        ("Subject: x\rFrom: y\r\rold line ends", "ends"),
        ("Subject: x\n\nbegin 644 a.txt\n#86)C\n`\nend\n", "abc"),
    ],
)
def test_odd_mails(mail: str, word: str) -> None:
    assert word in _read(mail)


def test_sixteen_bits() -> None:
    assert "Grüße" in _read("Subject: x\r\n\r\nGrüße".encode("utf-16"))


@pytest.mark.parametrize(
    "mail",
    [
        "".join(f"Content-Type: multipart/mixed; boundary=B{n}\r\n\r\n--B{n}\r\n" for n in range(20_000)),
        "Content-Type: message/rfc822\r\n\r\n" * 20_000,
        f"{HEAD}Content-Type: multipart/mixed; boundary=B\r\n\r\n" + "--B\r\n\r\nx\r\n" * 100_000,
        "Subject: " + "=?utf-8?q?x?= " * 50_000,
        f"{HEAD}Content-Type: text/plain" + ';a="' * 100_000,
        "Subject: x\n\n" + "begin 644 a\n" * 50_000,
        "a: b\n" * 200_000,
    ],
    ids=["depth", "forwarded", "parts", "words", "parameters", "uuencoded", "headers"],
)
def test_hostile_mails_take_a_moment(mail: str) -> None:
    start = time.process_time()
    _read(mail)
    assert time.process_time() - start < 10
