"""The anatomy of signed cookies as the window shows it: vectors, damage, secrets, signing."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from tornado.web import create_signed_value

from app.server.signed_cookies import Keys
from app.widgets.anatomy_view import AnatomyView
from app.widgets.theme import Theme

from .fake_controls import FakeControls

NOW = 1_700_000_000.0
SIGNED = (
    "2|1:0|10:1700000000|4:user|8:YWxpY2U=|"
    "bdb1c4cdb16c970d48abd9cc263b2d5c52e300b28ef47923f652d30c1e2b013f"
)
SIGNED_1 = "YWxpY2U=|1700000000|bf1bc0e1aca948d199d1e333b3ac1d177521ec44"


@pytest.fixture
def view(qtbot: QtBot) -> AnatomyView:
    """The view of the vector, with its secret."""
    view = AnatomyView(FakeControls(), Theme())
    qtbot.addWidget(view)
    view.show()
    view.show_cookie("user", SIGNED, NOW, Keys("SECRET"))
    return view


def failing(view: AnatomyView) -> list[str]:
    """Return the rungs that are lit."""
    return [rung.name for rung in view.ladder.rungs if rung.state == "failed"]


def coloured(view: AnatomyView) -> list[str]:
    """Return the parts of the text that are coloured, in order."""
    return [each.cursor.selectedText() for each in view.text.extraSelections()]


def test_both_versions_stand_there_field_by_field(view: AnatomyView) -> None:
    assert coloured(view) == ["2", "1:0", "10:1700000000", "4:user", "8:YWxpY2U=", SIGNED[38:]]
    assert view.verdict.text() == "✓ get_signed_cookie(\"user\") → b'alice'"
    assert view.plain.text() == "alice"
    view.show_cookie("user", SIGNED_1, NOW, Keys("SECRET"))
    assert coloured(view) == SIGNED_1.split("|")
    assert view.verdict.text() == "✓ get_signed_cookie(\"user\") → b'alice'"


def signed(**options: object) -> str:
    at = options.pop("at", NOW)
    arguments = {"secret": "SECRET", "name": "user", "value": "alice", **options}
    return create_signed_value(**arguments, clock=lambda: at).decode()  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("value", "keys", "rung"),
    [
        ("", Keys("SECRET"), "present"),
        (SIGNED.replace("2|", "3|", 1), Keys("SECRET"), "version"),
        (SIGNED.replace("4:user", "5:user"), Keys("SECRET"), "fields"),
        (SIGNED[:50].rstrip("|")[:37], Keys("SECRET"), "fields"),
        (SIGNED, Keys({1: "SECRET"}, 1), "key"),
        (SIGNED.replace("YWx", "YWy"), Keys("SECRET"), "signature"),
        (SIGNED, Keys("OTHER"), "signature"),
        (signed(name="other"), Keys("SECRET"), "name"),
        (signed(at=NOW - 32 * 86400), Keys("SECRET"), "age"),
        (signed(at=NOW + 32 * 86400, version=1), Keys("SECRET"), "future"),
        ("a|b", Keys("SECRET"), "fields"),
    ],
)
def test_each_class_of_damage_lights_its_rung(
    view: AnatomyView, value: str, keys: Keys, rung: str
) -> None:
    view.show_cookie("user", value, NOW, keys)
    assert failing(view) == [rung]
    assert view.verdict.text() == '✗ get_signed_cookie("user") → None'


def test_broken_input_still_decodes_and_is_never_signed_by_editing(view: AnatomyView) -> None:
    view.text.setPlainText(SIGNED.replace("YWxpY2U=", "Ym9iYnk="))
    assert failing(view) == ["signature"]
    assert view.anatomy is not None
    assert (view.anatomy.value, view.anatomy.payload) == (None, b"bobby")
    assert view.text.value.endswith(SIGNED[38:])
    view.text.setPlainText(SIGNED)
    assert failing(view) == []


def test_without_the_secret_the_fields_are_read_all_the_same(view: AnatomyView) -> None:
    view.show_cookie("user", SIGNED, NOW, Keys(None))
    assert len(coloured(view)) == 6
    assert "not known" in view.why.text()


def test_the_button_signs_what_stands_beside_it(view: AnatomyView, qtbot: QtBot) -> None:
    view.plain.setText("bob")
    view.sign.click()
    assert view.text.value == "signed user b'bob' 2"


def test_characters_outside_the_basic_plane_do_not_shift_the_colours(view: AnatomyView) -> None:
    view.text.setPlainText(SIGNED.replace("4:user", "8:😀user"))
    assert coloured(view)[3:5] == ["8:😀user", "8:YWxpY2U="]
