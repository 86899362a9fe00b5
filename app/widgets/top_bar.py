"""The bar at the top: the server's address and switch, the figures, theme and language."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from .controls import Controls
from .figures import Figures
from .hold_bar import HoldBar
from .i18n import language, tr
from .icons import icon
from .parts import IconButton, label
from .theme import TOOLBAR, Theme


class AddressPopup(QFrame):
    """Host and port, and the button that starts the server there."""

    def __init__(self, controls: Controls, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self._controls = controls
        self.host, self.port = QLineEdit(), QSpinBox()
        self.port.setRange(0, 65535)
        self.button = QPushButton()
        self.button.setProperty("primary", True)
        self._host_label, self._port_label, self._note = label(), label(), label(role="small")
        form = QFormLayout(self)
        form.setContentsMargins(14, 14, 14, 14)
        form.addRow(self._host_label, self.host)
        form.addRow(self._port_label, self.port)
        form.addRow(self._note)
        form.addRow(self.button)
        self._host_label.setBuddy(self.host)
        self._port_label.setBuddy(self.port)
        self.button.clicked.connect(self._start)
        self.host.returnPressed.connect(self._start)

    def open_below(self, button: QWidget) -> None:
        """Open the popup under *button*, with the values that are in use."""
        host, port = self._controls.host_and_port
        self.host.setText(host)
        self.port.setValue(port)
        running = self._controls.address is not None
        self.button.setText(tr("Restart here") if running else tr("Start here"))
        self._host_label.setText(tr("Host"))
        self._port_label.setText(tr("Port"))
        self._note.setText(tr("Port 0 picks a free one."))
        self.move(button.mapToGlobal(button.rect().bottomLeft()))
        self.show()
        self.host.setFocus()
        self.host.selectAll()

    def _start(self) -> None:
        self.close()
        self._controls.start_server(self.host.text().strip(), self.port.value())


class TopBar(QFrame):
    """See the module's sentence."""

    def __init__(self, controls: Controls, theme: Theme, selected: Callable[[], int]) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self._controls = controls
        self._theme = theme
        self.address = QPushButton()
        self._popup = AddressPopup(controls, self)
        self.address.clicked.connect(lambda: self._popup.open_below(self.address))
        self.switch = IconButton(theme, "stop", "Stop the server", self.toggle_server, flat=False)
        self.browser = QPushButton()
        self.browser.clicked.connect(self.open_in_browser)
        self.figures = Figures(theme)
        self.smaller = IconButton(theme, "text-smaller", "Smaller", theme.zoom_out, flat=False)
        self.larger = IconButton(theme, "text-larger", "Larger", theme.zoom_in, flat=False)
        self.scheme = IconButton(theme, "moon", "Dark or light", theme.toggle, flat=False)
        self.language = QPushButton()
        self.language.clicked.connect(self._other_language)
        self._layout = QHBoxLayout(self)
        self._layout.setSpacing(8)
        for widget in (self.address, self.switch, self.browser):
            self._layout.addWidget(widget)
        self._layout.addSpacing(10)
        self.hold = HoldBar(controls.hold, theme, selected)
        self._layout.addWidget(self.hold)
        self._layout.addWidget(self.figures, 1)
        self._layout.addSpacing(6)
        for widget in (self.smaller, self.larger, self.scheme, self.language):
            self._layout.addWidget(widget)
        controls.server_changed.connect(self.update_server)
        theme.changed.connect(self.restyle)
        self.restyle()
        self.retranslate()

    def restyle(self) -> None:
        """Take sizes and icons from the theme."""
        px = self._theme.px
        self.setFixedHeight(px(TOOLBAR))
        self._layout.setContentsMargins(px(4), 0, px(4), 0)
        self.scheme.picture = "sun" if self._theme.dark else "moon"
        self.scheme.restyle()
        self.browser.setIcon(icon(self._theme, "browser"))
        self.browser.setIconSize(QSize(px(16), px(16)))
        self.update_server()

    def retranslate(self) -> None:
        """Set the texts again, after the language changed."""
        self.browser.setText(tr("Open in browser"))
        self.browser.setToolTip(tr("Open the server's page in the web browser"))
        self.language.setText("EN" if language.code == "zh" else "中文")
        self.language.setAccessibleName(tr("Language: English or Chinese"))
        self.language.setToolTip(tr("Language: English or Chinese"))
        self.address.setToolTip(tr("Where the server listens; click to change it"))
        for button in (self.smaller, self.larger, self.scheme):
            button.retranslate()
        self.hold.retranslate()
        self.figures.renew()
        self.update_server()

    def update_server(self) -> None:
        """Show whether and where the server listens."""
        address, (host, port) = self._controls.address, self._controls.host_and_port
        running = address is not None
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.address.setText(where if running else f"{where} · {tr('stopped')}")
        state = tr("The server listens on {where}") if running else tr("The server is stopped")
        self.address.setAccessibleName(state.format(where=where))
        self.address.setIcon(icon(self._theme, "dot", "ok" if running else "faint"))
        self.switch.picture = "stop" if running else "play"
        self.switch.name = "Stop the server" if running else "Start the server"
        self.switch.restyle()
        self.switch.retranslate()
        self.browser.setEnabled(running)

    def toggle_server(self) -> None:
        """Stop the server, or start it where it was."""
        if self._controls.address is not None:
            self._controls.stop_server()
        else:
            self._controls.start_server(*self._controls.host_and_port)

    def open_in_browser(self) -> None:
        """Open the server's address in the web browser."""
        address = self._controls.address
        if address is not None:
            host = address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
            QDesktopServices.openUrl(QUrl(host))

    def _other_language(self) -> None:
        language.choose("en" if language.code == "zh" else "zh")
