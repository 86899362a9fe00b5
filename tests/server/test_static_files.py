"""Static files on the disk: written, taken back, and never outside of their folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.server import static_files
from app.server.site import SiteError
from app.server.static_files import StaticFile, StaticFolder


@pytest.fixture
def folder(tmp_path: Path) -> StaticFolder:
    """A folder with a file, beside one that is none of its business."""
    root = tmp_path / "static"
    (root / "img").mkdir(parents=True)
    (root / "a.css").write_bytes(b"body {}")
    (root / "img" / "b.svg").write_bytes(b"<svg/>")
    (root / ".hidden").write_bytes(b"x")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return StaticFolder(root)


def test_files_are_listed_with_their_types(folder: StaticFolder) -> None:
    names = [(file.name, file.size, file.type) for file in folder.files()]
    assert names == [("a.css", 7, "text/css"), ("img/b.svg", 6, "image/svg+xml")]
    assert StaticFile("x.unknown", 0, 0).type == "application/octet-stream"
    assert StaticFile("x.js.gz", 0, 0).type == "application/gzip"
    assert StaticFolder(folder.root / "none").files() == []


def test_each_write_says_what_was_there(folder: StaticFolder) -> None:
    assert folder.write("new/deep/c.js", b"1") is None
    assert folder.write("new/deep/c.js", b"2") == b"1"
    assert folder.read("new/deep/c.js") == b"2"
    assert folder.write("new/deep/c.js", None) == b"2"
    assert not folder.exists("new/deep/c.js")
    assert folder.write("new/deep/c.js", None) is None


BAD_NAMES = ["", "/etc/passwd", "../secret.txt", "img/../../secret.txt", "a\\b", "C:x", "./a.css"]


@pytest.mark.parametrize("name", [*BAD_NAMES, "img//b.svg", "a\0b", ".hidden", "img/.x", "out/s"])
def test_names_that_leave_the_folder_are_refused(folder: StaticFolder, name: str) -> None:
    os.symlink(folder.root.parent, folder.root / "out")
    for act in (folder.read, folder.exists, lambda each: folder.write(each, b"evil")):
        with pytest.raises(SiteError):
            act(name)
    assert (folder.root.parent / "secret.txt").read_bytes() == b"secret"
    assert not (folder.root.parent / "s").exists()


def test_what_is_too_large_to_be_undone_stays(
    folder: StaticFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_files, "LARGEST", 6)
    with pytest.raises(SiteError, match="larger"):
        folder.write("a.css", b"")
    with pytest.raises(SiteError, match="larger"):
        folder.write("b.css", b"1234567")
    assert folder.read("a.css") == b"body {}"
    assert not folder.exists("b.css")


def test_what_the_disk_refuses_is_named(folder: StaticFolder) -> None:
    with pytest.raises(SiteError, match="static/img: is a directory"):
        folder.write("img", b"x")
    with pytest.raises(SiteError, match=r"static/none\.css"):
        folder.read("none.css")
    with pytest.raises(SiteError, match=r"a\.css/x"):
        folder.write("a.css/x", b"x")
