"""The attack range's window: keys and buttons in, predictions and outcomes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.server.attack import attack_range, predict
from app.server.attack.attacks import ATTACKS, DEFENCES, Outcome, Target
from app.server.attack.predict import Prediction
from app.server.attack.sightings import Place, Sighting
from app.server.ladder import NOTHING, Words
from app.widgets.attack_controls import AttackControls, Cell
from app.widgets.attack_dialog import AttackDialog
from app.widgets.i18n import language, load
from app.widgets.theme import RESOURCES, Theme


class FakeAttacks(AttackControls):
    """A range that is open at once, in which everything is predicted to be refused."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Target] = []
        self.closed = 0
        self.fired: list[list[Place]] = []
        self.seen: dict[Place, Cell] = {}
        self.looked = 0

    @property
    def address(self) -> str:
        return "http://localhost:4567/" if self.opened else ""

    @property
    def busy(self) -> bool:
        return False

    def default_target(self) -> Target:
        return Target()

    def open_range(self, target: Target) -> None:
        self.opened.append(target)
        self.changed.emit()

    def close_range(self) -> None:
        self.closed += 1

    def fire(self, places: Sequence[Place]) -> None:
        self.fired.append(list(places))

    def look(self) -> None:
        self.looked += 1

    def cell(self, place: Place) -> Cell:
        prediction = Prediction(Outcome.REFUSED, Words("as {n}", {"n": 1}))
        return self.seen.get(place, Cell(prediction))

    def origin_of(self, defence: str) -> str:
        return "" if defence == "served" else "http://127.0.0.1:9"

    def page_of(self, place: Place) -> str:
        return f"{self.address}{place.defence}/{place.attack}"

    def problem_of(self, defence: str) -> Words:
        return Words("nobody came") if defence == "lax" else NOTHING

    def see(self, place: Place, outcome: Outcome, client: str | None) -> None:
        sighting = Sighting(place, 17, client, outcome, "POST", 303, "", ("user",))
        cell = self.cell(place)
        seen = cell._replace(fired=sighting) if client else cell._replace(browsed=sighting)
        self.seen[place] = seen
        self.changed.emit()


@pytest.fixture
def attacks() -> FakeAttacks:
    return FakeAttacks()


@pytest.fixture
def dialog(attacks: FakeAttacks, qtbot: QtBot) -> Iterator[AttackDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = AttackDialog(attacks, Theme(), parent)
    dialog.show()
    yield dialog
    language.choose("en")


def go_to(dialog: AttackDialog, defence: str, attack: str) -> Place:
    row = [each.key for each in DEFENCES].index(defence)
    column = 1 + [each.key for each in ATTACKS].index(attack)
    dialog.matrix.setCurrentIndex(dialog.matrix.matrix.index(row, column))
    return Place(defence, attack)


def words(dialog: AttackDialog) -> list[str]:
    return [text.text() for text in dialog.detail.texts]


def test_it_opens_the_range_and_closes_it(dialog: AttackDialog, attacks: FakeAttacks) -> None:
    assert attacks.opened == [Target()]
    assert "http://localhost:4567/" in dialog.where.toolTip()
    dialog.reject()  # Escape.
    assert attacks.closed == 1


def test_keys_attack_a_cell_or_a_row(
    dialog: AttackDialog, attacks: FakeAttacks, qtbot: QtBot
) -> None:
    place = go_to(dialog, "xsrf", "image")
    qtbot.keyClick(dialog.matrix, Qt.Key.Key_Return)
    assert attacks.fired == [[place]]
    for _ in range(3):
        qtbot.keyClick(dialog.matrix, Qt.Key.Key_Left)
    qtbot.keyClick(dialog.matrix, Qt.Key.Key_Space)
    assert attacks.fired[1] == [Place("xsrf", attack.key) for attack in ATTACKS]


def test_all_that_is_served_is_attacked(
    dialog: AttackDialog, attacks: FakeAttacks, qtbot: QtBot
) -> None:
    qtbot.mouseClick(dialog.fire_all, Qt.MouseButton.LeftButton)
    (places,) = attacks.fired
    assert len(places) == (len(DEFENCES) - 1) * len(ATTACKS)
    assert not any(place.defence == "served" for place in places)


def test_what_came_stands_beside_what_was_predicted(
    dialog: AttackDialog, attacks: FakeAttacks, qtbot: QtBot
) -> None:
    place = go_to(dialog, "lax", "click")
    index = dialog.matrix.currentIndex()
    assert index.data() == "✓ Refused, predicted"
    assert words(dialog)[1].endswith("nobody came")
    assert words(dialog)[2:] == ["✓ Refused · as 1", "not tried yet", "not tried yet"]
    assert not dialog.detail.show_request.isEnabled()
    attacks.see(place, Outcome.REFUSED, "Victim")
    assert index.data() == "✓ Refused, as predicted · 303"
    assert dialog.summary.text() == "✓ 1 tried, all as predicted"
    attacks.see(place, Outcome.FORGED, None)
    assert index.data() == "✓ Refused, as predicted · 303, browser: ✗ Forged"
    assert words(dialog)[4].startswith("✗ Forged · not as predicted · POST was answered with 303")
    attacks.see(place, Outcome.FORGED, "Victim")
    assert index.data().startswith("✗ Forged, ≠ predicted: Refused")
    assert dialog.summary.text() == "✗ 1 of 1 not as predicted"
    with qtbot.waitSignal(dialog.request_selected) as selected:
        qtbot.mouseClick(dialog.detail.show_request, Qt.MouseButton.LeftButton)
    assert selected.args == [17]


def test_another_target_opens_the_range_anew(
    dialog: AttackDialog, attacks: FakeAttacks, qtbot: QtBot
) -> None:
    dialog.fields[2].setText("/upload")
    qtbot.keyClick(dialog.fields[2], Qt.Key.Key_Return)
    assert attacks.opened[-1] == Target(path="/upload")


def test_why_it_cannot_be_opened_is_told(dialog: AttackDialog, attacks: FakeAttacks) -> None:
    attacks.opened.clear()
    attacks.refused.emit("no server")
    attacks.changed.emit()
    assert dialog.banner.isVisible()
    assert dialog.banner.label.text() == "no server"
    assert not dialog.fire_all.isEnabled()
    assert not dialog.browse.isEnabled()


def test_the_browser_gets_the_attackers_page(
    dialog: AttackDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert opened == [QUrl("http://localhost:4567/")]


def test_the_store_is_looked_at_while_it_is_open(
    dialog: AttackDialog, attacks: FakeAttacks, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: attacks.looked > 1)


def test_it_is_said_in_chinese(dialog: AttackDialog, attacks: FakeAttacks) -> None:
    go_to(dialog, "xsrf", "click")
    language.choose("zh")
    assert dialog.fire_all.text() == "全部攻击"
    assert dialog.matrix.currentIndex().data() == "✓ 被拒绝, 预测"
    assert dialog.detail.names[0].text() == "攻击"


def test_every_text_of_the_range_has_its_chinese() -> None:
    texts = {text for each in (*ATTACKS, *DEFENCES) for text in (each.title, each.what)}
    texts |= {outcome.value for outcome in Outcome}
    texts |= {each.text for each in vars(predict).values() if isinstance(each, Words)}
    for page in (RESOURCES / "attack").glob("*.html"):
        texts |= {found[2] for found in re.finditer(r"_\((['\"])(.+?)\1\)", page.read_text())}
    source = Path(attack_range.__file__).read_text()
    texts |= set(re.findall(r'Words\("(.+?)"[,)]', source))
    assert len(texts) > 45
    assert texts - set(load("zh")) - {""} == set()
