"""Saving a project: all of the old one or all of the new, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.server.site import Route, Site, SiteError, load, save

from .torture import project, version_of

ROOT = Path(__file__).resolve().parent.parent.parent
JOURNAL = ".loopscope-saving"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs kill, fork or links of POSIX")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, hidden ones too."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


class Killed(BaseException):
    """Stands for the end of the process: nothing must be tidied up after it."""


def die_at(monkeypatch: pytest.MonkeyPatch, name: str, count: int) -> None:
    """Let the function *name* of ``os`` end everything when it is called for the nth time."""
    real: Any = getattr(os, name)
    calls = iter(range(1, 1000))

    def dying(*args: Any, **kwargs: Any) -> Any:
        if next(calls) >= count:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, dying)


# Row 104


@POSIX
def test_a_hundred_kills_while_saving_leave_the_old_project_or_the_new(tmp_path: Path) -> None:
    memory = Path("/dev/shm")  # Its kills come much faster than those on a disk that is synced.
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.torture", "100"],
        cwd=memory if memory.is_dir() else tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"'versions saved': (\d+)", done.stdout)
    assert found
    assert int(found[1]) > 10
    assert "100 kills" in done.stdout


@pytest.mark.parametrize("count", range(1, 8))
def test_an_end_at_any_rename_leaves_one_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    save(project(tmp_path, 1), tmp_path)
    with monkeypatch.context() as patch:
        die_at(patch, "replace", count)
        die_at(patch, "unlink", 1)  # A process that ends tidies nothing up.
        with pytest.raises(Killed):
            save(project(tmp_path, 2), tmp_path)
    # The first puts the journal in place, 5 files follow.
    assert version_of(load(tmp_path)) == (1 if count == 1 else 2)
    assert not (tmp_path / JOURNAL).exists()


@pytest.mark.parametrize("count", range(1, 7))
def test_a_file_that_was_removed_goes_with_the_others_or_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    save(project(tmp_path, 1), tmp_path)
    less = project(tmp_path, 2).without_handler("b.py").without_template("parts/b.html")
    known = ["site.toml", "handlers/a.py", "handlers/b.py", "templates/parts/b.html"]
    (tmp_path / "handlers/notes.txt").write_text("mine")
    with monkeypatch.context() as patch:
        die_at(patch, "replace", count)
        if count < 5:  # What is removed comes after the files that are replaced.
            with pytest.raises(Killed):
                save(less, tmp_path, known)
        else:
            save(less, tmp_path, known)
    assert load(tmp_path) == (project(tmp_path, 1) if count == 1 else less)
    assert (tmp_path / "handlers/b.py").exists() == (count == 1)
    assert (tmp_path / "handlers/notes.txt").read_text() == "mine"
    assert not (tmp_path / JOURNAL).exists()


@POSIX
def test_a_file_whose_name_changed_in_its_case_is_not_removed_where_that_is_no_other(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "templates"
    save(project(tmp_path, 1).with_template("Home.html", "1"), tmp_path)
    other = project(tmp_path, 1).with_template("home.html", "2")
    save(other, tmp_path, ["templates/Home.html"])
    assert sorted(path.name for path in folder.glob("[Hh]ome.html")) == ["home.html"]
    (folder / "HOME.html").hardlink_to(folder / "home.html")  # As other systems take it.
    save(other, tmp_path, ["templates/HOME.html"])
    assert (folder / "HOME.html").exists()


@POSIX
def test_a_file_is_removed_in_a_folder_that_is_reached_by_a_link(tmp_path: Path) -> None:
    save(project(tmp_path / "real", 1), tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    less = project(tmp_path / "link", 2).without_handler("b.py")
    save(less, tmp_path / "link", ["site.toml", "handlers/a.py", "handlers/b.py"])
    assert load(tmp_path / "link") == less


@POSIX
def test_what_was_changed_after_the_crash_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(project(tmp_path, 1), tmp_path)
    with monkeypatch.context() as patch:
        die_at(patch, "replace", 2)
        die_at(patch, "unlink", 1)
        with pytest.raises(Killed):
            save(project(tmp_path, 2), tmp_path)
    assert (tmp_path / JOURNAL).exists()
    (tmp_path / "handlers/b.py").write_text("mine = 1\n")
    site = load(tmp_path)
    assert site.handlers["b.py"] == "mine = 1\n"
    assert site.handlers["a.py"] == project(tmp_path, 2).handlers["a.py"]
    assert not [name for name in contents(tmp_path) if name.endswith(".tmp")]


def test_a_journal_of_strangers_reaches_nothing_outside(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    save(project(folder, 1), folder)
    (tmp_path / "victim").write_text("mine")
    (tmp_path / ".victim.0123456789ab.tmp").write_text("theirs")
    row = '{"target": "../victim", "temporary": ".victim.0123456789ab.tmp", "old": "", "new": "x"}'
    before = contents(tmp_path)
    for text in (f"[{row}]", "[1]", "{", "[" * 100_000, '[{"target": 1}]', ""):
        (folder / JOURNAL).write_text(text)
        assert version_of(load(folder)) == 1
        assert contents(tmp_path) == before


# Row 103


@POSIX
def test_a_file_system_that_is_full_keeps_the_old_project(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        save(project(folder, 1), folder)
        before = contents(folder)
        big = project(folder, 2).with_template("parts/b.html", "x" * 300_000)
        with pytest.raises(SiteError, match=r"b\.html: cannot be saved: no space left on device"):
            save(big, folder)
        assert contents(folder) == before
        save(project(folder, 2), folder)
        assert version_of(load(folder)) == 2
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@POSIX
def test_a_limit_on_the_size_of_files_keeps_the_old_project(tmp_path: Path) -> None:
    save(project(tmp_path, 1), tmp_path)
    before = contents(tmp_path)
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from app.server.site import SiteError, load, save\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "folder = Path(sys.argv[1])\n"
        "site = load(folder).with_template('a.html', 'small').with_handler('b.py', '#' * 50_000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n"
        "    save(site, folder)\n"
        "except SiteError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=30
    )
    assert "b.py: cannot be saved: file too large" in done.stdout, done.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("call", range(1, 7))
def test_a_disk_that_fills_at_any_write_keeps_every_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    save(project(tmp_path, 1), tmp_path)
    before = contents(tmp_path)
    real = os.write
    calls = iter(range(1, 1000))

    def full(descriptor: int, data: Any) -> int:
        number = next(calls)
        if number == call:
            return real(descriptor, data[:3])
        if number > call:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SiteError, match="no space left on device"):
            save(project(tmp_path, 2), tmp_path)
    assert contents(tmp_path) == before


# Row 102


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(project(tmp_path, 1), tmp_path)
    real = os.open

    def read_only(path: Any, flags: int, *rest: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(SiteError, match=r"a\.py: cannot be saved: read-only file system") as told:
        save(project(tmp_path, 2), tmp_path)
    assert str(tmp_path) in str(told.value)
    assert version_of(load(tmp_path)) == 1


@POSIX
def test_a_link_within_the_project_stays_a_link(tmp_path: Path) -> None:
    save(project(tmp_path, 1), tmp_path)
    (tmp_path / "handlers/a.py").rename(tmp_path / "real.py")
    (tmp_path / "handlers/a.py").symlink_to("../real.py")
    (tmp_path / "real.py").chmod(0o600)
    save(project(tmp_path, 2), tmp_path)
    assert (tmp_path / "handlers/a.py").is_symlink()
    assert (tmp_path / "real.py").stat().st_mode & 0o777 == 0o600
    assert version_of(load(tmp_path)) == 2


@POSIX
def test_a_file_that_others_may_not_read_is_secret_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(project(tmp_path, 1), tmp_path)
    (tmp_path / "site.toml").chmod(0o600)
    seen: list[int] = []
    real = os.write

    def watched(descriptor: int, data: Any) -> int:
        names = list(tmp_path.glob(".site.toml.*.tmp"))
        seen.extend(path.stat().st_mode & 0o777 for path in names)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", watched)
    save(project(tmp_path, 2), tmp_path)
    assert set(seen) == {0o600}
    assert (tmp_path / "site.toml").stat().st_mode & 0o777 == 0o600


# Rows 97 and 98


OLD = """\
# Mine.
[site]
name = "Lesson"

[settings]
default_handler = "handlers.a.A"
"""


def test_an_older_schema_is_migrated_and_kept_beside_it(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(OLD)
    site = load(tmp_path)
    assert site.settings == {"default_handler_class": "handlers.a.A"}
    save(site, tmp_path)
    assert (tmp_path / "site.toml").read_text() == OLD, "nothing changed, nothing is written"
    save(site.with_routes([Route("/", "handlers.a.A")]), tmp_path)
    assert "schema = 2" in (tmp_path / "site.toml").read_text()
    backup = tmp_path / "site.toml.schema-1"
    assert backup.read_text() == OLD
    again = load(tmp_path)
    assert again.settings == site.settings
    save(again.with_routes([]), tmp_path)
    assert backup.read_text() == OLD, "the backup is of the old file only"


def test_a_newer_schema_can_be_read_but_not_saved(tmp_path: Path) -> None:
    text = (
        '[site]\nschema = 3\nname = "New"\ncolour = "blue"\n\n[future]\nx = 1\n\n'
        '[[routes]]\npattern = "/"\nhandler = "handlers.a.A"\nlimit = 3\n'
    )
    (tmp_path / "site.toml").write_text(text)
    site = load(tmp_path)
    assert (site.schema, site.name, site.routes) == (3, "New", (Route("/", "handlers.a.A"),))
    with pytest.raises(SiteError, match="newer Loopscope"):
        save(site.with_routes([]), tmp_path)
    assert (tmp_path / "site.toml").read_text() == text


@pytest.mark.parametrize("schema", ["true", '"2"', "2.0"])
def test_a_schema_that_is_no_number_is_refused(tmp_path: Path, schema: str) -> None:
    (tmp_path / "site.toml").write_text(f"[site]\nschema = {schema}\n")
    with pytest.raises(SiteError, match="'schema' in \\[site\\] must be a number"):
        load(tmp_path)


def test_a_new_project_needs_no_folder_yet(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    save(Site(folder, name="New", handlers={"x.py": ""}), folder)
    assert load(folder).name == "New"
