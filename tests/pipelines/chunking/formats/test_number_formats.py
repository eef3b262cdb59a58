"""Numbers, dates and texts as number formats show them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.chunking.formats.openxml.number_formats import BUILT_IN, formatted_text, general_text, number_text


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("General", 0.1, "0.1"),
        ("General", 0.1 + 0.2, "0.3"),
        ("General", 1 / 3, "0.333333333"),
        ("General", -123456.789012345, "-123456.789"),
        ("General", 1.5e-5, "0.000015"),
        ("General", 1e20, "1E+20"),
        ("General", 4006381333931, "4006381333931"),
        ("", 7, "7"),
        ("0", 1234567890123, "1234567890123"),
        ("00000", 42, "00042"),
        ("00000", -42, "-00042"),
        ("0.00", 2.675, "2.68"),
        ("0.00", 1e300, "1" + "0" * 300 + ".00"),
        ("0.###", 2.5, "2.5"),
        ("#,##0", -1200, "-1,200"),
        ("#,##0.00", 1234567.891, "1,234,567.89"),
        ("#,##0,", 1234567, "1,235"),
        ('0.0,,"M"', 1234567, "1.2M"),
        ("0%", 1.255, "126%"),
        ("0.0%", 0.125, "12.5%"),
        ('0" %"', 12, "12 %"),
        ('"€"#,##0.00', 1234.5, "€1,234.50"),
        ("#,##0.00 [$€-407]", 1234.5, "1,234.50 €"),
        ("[$USD-en-US] #,##0", 1234, "USD 1,234"),
        ("[>=10000000]##\\,##\\,##\\,##0;[>=100000]##\\,##\\,##0;##,##0", 1234567, "12,34,567"),
        ("$#,##0.00;[Red]-$#,##0.00", -5, "-$5.00"),
        ("#,##0;(#,##0)", -350, "(350)"),
        ('_-* #,##0.00 "kr"_-;-* #,##0.00 "kr"_-;_-* "-"?? "kr"_-;_-@_-', -1234.5, "-1,234.50 kr"),
        ('0;-0;"none"', 0, "none"),
        ("0;;", -3, ""),
        ('[>=100]"many";[>=10]"some";"few"', 150, "many"),
        ('[>=100]"many";[>=10]"some";"few"', 50, "some"),
        ('[>=100]"many";[>=10]"some";"few"', 5, "few"),
        ('[=1]"yes";"no"', 0, "no"),
        ("000-00-0000", 123456789, "123-45-6789"),
        ("(000) 000-0000", 2125551234, "(212) 555-1234"),
        ('"Nr. "0', 77, "Nr. 77"),
        ("\\A0\\-00", 123, "A1-23"),
        ('General" pcs"', 7, "7 pcs"),
        ("@", 5, "5"),
        ("0.0E+00", 1500000, "1.5E+06"),
        ("0.00E-00", 0.0125, "1.25E-02"),
        ("##0.0E+0", 123456, "123.5E+3"),
        ("0E+0", 0, "0E+0"),
        ("# ?/?", 3.5, "3 1/2"),
        ("# ??/??", -2.25, "-2 1/4"),
        ("# ?/8", 2.5, "2 4/8"),
        ("?/?", 1.5, "3/2"),
        ("# ?/?", 4, "4"),
    ],
)
def test_numbers(code: str, value: float, text: str) -> None:
    assert number_text(value, code) == text


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("yyyy-mm-dd", 46085, "2026-03-04"),
        ("dd.mm.yyyy", 46085, "04.03.2026"),
        ("d/m/yy", 46085, "4/3/26"),
        ("d-mmm-yy", 46085, "4-Mar-26"),
        ("dddd, mmmm d, yyyy", 46085, "Wednesday, March 4, 2026"),
        ("mmmmm ddd", 46085, "M Wed"),
        ('yyyy"年"m"月"d"日"', 46085, "2026年3月4日"),
        ("yyyy-mm-dd hh:mm", 46085.41666666666, "2026-03-04 10:00"),
        ("mmm d", 46085.9999999, "Mar 5"),
        ("hh:mm", 0.6041666666666666, "14:30"),
        ("h:mm AM/PM", 0.75, "6:00 PM"),
        ("h:mm a/p", 0, "12:00 A"),
        ("mm:ss.0", 0.0012345, "01:46.7"),
        ("[h]:mm", 1.253472222222222, "30:05"),
        ("[hh]:mm:ss", -1.5, "-36:00:00"),
        ("[mm]:ss", 0.5, "720:00"),
        ("[ss]", 0.01, "864"),
        ("m/d/yy", 60, "2/29/00"),
        ("m/d/yyyy", 61, "3/1/1900"),
        ("m/d/yyyy", 1, "1/1/1900"),
        ("m/d/yyyy", 0, "1/0/1900"),
        ("[$-409]d mmmm", 46085, "4 March"),
        ("[$-407]d. mmmm yyyy", 46085, "2026-03-04"),
        ("[$-407]dd.mm.yyyy", 46085, "04.03.2026"),
        ("[$-en-US]d mmmm", 46085, "4 March"),
        ("[$-de-DE]d. mmmm", 46085, "2026-03-04"),
        ("[$-x-sysdate]dddd, mmmm dd, yyyy", 46085, "2026-03-04"),
        ("[$-x-systime]h:mm:ss AM/PM", 0.5, "12:00:00"),
        ("[$-F800]dddd, mmmm dd, yyyy", 46085, "2026-03-04"),
        ("[$-F400]h:mm:ss AM/PM", 0.5, "12:00:00"),
        (BUILT_IN[14], 46085, "2026-03-04"),
        (BUILT_IN[22], 46085.5, "2026-03-04 12:00"),
        ("yyyy-mm-dd", -1, "-1"),
        ("yyyy-mm-dd", 1e9, "1000000000"),
    ],
)
def test_dates_and_times(code: str, value: float, text: str) -> None:
    assert number_text(value, code) == text


def test_dates_are_counted_from_1900_or_1904() -> None:
    assert number_text(0, "yyyy-mm-dd", since_1904=True) == "1904-01-01"
    assert number_text(44623, "ddd yyyy-mm-dd", since_1904=True) == number_text(46085, "ddd yyyy-mm-dd")


@pytest.mark.parametrize(
    ("code", "text"),
    [("General", "x"), ("@", "x"), ("0.00", "x"), ('"id "@', "id x"), ('0;0;0;"text "@', "text x"), ("0;0;0;", "")],
)
def test_texts(code: str, text: str) -> None:
    assert formatted_text("x", code) == text


_CODES = st.text(alphabet='0#?.,%/E+-ymdhsAP@;[]<>=$"\\_* General19:()€', max_size=24)


@given(_CODES, st.floats())
def test_any_code_shows_any_number(code: str, value: float) -> None:
    assert isinstance(number_text(value, code), str)
    assert isinstance(formatted_text("x", code), str)


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_are_written_whole(value: int) -> None:
    assert general_text(float(value)) == number_text(float(value), "0") == str(value)
