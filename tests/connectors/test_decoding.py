"""Bytes as text: encodings with and without a declaration, and what is none."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.decoding import UnknownEncoding, decode, decode_leniently, find_codec

JAPANESE = (
    "本日の会議ではガーネット計画の予算と日程について話し合いました。次回は来週の月曜日です。",
    "お世話になっております。\n資料を添付しましたので、ご確認ください。\nよろしくお願いいたします。",
    "注意：この書類は社外秘です",
)
CHINESE = (
    "今天的会议讨论了石榴石计划的预算和日程，下次会议定于下周一举行。",
    "注意：本文件为机密文件，禁止外传。\n如有问题，请联系财务部王经理。",
)
TAIWANESE = (
    "今天的會議討論了石榴石計劃的預算和日程，下次會議定於下週一舉行。",
    "伺服器將於今晚十點進行維護，預計持續兩個小時。",
)
KOREAN = (
    "오늘 회의에서는 가넷 계획의 예산과 일정에 대해 논의했습니다. 다음 회의는 월요일입니다.",
    "첨부된 문서를 확인해 주시기 바랍니다.\n감사합니다.",
)
RUSSIAN = (
    "Сегодня на совещании обсуждали бюджет и сроки плана. Следующая встреча в понедельник.",
    "Добрый день!\nПрошу согласовать договор с поставщиком до пятницы.",
    "Внимание: документ является конфиденциальным.",
)
UKRAINIAN = ("Сьогодні на нараді обговорили бюджет і терміни. Наступна зустріч відбудеться в понеділок.",)
GREEK = ("Σήμερα στη συνάντηση συζητήθηκε ο προϋπολογισμός του έργου.", "Καλημέρα σας,\nπαρακαλώ δείτε το συνημμένο.")
HEBREW = ("בפגישה היום דנו בתקציב ובלוח הזמנים של תוכנית גרנט.", "שלום רב,\nמצורף הדוח הרבעוני.\nתודה")
ARABIC = ("ناقش الاجتماع اليوم ميزانية المشروع والجدول الزمني.", "مرحبا،\nيرجى مراجعة الملف المرفق.\nشكرا جزيلا")
POLISH = ("Następne spotkanie odbędzie się w poniedziałek, żeby każdy mógł być obecny.", "Zażółć gęślą jaźń")
CZECH = ("Na dnešní schůzce jsme projednali rozpočet. Příští schůzka se koná v pondělí.",)
HUNGARIAN = ("A mai ülésen megvitattuk a költségvetést. A következő ülés hétfőn lesz, kérjük, legyenek ott időben.",)
TURKISH = ("Bugünkü toplantıda bütçe ve takvim görüşüldü, lütfen geç kalmayınız.",)
GERMAN = (
    "Café Müller öffnet täglich um neun; für Gäste ist der Eintritt frei.",
    "Grüße aus München, die Straße ist frei",
)
FRENCH = ("Réunion prévue à 10 h : l'équipe a déjà présenté les résultats, où le bénéfice a été élevé.",)
SPANISH = ("La reunión de mañana será a las nueve; el señor Núñez presentará la situación económica.",)
THAI = ("วันนี้ที่ประชุมได้หารือเรื่องงบประมาณและกำหนดการ",)
EVERY = (*JAPANESE, *CHINESE, *TAIWANESE, *KOREAN, *RUSSIAN, *GREEK, *HEBREW, *ARABIC, *POLISH, *GERMAN, *THAI)

LEGACY = [
    *((text, encoding) for text in JAPANESE for encoding in ("shift_jis", "cp932", "euc-jp", "iso2022_jp")),
    *((text, encoding) for text in CHINESE for encoding in ("gb2312", "gb18030")),
    *((text, "big5") for text in TAIWANESE),
    *((text, "euc-kr") for text in KOREAN),
    *((text, encoding) for text in RUSSIAN for encoding in ("cp1251", "koi8-r", "cp866")),
    *((text, encoding) for text in UKRAINIAN for encoding in ("cp1251", "koi8-u")),
    *((text, "cp1253") for text in GREEK),
    *((text, "cp1255") for text in HEBREW),
    *((text, "cp1256") for text in ARABIC),
    *((text, "cp1250") for text in (*POLISH, *CZECH, *HUNGARIAN)),
    *((text, "iso8859-2") for text in (*POLISH, *CZECH)),
    *((text, "cp1254") for text in TURKISH),
    *((text, "cp874") for text in THAI),
    *((text, encoding) for text in (*GERMAN, *FRENCH, *SPANISH) for encoding in ("cp1252", "cp850", "cp437")),
]


@pytest.mark.parametrize(("text", "encoding"), LEGACY)
def test_what_declares_nothing_is_known_by_its_letters(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    assert decode(data) == data.decode(encoding)


@pytest.mark.parametrize("text", EVERY)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_unicode_with_and_without_a_mark(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("text", ["Minutes: the garnet plan", "a\nb\nc\n", "Zürich, 5 €"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_zero_bytes_tell_wide_characters(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "content_type", "expected"),
    [
        ("Łódź".encode("iso8859-2"), "text/plain; charset=ISO-8859-2", "Łódź"),
        (b'<meta charset="iso-8859-2">' + "Łódź".encode("iso8859-2"), "", '<meta charset="iso-8859-2">Łódź'),
        (b'<meta http-equiv=a content="text/html; charset=koi8-r">\xc7', "", None),
        (
            b'<?xml version="1.0" encoding="iso-8859-7"?><a>\xe1\xe2</a>',
            "",
            '<?xml version="1.0" encoding="iso-8859-7"?><a>αβ</a>',
        ),
        (b"# -*- coding: shift_jis -*-\n" + "x = 'ア'".encode("cp932"), "", "# -*- coding: shift_jis -*-\nx = 'ア'"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=cp1250 :\n\xb9", "", None),
        ("grüß".encode("utf-7"), "text/plain; charset=utf-7", "grüß"),
        # what does not fit is not trusted
        (b'<meta charset="no-such">\xfc', "", '<meta charset="no-such">ü'),
        (RUSSIAN[0].encode("cp1251"), "text/plain; charset=koi8-r", RUSSIAN[0]),
        (RUSSIAN[0].encode("koi8-r"), "text/plain; charset=iso-8859-1", RUSSIAN[0]),
        (JAPANESE[0].encode("shift_jis"), "text/plain; charset=utf-8", JAPANESE[0]),
        (JAPANESE[0].encode("shift_jis"), "text/plain; charset=us-ascii", JAPANESE[0]),
        (GERMAN[0].encode(), "text/plain; charset=iso-8859-1", GERMAN[0]),
        (GERMAN[0].encode("utf-8"), "text/plain; charset=shift_jis", GERMAN[0]),
    ],
)
def test_declarations(data: bytes, content_type: str, expected: str | None) -> None:
    read = decode(data, content_type)
    assert "\ufffd" not in read
    assert expected is None or read == expected


@pytest.mark.parametrize("text", [*GERMAN, *JAPANESE, *RUSSIAN, "Grüße, nichts weiter"])
def test_a_bad_byte_costs_itself_alone(text: str) -> None:
    data = text.encode()
    spoilt = (
        data[:6].decode(errors="ignore").encode() + b"\xff" + data[len(data[:6].decode(errors="ignore").encode()) :]
    )
    assert decode(spoilt).replace("\ufffd", "") == text


@pytest.mark.parametrize("size", [200, 5_000])
def test_noise_is_no_text(size: int) -> None:
    with pytest.raises(UnknownEncoding):
        decode(random.Random(size).randbytes(size))
    assert decode_leniently(random.Random(size).randbytes(size))


@pytest.mark.parametrize("text", ["naïve café", "5 £ – 20 °C", "Año", "Grüße"])
def test_few_bytes_are_windows_1252(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF8", "utf-8"),
        ("iso-8859-8-i", "iso8859-8"),
        ("iso-8859-6-e", "iso8859-6"),
        ("cp-850", "cp850"),
        ("x-sjis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("GB2312", "gb18030"),
        ("windows1252", "cp1252"),
        ("us-ascii", "cp1252"),
        ('"utf-8; format=flowed"', "utf-8"),
        ("base64", None),
        ("zlib", None),
        ("idna", None),
        ("punycode", None),
        ("x-unknown", None),
        ("", None),
    ],
)
def test_names_of_charsets(name: str, codec: str | None) -> None:
    assert find_codec(name) == codec


@given(st.binary(max_size=300), st.sampled_from(["", ";charset=utf-16", ";charset=hz", ";charset=euc-jp"]))
def test_any_bytes_are_read(data: bytes, content_type: str) -> None:
    assert isinstance(decode_leniently(data, content_type.removeprefix(";charset=")), str)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1))
def test_a_mark_is_believed(text: str) -> None:
    assert decode_leniently(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text
    assert decode_leniently(text.encode("utf-8-sig")) == text
