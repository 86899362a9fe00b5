"""How a request goes over the wire: version, connection, chunks, pace, hanging up."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QSpinBox, QWidget

from .firing_controls import Sending
from .i18n import tr
from .parts import label, set_property

_SPINS = {
    "bytes_per_second": ("Bytes per second", "As fast as possible", 0, 10_000_000),
    "hang_up_after": ("Hang up after bytes", "Never", -1, 1_000_000_000),
    "give_up_after": ("Give up after seconds", "Never", 0, 86_400),
    "rate": ("Burst: per second", "As fast as possible", 0, 100_000),
}
_TIPS = {
    "bytes_per_second": "Send the head and the body this slowly",
    "hang_up_after": "Close the connection once so many bytes of the request have been sent",
    "give_up_after": "End the request when there is no complete answer by then",
    "rate": "Begin at most so many requests of a burst each second",
}
_CHECKS = {
    "http_1_0": ("HTTP/1.0", "Name version 1.0 in the request line"),
    "keep_alive": ("Keep-alive", "Use the connection again; else each request opens its own"),
    "chunked": ("Chunked", "Send the body in chunks, with Transfer-Encoding: chunked"),
    "expect_continue": (
        "Expect: 100",
        "Send Expect: 100-continue, and the body when the server says so",
    ),
}


class SendingPage(QWidget):
    """Edits a `Sending`."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.checks = {name: QCheckBox() for name in _CHECKS}
        self.spins = {name: QSpinBox() for name in _SPINS}
        self._labels = {name: label("", "dim") for name in _SPINS}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for at, check in enumerate(self.checks.values()):
            grid.addWidget(check, at // 2, at % 2)
            check.toggled.connect(self.edited)
        for row, (name, spin) in enumerate(self.spins.items(), 2):
            _, _, low, high = _SPINS[name]
            spin.setRange(low, high)
            spin.valueChanged.connect(self.edited)
            grid.addWidget(self._labels[name], row, 0)
            grid.addWidget(spin, row, 1)
            self._labels[name].setBuddy(spin)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(6, 1)
        self.set_sending(Sending())

    def sending(self) -> Sending:
        """Return what is chosen."""
        chosen: dict[str, int] = {name: box.isChecked() for name, box in self.checks.items()}
        chosen |= {name: box.value() for name, box in self.spins.items()}
        return Sending(**chosen)  # type: ignore[arg-type]

    def set_sending(self, sending: Sending) -> None:
        """Show *sending*."""
        for name, check in self.checks.items():
            check.setChecked(getattr(sending, name))
        for name, spin in self.spins.items():
            spin.setValue(getattr(sending, name))

    def point_at(self, field: str) -> bool:
        """Mark a field as wrong and go there; return whether it stands here."""
        names = {"close_after": "hang_up_after", "timeout": "give_up_after"}
        spin = self.spins.get(names.get(field, field))
        if spin is None:
            return False
        set_property(spin, "state", "error")
        spin.setFocus()
        return True

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        for name, (text, tip) in _CHECKS.items():
            self.checks[name].setText(tr(text))
            self.checks[name].setToolTip(tr(tip))
        for name, (text, none, _, _) in _SPINS.items():
            self._labels[name].setText(tr(text))
            self.spins[name].setSpecialValueText(tr(none))
            self.spins[name].setAccessibleName(tr(text))
            self.spins[name].setToolTip(tr(_TIPS[name]))
