"""The choice to serve while typing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.widgets.as_you_type import AsYouType


def test_the_choice_is_remembered(qapp: QApplication, tmp_path: Path) -> None:
    file, parent = str(tmp_path / "settings.ini"), QObject()

    def made() -> AsYouType:
        return AsYouType(QSettings(file, QSettings.Format.IniFormat), parent)

    first = made()
    assert not first.on
    first.choose(True)
    first._settings.sync()  # type: ignore[union-attr]
    assert made().on
    first.choose(False)
    first._settings.sync()  # type: ignore[union-attr]
    assert not made().on


def test_only_after_a_pause_and_only_while_chosen(qtbot: QtBot) -> None:
    parent = QObject()
    choice = AsYouType(None, parent)
    due: list[None] = []
    choice.due.connect(lambda: due.append(None))
    choice.edited()
    assert not choice._pause.isActive()
    choice.choose(True)
    with qtbot.waitSignal(choice.due):
        for _ in range(5):
            choice.edited()
            qtbot.wait(5)
            assert due == []
    choice.edited()
    choice.choose(False)
    assert not choice._pause.isActive()
