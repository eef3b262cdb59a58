"""A folder of Drive is shared, and shared no more: its uploads are not downloaded for that, and nobody finds by it what
was taken out before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Folder, embedding_settings
from tests.emulators.drive import TOKEN, GoogleDrive, person, serving
from tests.emulators.embeddings import EmbeddingsServer

ADA, BO = "ada@acme.test", "bo@acme.test"
UPLOADS = {f"Zebra {number}" for number in range(4)}


@dataclass
class Plans:
    """A folder of Ada's in Drive, and the directory in which `headrace` runs."""

    drive: GoogleDrive
    folder: Folder
    id: str

    def sync(self, *options: str) -> list[str]:
        """Returns which contents were asked for."""
        self.drive.forget()
        ran = self.folder.headrace("sync", *options, "--json")
        assert (ran.code, ran.json["errors"]) == (0, {})
        paths = [path for path in self.drive.asked_for if "alt=media" in path or "/export?" in path]
        return [self.drive.files[path.split("/")[1].partition("?")[0]]["name"] for path in paths]

    def found(self, person: str, query: str = "zebra") -> set[str]:
        ran = self.folder.headrace("search", query, "--user", person, "--mode", "lexical", "--top-k", "50", "--json")
        return {one["title"] for one in ran.json["results"]}

    def file(self, name: str) -> str:
        (found,) = [one for one, file in self.drive.files.items() if file["name"] == name]
        return found


@pytest.fixture
def plans(folder: Folder, embeddings: EmbeddingsServer) -> Iterator[Plans]:
    """Four uploads and a document of Google's with a comment, all of them read."""
    drive = GoogleDrive()
    plans = drive.folder("Plans")
    for name in sorted(UPLOADS):
        drive.upload(name, f"A striped animal called {name}.".encode(), "text/plain", plans)
    drive.comment(drive.doc("Giraffe", "A tall zebra.", plans), "Is it spotted?")
    with serving(drive) as url:
        connection = {"id": "dr", "source": "drive", "token": TOKEN, "base_url": url}
        folder.settings(connections=[connection], embedding=embedding_settings(embeddings))
        made = Plans(drive, folder, plans)
        assert set(made.sync()) == {*UPLOADS, "Giraffe"}
        assert (made.found(ADA), made.found(BO)) == ({*UPLOADS, "Giraffe"}, set())
        yield made


def test_a_folder_that_is_shared_is_found_by_others_without_a_download(plans: Plans) -> None:
    assert plans.found(ADA, "spotted") == {"Giraffe"}
    granted = plans.drive.share(plans.id, person(BO))
    assert plans.sync() == ["Giraffe"], "nothing tells what it holds"
    assert plans.found(BO) == plans.found(ADA) == {*UPLOADS, "Giraffe"}
    assert plans.found(BO, "spotted") == plans.found(ADA, "spotted") == set(), "viewers see no comments"
    plans.drive.unshare(plans.id, granted)
    assert plans.sync() == ["Giraffe"]
    assert (plans.found(ADA), plans.found(BO)) == ({*UPLOADS, "Giraffe"}, set())
    assert set(plans.sync("--full")) == {*UPLOADS, "Giraffe"}


def edit(drive: GoogleDrive, file: str) -> None:
    drive.edit(file, "A quagga it is.")


def edit_in_secret(drive: GoogleDrive, file: str) -> None:
    """As programs do that set the times of files."""
    drive.content[file] = b"A quagga it is."
    drive.touch(file, size=str(len(drive.content[file])))


@pytest.mark.one_case
@pytest.mark.parametrize("change", [edit, edit_in_secret])
def test_who_is_let_in_finds_the_text_of_now(plans: Plans, change: Callable[[GoogleDrive, str], None]) -> None:
    change(plans.drive, plans.file("Zebra 2"))
    plans.drive.share(plans.id, person(BO))
    assert set(plans.sync()) == {"Zebra 2", "Giraffe"}
    assert plans.found(BO, "striped") == UPLOADS - {"Zebra 2"}
    assert plans.found(BO, "quagga") == {"Zebra 2"}


def test_an_upload_that_is_shared_alone_tells_nobody_its_folder(plans: Plans) -> None:
    """It shows another text than before: without the name of what not all of its readers may see."""
    plans.drive.share(plans.file("Zebra 2"), person(BO))
    assert plans.sync() == ["Zebra 2"]
    assert plans.found(BO) == {"Zebra 2"}
    assert plans.found(BO, "plans") == set()
    answer = plans.folder.headrace("search", "zebra", "--user", BO, "--mode", "lexical", "--json").output
    assert "Zebra 2" in answer
    assert "Plans" not in answer
