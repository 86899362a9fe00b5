"""The attributes of a cookie, to be edited."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QLineEdit, QWidget

from app.server.jar import Cookie

from .i18n import tr
from .parts import label

SAME_SITE = ("", "Lax", "Strict", "None")


class CookieForm(QWidget):
    """Everything of a cookie but its value."""

    def __init__(self, cookie: Cookie) -> None:
        super().__init__()
        self._cookie = cookie
        self.name, self.domain, self.path = QLineEdit(), QLineEdit(), QLineEdit()
        self.max_age = QLineEdit()
        self.same_site = QComboBox()
        self.same_site.addItems(SAME_SITE)
        self.http_only, self.secure, self.subdomains = QCheckBox(), QCheckBox(), QCheckBox()
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(8)
        for text, field, tip in (
            (tr("Name"), self.name, tr("The cookie's name")),
            (tr("Domain"), self.domain, tr("The host that gets it")),
            (tr("Path"), self.path, tr("Sent with this path and all below it")),
            (tr("Max-Age"), self.max_age, tr("Seconds left; empty for as long as the session")),
            ("SameSite", self.same_site, tr("Whether it goes along from other sites")),
            ("", self.http_only, tr("Scripts in the page cannot read it")),
            ("", self.secure, tr("Sent only over HTTPS, or on this machine")),
            ("", self.subdomains, tr("Sent to hosts below the domain as well")),
        ):
            field.setToolTip(tip)
            if text:
                field.setAccessibleName(text)
            layout.addRow(label(text, "dim"), field)
        self.http_only.setText("HttpOnly")
        self.secure.setText("Secure")
        self.subdomains.setText(tr("With subdomains"))
        self.max_age.setPlaceholderText(tr("Session"))
        self.show_cookie(cookie)

    def show_cookie(self, cookie: Cookie) -> None:
        """Show *cookie*."""
        self._cookie = cookie
        self.name.setText(cookie.name)
        self.domain.setText(cookie.domain)
        self.path.setText(cookie.path)
        left = None if cookie.expires is None else cookie.expires - time.time()
        self.max_age.setText("" if left is None else f"{left:.0f}")
        self._age = self.max_age.text()
        self.same_site.setCurrentText(cookie.same_site)
        self.http_only.setChecked(cookie.http_only)
        self.secure.setChecked(cookie.secure)
        self.subdomains.setChecked(not cookie.host_only)

    def cookie(self, value: str) -> Cookie:
        """Return what the form says, with *value*. Raises ValueError for what cannot be kept."""
        name = self.name.text().strip()
        if not name:
            raise ValueError("a cookie needs a name")
        if any(letter in '=;, \t"\\' or not " " < letter < "\x7f" for letter in name):
            raise ValueError("the name holds a character that no cookie name can hold")
        if any(letter == ";" or not " " <= letter < "\x7f" for letter in value):
            raise ValueError("the value holds a character that no cookie can hold")
        if not self.domain.text().strip():
            raise ValueError("a cookie needs a domain")
        return replace(
            self._cookie,
            name=name,
            value=value,
            domain=self.domain.text().strip().lower().removeprefix("."),
            path=self.path.text().strip() or "/",
            host_only=not self.subdomains.isChecked(),
            expires=self._expires(),
            secure=self.secure.isChecked(),
            http_only=self.http_only.isChecked(),
            same_site=self.same_site.currentText(),
        )

    def _expires(self) -> float | None:
        text = self.max_age.text().strip()
        if text == self._age:
            return self._cookie.expires
        if not text:
            return None
        try:
            return time.time() + int(text)
        except ValueError:
            raise ValueError("Max-Age is a number of seconds") from None
