"""Word files, through unstructured. Raises what the libraries raise for broken files."""

from __future__ import annotations

import io

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.elements import LANGUAGES, element_blocks
from pipelines.chunking.formats.unstructured_offline import keep_offline


def docx_blocks(content: bytes) -> list[Block]:
    keep_offline()
    from unstructured.partition.docx import partition_docx

    return element_blocks(partition_docx(file=io.BytesIO(content), languages=LANGUAGES))
