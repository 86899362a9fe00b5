"""English and 简体中文: the English text is the key of its translation."""

from __future__ import annotations

import json

from PySide6.QtCore import QCoreApplication, QLocale, QObject, QTranslator, Signal

from .theme import RESOURCES

LANGUAGES = {"en": "English", "zh": "简体中文"}


def load(code: str) -> dict[str, str]:
    """Return the translations into *code*, from ``resources/translations``."""
    path = RESOURCES / "translations" / f"{code}.json"
    if code == "en" or not path.exists():
        return {}
    texts: dict[str, str] = json.loads(path.read_text("utf-8"))
    return texts


class _Translator(QTranslator):
    """Gives Qt's own texts (the buttons of dialogs) from the same file."""

    def translate(
        self, context: str, source: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        return _texts.get(source) or _texts.get(source.replace("&", ""))

    def isEmpty(self) -> bool:
        return not _texts


class Language(QObject):
    """Which language is on. Widgets set their texts again on `changed`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.code = "en"
        self._translator: _Translator | None = None

    def choose(self, code: str) -> None:
        """Change to ``en`` or ``zh``; anything else stands for the system's language."""
        if code not in LANGUAGES:
            chinese = QLocale.system().language() == QLocale.Language.Chinese
            code = "zh" if chinese else "en"
        self.code = code
        _texts.clear()
        _texts.update(load(code))
        app = QCoreApplication.instance()
        if app is not None:
            if self._translator is not None:
                app.removeTranslator(self._translator)
            self._translator = _Translator(self)
            app.installTranslator(self._translator)
        self.changed.emit()


_texts: dict[str, str] = {}
missing: set[str] = set()
"""Texts that were asked for and have no translation into the language that is on."""
language = Language()


def tr(text: str, **values: object) -> str:
    """Return *text* in the chosen language, with ``{name}`` places filled from *values*."""
    found = _texts.get(text)
    if found is None:
        found = text
        if _texts and text and len(missing) < 1_000:
            missing.add(text)
    return found.format(**values) if values else found
