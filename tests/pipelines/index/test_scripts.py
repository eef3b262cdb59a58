"""Words of every script are found, however they are spelled."""

from __future__ import annotations

import unicodedata
from contextlib import closing

import pytest
import qdrant_edge
from hypothesis import given
from hypothesis import strategies as st

from pipelines.index.contract import Filters
from pipelines.index.lexical import document_vector, query_vector
from pipelines.index.scripts import fold, split_question, split_text
from tests.pipelines.index.conftest import Configured, changes_of

TEXTS = {
    "ja-budget": "本日の会議ではガーネット計画の予算について話し合いました。来週の水曜日に担当者が報告書を出します。",
    "ja-pump": "冷却ポンプの交換手順を更新しました。主電源を切り、安全確認をする。在庫は水戸の倉庫。",
    "zh-budget": "今天的会议讨论了石榴石计划的预算。负责人将在下周三提交报告,并安排供应商付款。",
    "zh-pump": "冷却水泵的更换步骤已经更新。操作前请关闭总电源,并在仓库领取备件。",
    "zh-tw": "資料庫備份每晚執行,還原測試由維運團隊負責。",
    "ko-budget": "오늘 회의에서 가넷 프로젝트의 예산을 논의했습니다. 담당자가 다음 주 수요일까지 보고서를 제출합니다.",
    "ko-pump": "냉각 펌프 교체 절차를 변경했습니다. 작업 전에 주전원을 끄고 안전 점검을 하십시오.",
    "th-budget": "การประชุมวันนี้พูดถึงงบประมาณของโครงการโกเมน ผู้รับผิดชอบจะส่งรายงานวันพุธหน้า",
    "th-pump": "ปรับปรุงขั้นตอนการเปลี่ยนปั๊มน้ำหล่อเย็นแล้ว ก่อนทำงานให้ปิดสวิตช์หลักและตรวจสอบความปลอดภัย",
    "lo": "ກອງປະຊຸມມື້ນີ້ໄດ້ປຶກສາຫາລືກ່ຽວກັບງົບປະມານ",
    "km": "កិច្ចប្រជុំថ្ងៃនេះបានពិភាក្សាអំពីថវិកា",
    "my": "ယနေ့အစည်းအဝေးတွင်ဘတ်ဂျက်ကိုဆွေးနွေးခဲ့သည်",
    "nfd": unicodedata.normalize(
        "NFD", "Le café de Zürich reçoit l'équipe d'Łódź; größere Änderungen am Übergabeprotokoll."
    ),
    "nfd-vi": unicodedata.normalize("NFD", "Cuộc họp hôm nay thảo luận về ngân sách của dự án."),
    "pdf": "co\u00adordi\u00adnation of work\u200bflows: \ufb01nal o\ufb03cial ＡＢＣ\uff0d１２３ m\u00b2",
    "he": "פגישת ה\u05b7תקציב",
    "ar": "مُحَمَّد اجتمـــاع الميزانية",
}
WORDS = {
    "ja-budget": ["会議", "ガーネット", "ｶﾞｰﾈｯﾄ", "計画", "予算", "水曜日", "担当者", "報告書"],
    "ja-pump": ["冷却ポンプ", "交換手順", "主電源", "安全確認", "在庫", "倉庫", "戸"],
    "zh-budget": ["会议", "石榴石", "预算", "负责人", "供应商", "付款"],
    "zh-pump": ["水泵", "更换步骤", "总电源", "备件", "泵"],
    "zh-tw": ["資料庫", "備份", "還原測試", "維運團隊"],
    "ko-budget": ["회의", "가넷", "예산", "담당자", "수요일", "보고서", unicodedata.normalize("NFD", "보고서")],
    "ko-pump": ["펌프", "교체", "절차", "주전원", "점검"],
    "th-budget": ["การประชุม", "งบประมาณ", "โครงการ", "โกเมน", "รายงาน", "วันพุธ"],
    "th-pump": ["ขั้นตอน", "ปั๊มน้ำ", "สวิตช์", "ความปลอดภัย"],
    "lo": ["ກອງປະຊຸມ", "ງົບປະມານ"],
    "km": ["ប្រជុំ", "ថវិកា"],
    "my": ["အစည်းအဝေး", "ဘတ်ဂျက်"],
    "nfd": ["café", "Zürich", "reçoit", "équipe", "Łódź", "größere", "Änderungen", "Übergabeprotokoll"],
    "nfd-vi": ["họp", "thảo", "luận", "ngân", "sách"],
    "pdf": ["coordination", "workflows", "final", "official", "ABC-123", "ABC123", "m2"],
    "he": ["התקציב"],
    "ar": ["محمد", "اجتماع"],
}


def test_each_word_is_found_first_where_it_stands(edge: Configured) -> None:
    with closing(edge.store()) as store, closing(edge.reader()) as reader:
        store.apply(changes_of(TEXTS))
        store.publish()

        def first(question: str) -> object:
            found = reader.search(mode="lexical", text=question, dense=None, filters=Filters(readers=None), limit=3)
            return found[0].payload["document_id"] if found else None

        missed = [(name, word, first(word)) for name, words in WORDS.items() for word in words if first(word) != name]
    assert missed == []


@pytest.mark.parametrize(
    ("text", "split", "asked"),
    [
        ("水", " 水 ", " 水 "),
        ("飲料水", " 飲料 料水 飲 料 水 ", " 飲料 料水 "),
        ("PCケース2", "PC ケー ース 2", "PC ケー ース 2"),
        ("東京-大阪", " 東京 東 京 - 大阪 大 阪 ", " 東京 - 大阪 "),
        ("한국 사람", " 한국   사람 ", " 한국   사람 "),
        ("plain, Ünïcode", "plain, Ünïcode", "plain, Ünïcode"),
    ],
)
def test_a_script_without_spaces_is_split_into_pairs(text: str, split: str, asked: str) -> None:
    assert split_text(text) == split
    assert split_question(text) == asked


@given(st.text())
def test_what_a_text_holds_is_found_in_it_in_any_spelling(text: str) -> None:
    found = set(document_vector(text).indices)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert set(query_vector(unicodedata.normalize(form, text)).indices) <= found


UNSPACED = [(0x0E01, 0x0E4E), (0x0E81, 0x0ECD), (0x1000, 0x103F), (0x1780, 0x17D3), (0x3041, 0x3096), (0x4E00, 0x4E10)]


@given(
    st.text(st.one_of([st.characters(min_codepoint=a, max_codepoint=b, categories=["L", "M"]) for a, b in UNSPACED]))
)
def test_the_engine_cuts_no_pair(text: str) -> None:
    """It takes a sign without the property Alphabetic for the end of a word; such are left out before."""
    for word in split_question(fold(text)).split():
        assert len(qdrant_edge.Bm25().embed_query(word).indices) == 1


@pytest.mark.parametrize("letter", [bytes([code]).decode("cp1252", "ignore") for code in range(128, 256)])
def test_western_letters_are_folded_alike_beside_those_of_other_scripts(letter: str) -> None:
    alone, beside = split_text(fold(f"a{letter}b")), split_text(fold(f"a{letter}b ก"))
    assert beside.split()[: len(alone.split())] == alone.split()
    assert ("\u00ad" in alone, "\u00ad" in beside) == (False, False)
