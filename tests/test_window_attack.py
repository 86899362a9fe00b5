"""The attack range in the whole program: opened from the menu, fired, edited under, closed."""

from __future__ import annotations

import concurrent.futures
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.application import Program
from app.recording.events import Request
from app.server import bit_by_bit
from app.server.attack.attacks import ATTACKS, DEFENCES, Outcome
from app.server.attack.sightings import Place
from app.server.site import Route
from app.widgets.attack_dialog import AttackDialog

from .conftest import PATIENCE_MS
from .test_window import program

__all__ = ["program"]


def open_range(program: Program, qtbot: QtBot) -> AttackDialog:
    window = program.window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(
        window,
        Qt.Key.Key_A,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    dialog = window.findChild(AttackDialog)
    assert isinstance(dialog, AttackDialog)
    qtbot.waitUntil(dialog.fire_all.isEnabled)
    return dialog


def fire(program: Program, qtbot: QtBot, dialog: AttackDialog, place: Place) -> Outcome:
    row = [each.key for each in DEFENCES].index(place.defence)
    column = 1 + [each.key for each in ATTACKS].index(place.attack)
    dialog.matrix.setCurrentIndex(dialog.matrix.matrix.index(row, column))
    qtbot.keyClick(dialog.matrix, Qt.Key.Key_Return)
    cell = program.session.attacks.cell
    qtbot.waitUntil(lambda: cell(place).fired is not None)
    fired = cell(place).fired
    assert fired is not None
    return fired.outcome


def test_a_cell_is_fired_and_its_request_is_shown(program: Program, qtbot: QtBot) -> None:
    dialog = open_range(program, qtbot)
    assert fire(program, qtbot, dialog, Place("none", "frame")) is Outcome.FORGED
    qtbot.waitUntil(dialog.detail.show_request.isEnabled)
    qtbot.mouseClick(dialog.detail.show_request, Qt.MouseButton.LeftButton)
    shown = program.store.request(program.window.selection.request_id)
    assert shown is not None
    assert (shown.client, shown.method, shown.uri, shown.status) == ("Victim", "POST", "/form", 303)
    entries = [Request(*row).uri for row in program.store.requests.rows]
    assert entries.count("/form") == 1
    again = open_range(program, qtbot)
    assert again is dialog


def test_it_follows_the_site_and_ends_with_its_window(program: Program, qtbot: QtBot) -> None:
    dialog, attacks = open_range(program, qtbot), program.session.attacks
    place, before = Place("served", "click"), attacks.address
    assert fire(program, qtbot, dialog, place) is Outcome.REFUSED
    site = program.session.site
    open_ = {"xsrf_cookies": False, "cross_origin_protection": False}
    assert program.session.apply(replace(site, settings={**site.settings, **open_})) == []
    qtbot.waitUntil(lambda: attacks.address not in ("", before))
    assert attacks.cell(place).fired is None
    assert fire(program, qtbot, dialog, place) is Outcome.STRANGER
    dialog.close()
    qtbot.waitUntil(lambda: attacks.address == "")


@pytest.mark.parametrize("by_key", [True, False])
def test_it_closes_and_opens_anew(program: Program, qtbot: QtBot, by_key: bool) -> None:
    dialog = open_range(program, qtbot)
    with qtbot.waitSignal(dialog.destroyed):
        if by_key:
            qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        else:
            assert dialog.close()
    qtbot.waitUntil(lambda: program.session.attacks.address == "")
    again = open_range(program, qtbot)
    assert again.isVisible()
    assert program.session.attacks.address


def test_what_changes_while_it_is_opened_is_followed_too(
    program: Program, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bit_by_bit, "_SLICE_S", 0)
    attacks, site = program.session.attacks, program.session.site
    attacks.open_range(attacks.default_target())
    qtbot.waitUntil(lambda: attacks.origin_of(DEFENCES[1].key) != "")  # Others are still to come.
    added = Route("/added", site.routes[0].handler)
    assert program.session.apply(site.with_routes([*site.routes, added])) == []
    wanted = {each.key for each in DEFENCES}

    def served() -> set[str]:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = {key: pool.submit(status, f"{attacks.origin_of(key)}/added") for key in wanted}
            qtbot.waitUntil(lambda: all(each.done() for each in asked.values()))
            return {key for key, each in asked.items() if each.result() == 200}

    until = time.monotonic() + PATIENCE_MS / 1000
    while served() != wanted:
        assert time.monotonic() < until


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, ValueError):  # It is not served just now.
        return 0


def test_the_program_ends_with_an_open_range(program: Program, qtbot: QtBot) -> None:
    open_range(program, qtbot)  # What is left over fails the fixtures.
