"""Office files from Drive's API over HTTP to the words that people search for."""

from __future__ import annotations

import pytest

from tests.e2e.drive_search import BOB, KEY, Asked
from tests.emulators.drive import person
from tests.pipelines.chunking import files
from tests.pipelines.chunking.office_files import docx, number_cell, paragraph, pptx, rows, run, shape, text_cell, xlsx

_TRACKED = (
    f'<w:p>{run("Notice of ")}<w:del w:id="1"><w:r><w:delText>thirty</w:delText></w:r></w:del>'
    f'<w:ins w:id="2">{run("ninety")}</w:ins>{run(" days")}</w:p>'
)
_CODES = '<cellXfs><xf numFmtId="0"/><xf numFmtId="10"/></cellXfs>'


@pytest.fixture
def found(asked: Asked) -> Asked:
    team = asked.drive.shared_drive("Team", person(BOB))
    control = f"<w:sdt><w:sdtContent>{paragraph('Customer Quartzite')}</w:sdtContent></w:sdt>"
    asked.drive.upload("contract.docx", docx(_TRACKED + control), files.DOCX, team)
    asked.drive.upload("deck.pptx", pptx(shape("first"), shape("tourmaline")), files.PPTX, team)
    sheet = rows(text_cell("Item") + text_cell("Share"), text_cell("Feldspar") + number_cell(0.125, 1))
    asked.drive.upload("costs.xlsx", xlsx(sheet, styles=_CODES), files.XLSX, team)
    asked.sync()
    return asked


def test_words_of_office_files_are_found_as_people_see_them(found: Asked) -> None:
    def passages(query: str) -> list[tuple[str, str]]:
        answer = found.client.post(
            "/v1/search",
            json={"query": query, "mode": "lexical", "user": BOB},
            headers={"authorization": f"Bearer {KEY}"},
        ).json()
        return [(result["title"], chunk["text"]) for result in answer["results"] for chunk in result["chunks"]]

    assert passages("thirty") == []
    assert passages("ninety") == [("contract.docx", "Notice of ninety days\n\nCustomer Quartzite")]
    assert [title for title, _ in passages("Quartzite")] == ["contract.docx"]
    assert [title for title, _ in passages("tourmaline")] == ["deck.pptx"]
    assert "| Feldspar | 12.50% |" in passages("Feldspar")[0][1]
