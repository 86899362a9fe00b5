"""Templates, as the window asks for them: analysed and rendered in a thread, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from tornado.web import Application

from app.exchange.request import ExchangeError
from app.recording.events import Request
from app.recording.headers import pairs
from app.recording.store import Store
from app.server.bounded import Bounded, TooLong
from app.server.literals import read_values
from app.server.server import Server
from app.server.site import TEMPLATES, Site, SiteError
from app.server.templates.analysis import template_remarks
from app.server.templates.facts import Analysis, Fault, Preview
from app.server.templates.job import AsRequest, Job
from app.server.templates.loader import SiteLoader
from app.server.templates.preview import preview
from app.server.templates.renders import Renders, renderers
from app.server.templates.tree import references, users_of
from app.widgets.clients_again import shot_of
from app.widgets.controls import Controls
from app.widgets.i18n import tr
from app.widgets.template_controls import DATA, Asked, Cache, Recorded, Shown, TemplateControls

LIMIT_S = 1.0
"""How long a preview may take."""
_LOOKED_AT = 2_000
"""Among how many of the latest requests those of a template are looked for."""
_OFFERED = 12


class Previews(TemplateControls):
    """Answers for the site of *controls*; nothing of it runs while that may not be edited."""

    _finished = Signal(object)

    def __init__(self, controls: Controls, store: Store, server: Server) -> None:
        super().__init__()
        self._controls, self._store, self._server = controls, store, server
        self._renders = Renders(self.rendered.emit)
        self._watchers = 0
        self._built: tuple[Site, Application] | None = None
        self._job: Bounded[Shown] | None = None
        self._finished.connect(self._tell)
        controls.server_changed.connect(self.follow)

    # -- Data of requests ------------------------------------------------------------------

    def watch(self, who: QObject) -> None:
        self._watchers += 1
        who.destroyed.connect(self._left)
        self.follow()

    def _left(self) -> None:
        self._watchers -= 1
        self.follow()

    def follow(self) -> None:
        """Hear of what the site that is served renders, or no more when nobody looks."""
        watched = self._watchers > 0
        loader = self._server.settings.get("template_loader")
        if isinstance(loader, SiteLoader):
            loader.on_render = self._renders.note if watched else None
        if not watched:
            self._renders.clear()
            self._built = None

    def of_handler(self, handler: str) -> list[str]:
        site = self._controls.site
        return [name for name in site.templates if handler in renderers(site.handlers, name)]

    def recorded(self, name: str) -> list[Recorded]:
        kept = {render.request_id for render in self._renders.of(name)}
        handlers = renderers(self._controls.site.handlers, name)
        found: list[Recorded] = []
        for row in reversed(self._store.requests.rows[-_LOOKED_AT:]):
            request = Request(*row)
            if request.id in kept or request.handler in handlers:
                text = f"#{request.id} {request.method} {request.uri}"
                found.append(Recorded(request.id, text, request.id in kept))
                if len(found) == _OFFERED:
                    break
        return found

    def send_again(self, request_id: int) -> None:
        request = self._store.request(request_id)
        if request is None:
            return
        names = [state.name for state in self._controls.clients()]
        client = request.client if request.client in names else names[0]
        try:
            self._controls.fire(shot_of(request, client, self._controls.address))
        except ExchangeError as error:
            self._controls.failed.emit(tr(error.template, **error.values))

    # -- Showing ---------------------------------------------------------------------------

    def show(self, asked: Asked, done: Callable[[Shown], None]) -> None:
        if self._job is not None:
            self._job.cancel()
        site = self._controls.site
        edited = site.with_template(asked.name, asked.text)
        job, fault = self._prepared(asked, site, edited)
        loader = self._server.settings.get("template_loader")
        compiled = tuple(sorted(loader.templates)) if isinstance(loader, SiteLoader) else ()
        on = bool(self._server.settings.get("compiled_template_cache", True))
        trusted = self._controls.editable

        def work(limited: Callable[[Callable[[], object]], None]) -> Shown:
            result = preview(job, limited)
            if fault is not None:
                result = result._replace(fault=fault)
            blank = SiteLoader(edited)
            tree = references(edited.templates, asked.name, blank)
            users = tuple(users_of(edited.templates, asked.name, blank))
            seconds = _compiling(edited, job.root) if result.analysis.code else 0.0
            cache = Cache(on, compiled, seconds, _disk(site, asked.name))
            remarks = tuple(template_remarks(asked.name, asked.text))
            return Shown(result, tree, users, cache, trusted, remarks)

        def tell(result: Shown | BaseException) -> None:
            self._finished.emit((current, done, asked, result))

        self._job = current = Bounded(work, LIMIT_S, tell)
        current.start()

    def _prepared(self, asked: Asked, site: Site, edited: Site) -> tuple[Job, Fault | None]:
        """Return what to render, and what is wrong with the data that were typed in."""
        application: Application | None = None
        fault: Fault | None = None
        values: dict[str, Any] = {}
        typed = read_values(asked.typed)
        if isinstance(typed, Fault):
            fault, typed = typed._replace(file=DATA), {}
        elif self._controls.editable:
            try:
                application = self._application(site)
            except SiteError as error:
                fault = Fault(str(error))
        kept = [r for r in self._renders.of(asked.root) if r.request_id == asked.request_id]
        if kept and asked.request_id:
            values.update(kept[0].values)
        request = self._store.request(asked.request_id) if asked.request_id else None
        job = Job(
            edited,
            asked.root,
            application,
            AsRequest() if request is None else _as_request(request),
            {**values, **typed},
            frozenset(typed),
            asked.expression.strip(),
        )
        return job, fault

    def _application(self, site: Site) -> Application:
        """Return an application like the one that is served, which is not observed."""
        if self._built is None or self._built[0] is not site:
            self._built = site, self._server.build(site, Application)
        return self._built[1]

    def _tell(
        self,
        told: tuple[Bounded[Shown], Callable[[Shown], None], Asked, Shown | BaseException],
    ) -> None:
        job, done, asked, result = told
        if job is not self._job:
            return
        self._job = None
        if isinstance(result, BaseException):
            result = self._failed(asked, result)
        done(result)

    def _failed(self, asked: Asked, error: BaseException) -> Shown:
        text = "cannot be stopped: it sleeps, or computes without Python"
        fault = Fault(text if isinstance(error, TooLong) else repr(error), asked.root)
        tree = references({asked.name: ""}, asked.name, SiteLoader(self._controls.site))
        result = Preview(Analysis(asked.root), fault=fault)
        return Shown(result, tree, (), Cache(True, (), 0.0, "same"), self._controls.editable)


def _as_request(request: Request) -> AsRequest:
    headers = tuple(pairs(request.request_head))
    return AsRequest(
        request.method, request.uri, request.version, headers, request.request_body or b""
    )


def _compiling(site: Site, name: str) -> float:
    """Return how long it takes to compile a template and all that belong to it, in s."""
    begun = time.perf_counter()
    SiteLoader(site).load(name)
    return time.perf_counter() - begun


def _disk(site: Site, name: str) -> str:
    """Compare the file of a template with what is served."""
    try:
        text = (site.folder / TEMPLATES / name).read_text("utf-8-sig")
    except (OSError, ValueError):
        return "missing"
    return "same" if text == site.templates.get(name) else "differs"
