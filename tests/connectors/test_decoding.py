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


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("番号,名前,金額\r\n①,髙橋㈱,㌧\r\n②,山﨑,5\r\n", "cp932"),
        ("ﾃｽﾄ ｶﾌﾞｼｷｶﾞｲｼｬ", "cp932"),
        ("ﾃｽﾄ ｶﾌﾞｼｷｶﾞｲｼｬ", "euc_jp"),
        ("1,ﾔﾏﾀﾞ ﾀﾛｳ,1000\r\n2,ｻﾄｳ ﾊﾅｺ,2000\r\n", "cp932"),
        ("ПРОТОКОЛ ЗАСЕДАНИЯ СОВЕТА", "koi8-r"),
        ("이사회 회의록을 보내드립니다.", "johab"),
        ("董事会会议纪要，请查收。", "hz"),
        ("Der Preis beträgt 5 € für die Größe XL.", "iso8859-15"),
        ("Łódź, świętokrzyskie", "iso8859-2"),
        ("董事会会议纪要请查收并尽快回复谢谢各位", "gbk"),
        ("รายงานการประชุมคณะกรรมการบริษัทมหาชน", "cp874"),
        ("嘅啲嘢喺度咁唔知佢哋係邊個", "big5hkscs"),
        ("\n".join(["模", "价格", "联通", "名称", "数量"] * 20), "gbk"),
    ],
)
def test_what_only_its_own_encoding_makes_words_of(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("charset", ["", "text/plain; charset=windows-1252", "text/html; charset=iso-8859-1"])
@pytest.mark.parametrize(
    "text",
    [
        *("99 €", "£99", "• one\r\n• two", "Mon – Fri", "© 2020", "½ cup", "1½ l", "3 × 4", "5 µm", "don’t", "wait…"),
        *("« oui »", "§ 5 Abs. 2 – „Zitat“", "¶ 3", "20 °C", "5 m²", "¿Hola?", "Acme® and Emca™", "page\xa05"),
        "A long English text that has but one sign, " * 20 + "99 €",
    ],
)
def test_signs_of_windows_1252(text: str, charset: str) -> None:
    assert decode(text.encode("cp1252"), charset) == text


@pytest.mark.parametrize("text", ["Việt Nam độc lập", "საქართველოს პარლამენტი", "ኢትዮጵያ", "ἀρχαῖα ᾠδή", "हिन्दी में"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_scripts_of_sixteen_bits(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("①髙橋㈱".encode("cp932"), "Shift_JIS", "①髙橋㈱"),
        ("①㈱".encode("cp932"), "windows-31j", "①㈱"),
        ("ﾃｽﾄ".encode("cp932"), "shift_jis", "ﾃｽﾄ"),
        ("ﾃｽﾄ".encode("euc_jp"), "euc-jp", "ﾃｽﾄ"),
        (b"\xad\xa1\xb9\xe2\xb6\xb6", "euc-jp", "①高橋"),
        ("朱镕基".encode("gbk"), "gb2312", "朱镕基"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ("5 €".encode("iso8859-15"), "iso-8859-15", "5 €"),
        (b"\x1b$B-!9b66\x1b(B", "iso-2022-jp", "①高橋"),
        (b"\x1b$B|b66\x1b(B", "", "髙橋"),
        (b"\x1b(I\x43\x3d\x44\x1b(B", "iso-2022-jp", "ﾃｽﾄ"),
        ("俱楽部①".encode("iso2022_jp_2004"), "", "俱楽部①"),
    ],
)
def test_a_declaration_that_fits_is_believed(data: bytes, charset: str, text: str) -> None:
    assert decode(data, f"text/plain; charset={charset}" if charset else "") == text


@pytest.mark.parametrize(
    "lines",
    [
        [("Größe eins Straße", "utf-8"), ("Überfällige Grüße", "cp1252")] * 10,
        [("Größe eins", "cp1252")] * 50 + [("größere Übung", "utf-8")],
        [("Größe eins", "utf-8")] * 50 + [("99 € für Müller", "cp1252")],
        [("Привет, мир", "utf-8"), ("Добрый день, коллеги", "cp1251")],
        [("お世話になっております", "utf-8"), ("会議のお知らせです", "cp932")],
        [("中文行一", "utf-8"), ("今天的会议讨论了预算", "gbk")],
        [("plain first line", "ascii"), ("Größe Zürich, for all", "utf-16-le")],
        [("plain first line", "ascii"), ("Größe Zürich, for all", "utf-16")],
        [("\ufeffGröße", "utf-8"), ("Größe zwei", "cp1252")],
    ],
)
def test_lines_of_different_encodings(lines: list[tuple[str, str]]) -> None:
    written = b"".join(f"{line}\n".encode(encoding) for line, encoding in lines)
    assert decode(written).split() == [word for line, _ in lines for word in line.removeprefix("\ufeff").split()]


@pytest.mark.parametrize("text", ["1\n2\n3\n4\n", "Y\tN\tY\tN\n", " \n", "\t\n"])
def test_columns_of_one_character_are_narrow(text: str) -> None:
    assert decode(text.encode()) == text


def test_noise_among_lines_of_text_costs_itself_alone() -> None:
    lines = "Größe Straße, überall gleich\n".encode() * 100
    assert decode(lines + b"\xff" * 60 + b"\n" + lines).count("Größe") == 200


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("8=FIX.4.2\x0135=A\x0149=GARNET\x01\n", "8=FIX.4.2\x0135=A\x0149=GARNET\x01\n"),
        ("garnet\x1fopal\x1eberyl\x1fjade\x1e", "garnet\x1fopal\x1eberyl\x1fjade\x1e"),
        ("N\bNA\bAM\bME\bE\n_\bo_\bp_\ba_\bl", "NAME\nopal"),
        ("done 10%" + "\b" * 8 + "done 20%", "done 10% done 20%"),
    ],
)
def test_controls_that_divide_and_strike_over(written: str, read: str) -> None:
    assert decode(written.encode()) == read


def test_what_is_cut_in_a_character_keeps_the_others() -> None:
    assert decode("日本語の文\n日".encode()[:-1]) == "日本語の文\n\ufffd"


def test_characters_that_are_written_as_two_surrogates() -> None:
    assert decode("\ud83d\ude00 smile".encode("utf-8", "surrogatepass")) == "\U0001f600 smile"


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        ("a line of a log", "ascii"),
        ("Größe", "utf-8"),
        ("Größe", "cp1252"),
        ("会議のお知らせ", "cp932"),
        ("log", "utf-16-le"),
    ],
)
def test_a_block_of_zeros_costs_itself_alone(line: str, encoding: str) -> None:
    lines = f"{line}\n".encode(encoding) * 20
    assert decode(lines + bytes(512)).split() == line.split() * 20
    if encoding != "utf-16-le":
        assert decode(lines + bytes(4_097) + lines).split() == line.split() * 40


@pytest.mark.parametrize(
    "data", [b"hello\0world\0foo bar\0", b"PATH=/usr/bin\0LANG=de\0", b"Mueller\0\0\0Berlin\0\0\0"]
)
def test_zeros_between_words(data: bytes) -> None:
    assert decode(data).split() == data.replace(b"\0", b" ").decode().split()


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


def _sound(lowest: int, highest: int, size: int) -> bytes:
    return bytes(random.Random(size).choices(range(lowest, highest), k=size))


@pytest.mark.parametrize(
    "data",
    [
        *(bytes(1_000), b"\xff" * 1_000, _sound(0x80, 0x100, 100), _sound(0xA1, 0xFF, 1_000), _sound(108, 148, 5_000)),
        *(_sound(190, 210, 200), _sound(0x60, 0x80, 500) + _sound(0xE0, 0x100, 500)),
        "the quarterly report of the company is enclosed".upper().encode("cp500"),
        "THE CUSTOMER NAME\n".encode("cp037") * 20,
    ],
    ids=["zeros", "erased", "high", "gb", "pcm8", "narrow", "mu-law", "ebcdic", "ebcdic lines"],
)
def test_bytes_that_are_letters_of_nothing_are_no_text(data: bytes) -> None:
    with pytest.raises(UnknownEncoding):
        decode(data)
    assert isinstance(decode_leniently(data), str)


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
