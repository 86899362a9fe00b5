"""Projects in the window: opened, trusted, changed by others, saved, recovered, exported."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QMimeData, QPoint, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.server.site import Route, Site, load, merged, save
from app.session import projects
from app.session.projects import DEMO
from app.widgets.disk_change import DiskChangeDialog
from app.widgets.editor_page import FilePage
from app.widgets.settings_page import SettingsPage
from app.widgets.static_page import STATIC_KEY

Start = Callable[..., Program]
ROOT = Path(__file__).resolve().parent.parent
HANDLER = (
    "from tornado.web import RequestHandler\n"
    "class Home(RequestHandler):\n"
    "    def get(self):\n"
    "        self.write('{}')\n"
)


def write_project(folder: Path, text: str = "first") -> Path:
    """Write a small project that answers / with *text*."""
    site = Site(
        folder,
        name=folder.name,
        routes=(Route("/", "handlers.home.Home"),),
        handlers={"home.py": HANDLER.format(text)},
        templates={"page.html": "<p>page</p>\n"},
    )
    save(site, folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "mine")


@pytest.fixture
def start(running_loop: TickLoop, qtbot: QtBot) -> Iterator[Start]:
    """Start the whole program with a project; it ends with the test."""
    QSettings().remove("trusted")
    QSettings().remove("projects")
    started = []

    def begin(folder: Path | None, **options: object) -> Program:
        chosen = Options(project=folder, port=0, lang="en", **{"trust": True, **options})  # type: ignore[arg-type]
        program = Program(chosen, running_loop, running_loop.recorder)
        task = running_loop.create_task(program.run())
        started.append((program, task))
        qtbot.waitUntil(lambda: program.session.address is not None and program.window.isVisible())
        return program

    yield begin
    for program, task in started:
        program.ended.set()
        qtbot.waitUntil(task.done)
        assert task.result() == 0


def served(program: Program, qtbot: QtBot, path: str = "") -> str:
    """What the server answers from outside."""

    def get() -> str:
        with urllib.request.urlopen(f"{program.session.address}{path}", timeout=10) as response:
            return str(response.read().decode())

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(get)
        qtbot.waitUntil(future.done)
        return future.result()


def dialog_of(program: Program, qtbot: QtBot) -> QMessageBox:
    """The message box that is open."""

    def boxes() -> list[QMessageBox]:
        return [box for box in program.window.findChildren(QMessageBox) if box.isVisible()]

    qtbot.waitUntil(lambda: bool(boxes()))
    return boxes()[-1]


def press(qtbot: QtBot, dialog: QDialog, text: str) -> None:
    """Click the button that says *text*, and wait until the dialog is gone."""
    buttons = [each for each in dialog.findChildren(QPushButton) if each.text() == text]
    assert buttons, [each.text() for each in dialog.findChildren(QPushButton)]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    gone(qtbot, dialog)


def gone(qtbot: QtBot, dialog: QDialog) -> None:
    """Wait until *dialog* is deleted."""
    qtbot.waitUntil(lambda: not shiboken6.isValid(dialog))


def type_into(program: Program, name: str, text: str) -> FilePage:
    """Open a handler's or template's editor and type at its beginning."""
    folder, _, rest = name.partition("/")
    program.window.editors.open_file(folder, rest)
    page = program.window.editors.pages[name]
    assert isinstance(page, FilePage)
    page.editor.insertPlainText(text)
    return page


# Rows 90 to 96, 99, 100 and 102: what cannot be opened


def _text(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "site.toml").write_bytes(text.encode())


def _bytes(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def _huge(folder: Path) -> None:
    with (folder / "templates/page.html").open("r+b") as file:
        file.truncate(1 << 30)


def _linked(folder: Path) -> None:
    shutil.rmtree(folder / "templates")
    (folder / "templates").symlink_to("/etc")


BROKEN: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "90 empty": (_text(""), "site.toml", "is empty"),
    "90 truncated": (_text('[site]\nname = "x'), "site.toml:2", "end of the file"),
    "90 NUL": (_text("[site]\nname = 'a\0'\n"), "site.toml:2:10", "invalid character"),
    "91 Latin-1": (_bytes("handlers/home.py", b"# caf\xe9\n"), "home.py:1:6", "0xe9"),
    "92 root": (_text("site = 3\n"), "site.toml:1", "must be a table"),
    "93 NaN": (_text("[settings]\nx = nan\n"), "site.toml", "not finite"),
    "93 1e999": (_text("[settings]\nx = 1e999\n"), "site.toml", "not finite"),
    "93 twice": (_text("[site]\nname='a'\nname='b'\n"), "site.toml:3", "overwrite"),
    "94 deep": (_text("[settings]\nx = " + "[" * 100_000), "site.toml", "nested too deeply"),
    "95 digits": (_text("[settings]\nx = " + "1" * 5_000), "site.toml", "Exceeds the limit"),
    "96 escape": (_text('[site]\nname = "\\ud800"\n'), "site.toml:2", "scalar value"),
    "96 bytes": (_bytes("templates/page.html", b"\xed\xa0\x80"), "page.html:1:1", "not UTF-8"),
    "99 link": (
        lambda folder: (folder / "templates/x.html").symlink_to("/etc/passwd"),
        "templates/x.html",
        "leaves the project folder",
    ),
    "99 folder": (_linked, "templates", "leaves the project folder"),
    "100 1 GB": (_huge, "page.html", "larger than 4 MB"),
    "102 missing": (lambda folder: shutil.rmtree(folder), "broken", "no such folder"),
    "102 no project": (lambda folder: (folder / "site.toml").unlink(), "site.toml", "missing"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_what_cannot_be_opened_is_told_with_its_path_and_nothing_is_lost(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    page = type_into(program, "templates/page.html", "unsaved ")
    program.window.editors.confirm_leaving = lambda leave: True  # type: ignore[method-assign]
    for row, (break_it, place, cause) in BROKEN.items():
        broken = write_project(tmp_path / "broken")
        break_it(broken)
        program.window.projects.open(broken)
        box = dialog_of(program, qtbot)
        assert str(broken) in box.informativeText(), row
        assert place in box.informativeText(), row
        assert cause in box.informativeText(), row
        press(qtbot, box, "OK")
        assert program.session.site.folder == project, row
        assert page.text.startswith("unsaved <p>"), row
        shutil.rmtree(broken, ignore_errors=True)
    assert served(program, qtbot) == "first"
    program.window.editors.forget_changes()


def test_a_project_with_a_byte_order_mark_opens(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    other = write_project(tmp_path / "other", "second")
    for name in ("site.toml", "handlers/home.py"):
        (other / name).write_bytes(b"\xef\xbb\xbf" + (other / name).read_bytes())
    program = start(project)
    program.window.projects.open(other)
    press(qtbot, dialog_of(program, qtbot), "Trust and run")
    assert served(program, qtbot) == "second"


# Row 99 and Show 8: strangers


def _strangers_project(folder: Path, ran: Path) -> Path:
    ran.mkdir()
    write = f"__import__('pathlib').Path({str(ran)!r}, {{!r}}).write_text('ran')"
    site = Site(
        folder,
        name="Stranger",
        settings={"ui_modules": "handlers.ui", "default_handler_class": "handlers.late.Late"},
        routes=(Route("/", "handlers.home.Home"),),
        handlers={
            "__init__.py": write.format("package") + "\n",
            "home.py": write.format("import") + "\n" + HANDLER.format("stranger"),
            "late.py": "from tornado.web import RequestHandler\nclass Late(RequestHandler):\n    "
            + write.format("class")
            + "\n",
            "ui.py": write.format("ui module") + "\n",
            "unused.py": write.format("unused") + "\n",
        },
        templates={
            "page.html": "{% import os %}{{ " + write.format("template") + " }}",
            "setup.txt": "{% set x = " + write.format("text template") + " %}",
        },
    )
    save(site, folder)
    (folder / "conftest.py").write_text(write.format("conftest"))
    (folder / "sitecustomize.py").write_text(write.format("sitecustomize"))
    return folder


def written(folder: Path) -> set[str]:
    """What left a file in *folder*."""
    return {path.name for path in folder.iterdir()}


def test_a_strangers_project_writes_nothing_until_it_is_trusted(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    stranger = _strangers_project(tmp_path / "stranger", ran)
    program = start(project)
    window = program.window
    window.projects.open(stranger)
    box = dialog_of(program, qtbot)
    assert str(stranger) in box.text()
    press(qtbot, box, "Cancel")
    assert written(ran) == set()
    assert program.session.site.folder == project
    window.projects.open(stranger)
    press(qtbot, dialog_of(program, qtbot), "Trust and run")
    assert served(program, qtbot) == "stranger"
    assert written(ran) == {"package", "import", "class", "ui module", "unused"}
    # Trust is remembered, until something that would run is another.
    window.projects.open(project)
    press(qtbot, dialog_of(program, qtbot), "Trust and run")
    window.projects.open(stranger)
    assert program.session.site.folder == stranger
    for name in ("templates/setup.txt", "handlers/unused.py", "site.toml"):
        window.projects.open(project)
        shutil.rmtree(ran)
        ran.mkdir()
        old = (stranger / name).read_text()
        (stranger / name).write_text(old.replace("unused", "other").replace("text", "worse"))
        if name == "site.toml":
            (stranger / name).write_text(old.replace("'/'", "'/x'").replace('"/"', '"/x"'))
        window.projects.open(stranger)
        press(qtbot, dialog_of(program, qtbot), "Cancel")
        assert written(ran) == set(), name
        assert program.session.site.folder == project
        (stranger / name).write_text(old)


def test_a_stranger_on_the_command_line_is_asked_about_before_anything_runs(
    tmp_path: Path,
) -> None:
    ran = tmp_path / "ran"
    stranger = _strangers_project(tmp_path / "stranger", ran)
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--offscreen", "--port", "0", str(stranger)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=stranger,
    )
    assert done.returncode == 2
    assert "--trust" in done.stderr
    assert written(ran) == set()


def test_a_stranger_at_the_start_is_shown_and_runs_only_when_trusted(
    running_loop: TickLoop, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    stranger = _strangers_project(tmp_path / "stranger", ran)
    monkeypatch.setenv("QT_QPA_PLATFORM", "as if somebody could be asked")
    options = Options(project=stranger, port=0, lang="en")
    program = Program(options, running_loop, running_loop.recorder)
    task = running_loop.create_task(program.run())
    box = dialog_of(program, qtbot)
    assert program.session.site.name == "Stranger"
    assert not program.session.editable
    assert program.session.apply(program.session.site), "nothing is served before"
    assert written(ran) == set()
    press(qtbot, box, "Trust and run")
    qtbot.waitUntil(lambda: program.session.address is not None)
    assert "import" in written(ran)
    assert program.session.editable
    program.ended.set()
    qtbot.waitUntil(task.done)


# New, recent, dropped


def test_new_projects_are_made_in_empty_folders_only(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    window = program.window
    before = sorted(project.rglob("*"))
    window.projects.new(project, demo=False)
    box = dialog_of(program, qtbot)
    assert str(project) in box.informativeText()
    press(qtbot, box, "OK")
    assert sorted(project.rglob("*")) == before
    window.projects.new(tmp_path / "empty", demo=False)
    assert program.session.site == load(tmp_path / "empty")
    assert program.session.site.routes == ()
    assert window.windowTitle() == "empty – Loopscope"
    window.projects.new(tmp_path / "copy", demo=True)
    assert "Demo" not in window.windowTitle()
    assert "<html" in served(program, qtbot)
    assert (tmp_path / "copy/static/style.css").read_bytes() == (
        DEMO / "static/style.css"
    ).read_bytes()
    assert program.session.projects.recent()[:2] == [tmp_path / "copy", tmp_path / "empty"]


def test_each_command_has_a_key_and_asks_for_a_folder(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    for keys in ("Ctrl+N", "Ctrl+Shift+N", "Ctrl+O", "Ctrl+Alt+E", "Ctrl+Shift+S"):
        program.window.activateWindow()
        qtbot.waitUntil(program.window.isActiveWindow)
        qtbot.keySequence(program.window, keys)
        dialog = program.window.findChild(QFileDialog)
        assert dialog is not None, keys
        assert dialog.fileMode() == QFileDialog.FileMode.Directory
        dialog.reject()
        gone(qtbot, dialog)


def test_recent_projects_open_from_the_menu(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    window = program.window
    window.projects.new(tmp_path / "a", demo=False)
    window.projects.new(tmp_path / "b&c", demo=False)
    shutil.rmtree(tmp_path / "a")
    recent = next(menu for menu, title in window.menus._titles if title == "Open &recent")
    recent.aboutToShow.emit()  # type: ignore[union-attr]
    actions = recent.actions()  # type: ignore[union-attr]
    assert [each.text() for each in actions[:3]] == ["&1  b&&c", "&2  a", "&3  mine"]
    assert [each.isEnabled() for each in actions[:3]] == [True, False, True]
    actions[2].trigger()
    press(qtbot, dialog_of(program, qtbot), "Trust and run")  # Opened unasked, trusted by nobody.
    assert program.session.site.folder == project
    actions[-1].trigger()
    assert program.session.projects.recent() == []


def test_a_folder_dropped_on_the_window_is_opened(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    window = program.window
    program.session.projects.create(tmp_path / "dropped", demo=False)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped"))])
    actions, buttons = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    page = type_into(program, "templates/page.html", "")
    assert not page.editor.canInsertFromMimeData(data), "it is for the window"
    window.dropEvent(QDropEvent(QPoint(5, 5), actions, data, buttons, keys))
    assert program.session.site.folder == tmp_path / "dropped"
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "dropped/site.toml"))])
    assert window.projects.dropped(data) is None


def test_unsaved_text_is_not_left_behind_unasked(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    window = program.window
    program.session.projects.create(tmp_path / "other", demo=False)
    type_into(program, "templates/page.html", "mine ")
    window.projects.open(tmp_path / "other")
    press(qtbot, dialog_of(program, qtbot), "Cancel")
    assert program.session.site.folder == project
    assert window.editors.pages["templates/page.html"].modified
    window.projects.open(tmp_path / "other")
    press(qtbot, dialog_of(program, qtbot), "Discard")
    assert program.session.site.folder == tmp_path / "other"
    assert window.editors.pages == {}


# Row 101


def test_what_others_change_is_noticed_and_can_be_taken(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    window = program.window
    type_into(program, "templates/page.html", "mine ")
    (project / "handlers/home.py").write_text(HANDLER.format("theirs"))
    (project / "templates/page.html").write_text("theirs\n")
    window.editors.open_settings()
    settings = window.editors.pages["settings"]
    assert isinstance(settings, SettingsPage)
    settings.model.set("xsrf_cookies", True)
    toml = (project / "site.toml").read_text()
    (project / "site.toml").write_text(f"{toml}\n[settings]\nlogin_url = '/in'\n")
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: "+mine <p>page</p>" in dialog.view.toPlainText())
    assert "-theirs" in dialog.view.toPlainText()
    assert "handlers/home.py" in dialog.text.text()
    assert served(program, qtbot) == "first", "what changed does not run by itself"
    press(qtbot, dialog, "Take theirs")
    assert served(program, qtbot) == "theirs"
    page = window.editors.pages["templates/page.html"]
    assert isinstance(page, FilePage)
    assert (page.text, page.modified) == ("theirs\n", False)
    assert program.session.site.settings == settings.model.values == {"login_url": "/in"}
    assert not settings.modified


def test_mine_is_kept_and_then_saved_over_theirs(start: Start, qtbot: QtBot, project: Path) -> None:
    program = start(project)
    window = program.window
    page = type_into(program, "templates/page.html", "mine ")
    (project / "templates/page.html").write_text("theirs\n")
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    press(qtbot, dialog, "Later")
    window.editors.save()
    box = dialog_of(program, qtbot)
    assert "changed on the disk" in box.informativeText()
    press(qtbot, box, "OK")
    assert (project / "templates/page.html").read_text() == "theirs\n"
    assert page.text.startswith("mine ")
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    press(qtbot, dialog, "Keep mine")
    window.editors.save()
    assert (project / "templates/page.html").read_text() == "mine <p>page</p>\n"


def test_a_file_that_others_add_is_not_removed_when_mine_is_kept(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    window, theirs = program.window, project / "templates/theirs.html"
    theirs.write_text("theirs\n")
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    press(qtbot, dialog, "Keep mine")
    for text in ("mine ", "once more "):
        type_into(program, "templates/page.html", text)
        with qtbot.waitSignal(window.editors.saved):
            window.editors.save()
        assert theirs.read_text() == "theirs\n"


def test_what_changes_while_the_dialog_is_open_is_asked_about_too(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    window = program.window
    type_into(program, "templates/page.html", "mine ")
    (project / "templates/page.html").write_text("theirs\n")
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    (project / "templates/page.html").write_text("unseen\n")
    press(qtbot, dialog, "Keep mine")  # Before the watcher told of it.
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    assert "-unseen" in dialog.view.toPlainText()
    press(qtbot, dialog, "Keep mine")
    window.editors.save()
    assert (project / "templates/page.html").read_text() == "mine <p>page</p>\n"


def test_their_broken_file_comes_into_the_editor_while_the_good_one_serves(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    window = program.window
    (project / "handlers/home.py").write_text("def broken(:\n")
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)
    dialog = window.findChild(DiskChangeDialog)
    assert dialog is not None
    press(qtbot, dialog, "Take theirs")
    box = dialog_of(program, qtbot)
    assert "home.py:1" in box.informativeText()
    press(qtbot, box, "OK")
    page = window.editors.pages["handlers/home.py"]
    assert isinstance(page, FilePage)
    assert (page.text, page.modified) == ("def broken(:\n", True)
    assert served(program, qtbot) == "first"
    window.editors.forget_changes()


def test_saving_is_no_change_by_others(start: Start, qtbot: QtBot, project: Path) -> None:
    program = start(project)
    type_into(program, "templates/page.html", "mine ")
    with qtbot.waitSignal(program.window.editors.saved):
        program.window.editors.save()
    qtbot.wait(400)  # Longer than the watcher takes.
    assert program.window.findChild(DiskChangeDialog) is None
    assert not program.window.editors.unsaved


def test_saving_that_takes_long_is_no_change_by_others(
    start: Start, qtbot: QtBot, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(project)
    type_into(program, "templates/page.html", "mine ")
    heard, pause = threading.Event(), [0.5]
    program.session.projects.changed_on_disk.connect(heard.set)

    def slow(folder: Path) -> Site:
        if pause and "mine" in (project / "templates/page.html").read_text():
            heard.wait(pause.pop())
        return load(folder)

    monkeypatch.setattr(projects, "load", slow)
    program.window.editors.save()
    assert program.window.banner.label.text() == "Saved"
    assert not pause
    assert not heard.is_set()
    monkeypatch.undo()
    (project / "handlers/home.py").write_text(HANDLER.format("theirs"))
    qtbot.waitUntil(heard.is_set)
    press(qtbot, program.window.findChildren(DiskChangeDialog)[0], "Keep mine")
    program.window.editors.forget_changes()


def test_a_template_that_was_removed_is_gone_once_it_is_saved(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    tree, editors = program.window.tree, program.window.editors
    tree.add_template("more.html")
    with qtbot.waitSignal(editors.saved):
        editors.save()
    assert (project / "templates/more.html").exists()
    program.window.site.tabs.setCurrentIndex(2)
    (more,) = tree.templates.findItems("more.html", Qt.MatchFlag.MatchExactly)
    tree.templates.setCurrentItem(more)
    qtbot.mouseClick(tree.remove_button, Qt.MouseButton.LeftButton)
    assert (project / "templates/more.html").exists()
    with qtbot.waitSignal(editors.saved):
        editors.save()
    assert not (project / "templates/more.html").exists()
    assert (project / "templates/page.html").exists()
    assert "more.html" not in load(project).templates


def test_a_project_that_an_application_took_over_is_not_watched(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    (tmp_path / "own.py").write_text(
        "from tornado.web import Application\ndef make_app():\n    return Application()\n"
    )
    opening = program.loop.create_task(
        program.session.open_app(f"{tmp_path / 'own.py'}:make_app", "")
    )
    qtbot.waitUntil(opening.done)
    looked = []
    program.session.projects.changed_on_disk.connect(lambda: looked.append(True))
    (project / "handlers/home.py").write_text(HANDLER.format("theirs"))
    qtbot.wait(400)  # Longer than the watcher takes.
    assert looked == []
    program.window.projects.open(project)
    press(qtbot, dialog_of(program, qtbot), "Trust and run")
    qtbot.waitUntil(lambda: program.session.address is not None)
    assert served(program, qtbot) == "theirs"


# Rows 102 and 103


def test_a_save_that_fails_is_told_and_the_document_stays_unsaved(
    start: Start, qtbot: QtBot, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(project)
    window = program.window
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    type_into(program, "templates/page.html", "mine ")
    with monkeypatch.context() as patch:

        def full(descriptor: int, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "write", full)
        window.editors.save()
    box = dialog_of(program, qtbot)
    assert str(project / "templates/page.html") in box.informativeText()
    assert "no space left on device" in box.informativeText()
    press(qtbot, box, "OK")
    assert window.editors.unsaved
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    window.editors.save()
    assert (project / "templates/page.html").read_text().startswith("mine ")


# Rows 97 and 105


def test_a_project_of_a_newer_loopscope_is_shown_and_not_saved(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    text = (project / "site.toml").read_text().replace("schema = 2", "schema = 99")
    (project / "site.toml").write_text(text)
    program = start(project)
    assert "newer Loopscope" in program.window.banner.label.text()
    type_into(program, "templates/page.html", "mine ")
    program.window.editors.save()
    press(qtbot, dialog_of(program, qtbot), "OK")
    assert (project / "templates/page.html").read_text() == "<p>page</p>\n"
    program.window.editors.forget_changes()


@contextlib.contextmanager
def another(project: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another Loopscope, which has *project* open."""
    command = [sys.executable, str(ROOT / "main.py"), str(project), "--offscreen", "--trust"]
    with subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"serving" in process.stdout.readline()
            yield process
        finally:
            process.kill()  # The lock must not survive it.


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_opened_twice_the_second_cannot_save_until_the_first_is_gone(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    with another(project) as first:
        program = start(project)
        window = program.window
        assert f"process {first.pid}" in window.banner.label.text()
        type_into(program, "templates/page.html", "second ")
        window.editors.save()
        box = dialog_of(program, qtbot)
        assert f"process {first.pid}" in box.informativeText()
        press(qtbot, box, "OK")
        assert (project / "templates/page.html").read_text() == "<p>page</p>\n"
    window.editors.forget_changes()
    window.projects.open(project)
    press(qtbot, dialog_of(program, qtbot), "Trust and run")
    type_into(program, "templates/page.html", "second ")
    window.editors.save()
    assert (project / "templates/page.html").read_text().startswith("second ")


# Row 47 and recovery


TYPING = """
import asyncio, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.application import Program
from app.loop import TickLoop
from app.options import Options
from app.recording.recorder import Recorder

recorder = Recorder()
with TickLoop(QApplication([]), recorder=recorder, contained=True) as loop:
    asyncio.set_event_loop(loop)
    program = Program(Options(project=Path(sys.argv[1]), port=0, trust=True), loop, recorder)

    async def type_text():
        while program.session.address is None:
            await asyncio.sleep(0.05)
        editors = program.window.editors
        editors.open_file("handlers", "home.py")
        editors.pages["handlers/home.py"].editor.insertPlainText("half = (\\n")
        editors.open_routes()
        editors.pages["site.toml"].add()
        editors.open_settings()
        editors.pages["settings"].model.set("xsrf_cookies", True)
        print("typed", flush=True)

    loop.create_task(type_text())
    loop.run_until_complete(program.run())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_unsaved_text_comes_back_after_a_kill(start: Start, qtbot: QtBot, project: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", TYPING, str(project)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    drafts = Path(os.environ["XDG_DATA_HOME"])
    try:
        assert child.stdout is not None
        while (line := child.stdout.readline()) and b"typed" not in line:
            pass
        qtbot.waitUntil(
            lambda: any(
                b"xsrf_cookies" in path.read_bytes() for path in drafts.rglob("drafts/*.json")
            ),
            timeout=10_000,
        )
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert "half" not in (project / "handlers/home.py").read_text()
    program = start(project)
    box = dialog_of(program, qtbot)
    assert "handlers/home.py" in box.informativeText()
    press(qtbot, box, "Recover")
    editors = program.window.editors
    page = editors.pages["handlers/home.py"]
    assert isinstance(page, FilePage)
    assert page.text.startswith("half = (\nfrom tornado")
    assert page.modified, "nothing of it is served before it is applied"
    assert editors.pages["site.toml"].modified
    assert editors.pages["settings"].modified
    assert program.session.site.settings == {}
    assert editors.all_written().settings == {"xsrf_cookies": True}
    assert "/new" in [route.pattern for route in editors.all_written().routes]
    assert served(program, qtbot) == "first"
    page.undo()
    assert page.text.startswith("from tornado")
    editors.forget_changes()


def test_what_is_saved_is_not_offered_again(start: Start, qtbot: QtBot, project: Path) -> None:
    program = start(project)
    type_into(program, "templates/page.html", "mine ")
    window = program.window
    window.projects.keep_draft()
    assert program.session.projects.draft() is not None
    window.editors.save()
    assert program.session.projects.draft() is None


def test_saved_elsewhere_the_editors_stay_open_and_can_undo(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    window, editors = program.window, program.window.editors
    handler = type_into(program, "handlers/home.py", "# mine\n")
    page = type_into(program, "templates/page.html", "mine ")
    other = tmp_path / "other"
    other.mkdir()
    qtbot.keyClick(
        window,
        Qt.Key.Key_S,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(other))
    dialog.reject()
    qtbot.waitUntil(lambda: window.banner.label.text() == "Saved")
    assert (other / "templates/page.html").read_text().startswith("mine ")
    assert (project / "templates/page.html").read_text() == "<p>page</p>\n"
    assert list(editors.pages.values()) == [handler, page]
    assert not any((handler.modified, page.modified, editors.unsaved))
    assert editors.current() is page
    assert program.session.projects.recent()[0] == other
    page.undo()
    assert page.text == "<p>page</p>\n"
    assert page.modified
    with qtbot.waitSignal(editors.saved):
        editors.save()
    assert (other / "templates/page.html").read_text() == "<p>page</p>\n"
    (other / "handlers/home.py").write_text(HANDLER.format("theirs"))
    qtbot.waitUntil(lambda: window.findChild(DiskChangeDialog) is not None)


def test_a_copy_of_what_another_has_open_can_be_edited_at_once(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    with another(project):
        program = start(project)
        editors = program.window.editors
        editors.open_static()
        page = editors.pages[STATIC_KEY]
        assert page.note.text() == "To be read only"
        editors.save(tmp_path / "other")
        assert page.note.text() == "Served from the disk, at once"
        assert page.banner.isHidden()


def test_saving_elsewhere_may_be_given_up_without_a_loss(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    routes = tuple(Route(f"/{number}", "handlers.home.Home") for number in range(5_000))
    save(load(project).with_routes(routes), project)
    program = start(project)
    session, window = program.session, program.window
    window.editors.apply([type_into(program, "templates/page.html", "mine ")])
    window.projects.keep_draft()
    qtbot.waitUntil(lambda: session.projects.draft() is not None)

    def give_up(what: str) -> None:
        if what.startswith("Applying"):
            session.stop_work()

    session.work_changed.connect(give_up)
    window.editors.save(tmp_path / "other")
    press(qtbot, dialog_of(program, qtbot), "OK")
    assert session.site.folder == project
    assert session.projects.draft() is not None
    session.work_changed.disconnect(give_up)
    window.projects.discard()


def test_where_no_draft_can_be_kept_that_is_said_and_saving_still_works(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no folder").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no folder"))
    program = start(project)
    assert program.session.projects.read_only == ""
    type_into(program, "templates/page.html", "mine ")
    banner = program.window.banner.label
    qtbot.waitUntil(lambda: "cannot be kept" in banner.text())
    program.window.editors.save()
    assert banner.text() == "Saved"
    assert (project / "templates/page.html").read_text().startswith("mine ")


def test_a_draft_stays_until_it_is_recovered(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(project)
    session, commands = program.session, program.window.projects
    type_into(program, "templates/page.html", "mine ")
    commands.keep_draft()
    qtbot.waitUntil(lambda: session.projects.draft() is not None)
    session.projects.open(session.projects.read(project))
    over = threading.Event()

    def slow(site: Site, texts: Mapping[str, str | None]) -> Site:
        over.wait(10)
        return merged(site, texts)

    with monkeypatch.context() as patch:
        patch.setattr(projects, "merged", slow)
        giving_up = session.work_changed.connect(session.stop_work)
        press(qtbot, dialog_of(program, qtbot), "Recover")
        session.work_changed.disconnect(giving_up)
    over.set()
    draft = session.projects.draft()
    assert draft is not None
    press(qtbot, dialog_of(program, qtbot), "Recover")
    page = program.window.editors.pages["templates/page.html"]
    assert isinstance(page, FilePage)
    assert page.text == "mine <p>page</p>\n"
    program.window.editors.forget_changes()


def test_what_was_discarded_on_leaving_does_not_come_back(
    start: Start, qtbot: QtBot, project: Path
) -> None:
    program = start(project)
    page = type_into(program, "templates/page.html", "mine ")
    program.window.editors.apply([page])
    program.window.projects.keep_draft()
    assert program.session.projects.draft() is not None
    window = program.window
    window.close()
    press(qtbot, dialog_of(program, qtbot), "Discard")
    qtbot.waitUntil(lambda: not (shiboken6.isValid(window) and window.isVisible()))
    assert program.session.projects.draft() is None


# Export


def test_what_is_in_the_editors_is_exported(
    start: Start, qtbot: QtBot, project: Path, tmp_path: Path
) -> None:
    program = start(project)
    type_into(program, "templates/page.html", "mine ")
    program.window.projects.export(tmp_path / "out")
    assert "python3 app.py" in program.window.banner.label.text()
    assert (tmp_path / "out/templates/page.html").read_text().startswith("mine ")
    (tmp_path / "out/app.py").write_text("mine")
    program.window.projects.export(tmp_path / "out")
    assert str(tmp_path / "out") in dialog_of(program, qtbot).informativeText()
    press(qtbot, dialog_of(program, qtbot), "OK")
    program.window.editors.forget_changes()
