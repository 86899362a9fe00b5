"""Colours, sizes and what is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.widgets.icons import app_icon, icon
from app.widgets.theme import (
    DARK,
    DARK_HUES,
    LIGHT,
    LIGHT_HUES,
    RESOURCES,
    ZOOMS,
    Colours,
    Theme,
    status_glyph,
)


def luminance(colour: QColor) -> float:
    """Return the relative luminance of WCAG 2."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast ratio of WCAG 2: 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


TOKENS = ("text", "dim", "faint", "accent", "ok", "redirect", "error", "warn")


@pytest.mark.parametrize(("colours", "hues"), [(DARK, DARK_HUES), (LIGHT, LIGHT_HUES)])
def test_words_can_be_read_on_every_ground(colours: Colours, hues: tuple[QColor, ...]) -> None:
    # 4.5 is what WCAG AA asks of text; code is written in the hues too.
    inks = [getattr(colours, token) for token in TOKENS] + list(hues)
    assert [ink.name() for ink in inks if contrast(ink, colours.panel) < 4.5] == []
    assert contrast(colours.text, colours.selection) >= 4.5


def test_scheme_and_zoom_are_remembered(qapp: QApplication, tmp_path: Path) -> None:
    path = str(tmp_path / "settings.ini")
    theme = Theme(QSettings(path, QSettings.Format.IniFormat))
    told: list[None] = []
    theme.changed.connect(lambda: told.append(None))
    theme.set_scheme("light")
    theme.zoom_in()
    assert len(told) == 2
    assert theme.settings is not None
    theme.settings.sync()
    again = Theme(QSettings(path, QSettings.Format.IniFormat))
    assert not again.dark
    assert again.zoom == pytest.approx(1.1)
    assert again.px(100) == 110


@pytest.mark.parametrize("value", ["nonsense", "-3", "1e9", "nan", ""])
def test_settings_that_make_no_sense_do_no_harm(
    qapp: QApplication, tmp_path: Path, value: str
) -> None:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("theme/scheme", value)
    settings.setValue("theme/zoom", value)
    theme = Theme(settings)
    assert theme.scheme == "system"
    assert 0.7 <= theme.zoom <= 2.4
    assert theme.px(28) > 0


def test_zoom_ends_at_both_ends(qapp: QApplication) -> None:
    theme = Theme()
    for _ in ZOOMS:
        theme.zoom_in()
    assert theme.zoom == 2.4
    for _ in ZOOMS:
        theme.zoom_out()
    assert theme.zoom == 0.7
    theme.set_zoom(1.0)
    assert theme.zoom == 1.0


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_style_sheet_is_filled_in(qapp: QApplication, scheme: str) -> None:
    theme = Theme()
    theme.set_scheme(scheme)
    sheet = theme.style_sheet()
    assert "@" not in sheet
    assert sheet.count("{") == sheet.count("}")
    for part in sheet.split('url("')[1:]:
        assert Path(part.split('"')[0]).is_file()


def test_a_request_keeps_its_hue_and_neighbours_differ(qapp: QApplication) -> None:
    theme = Theme()
    assert theme.hue(5) == theme.hue(13)
    assert len({theme.hue(id_).name() for id_ in range(1, 9)}) == 8


def test_no_status_is_told_by_colour_alone() -> None:
    glyphs = [status_glyph(status)[0] for status in (None, 101, 204, 302, 404)]
    assert len(set(glyphs)) == 5
    assert status_glyph(404)[1] == status_glyph(500)[1] == "error"


def test_all_icons_can_be_drawn(qapp: QApplication) -> None:
    theme = Theme()
    for path in (RESOURCES / "icons").glob("*.svg"):
        assert not icon(theme, path.stem).pixmap(16, 16).toImage().isNull()
    assert not app_icon().isNull()
