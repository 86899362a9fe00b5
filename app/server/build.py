"""Builds a Tornado Application from a site and its handler modules."""

from __future__ import annotations

import copy
import secrets
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from tornado.web import Application, RequestHandler, StaticFileHandler

from app.server.bit_by_bit import Work, finish, part
from app.server.modules import HandlerModules, describe
from app.server.rules import SiteRule, is_class, known_rules, site_rules
from app.server.site import (
    SITE_FILE,
    STATIC,
    TEMPLATES,
    Problem,
    Site,
    SiteError,
    check,
)
from app.server.templates.analysis import template_problems
from app.server.templates.loader import SiteLoader

A = TypeVar("A", bound=Application)

_COOKIE_SECRET = secrets.token_urlsafe(32)
"""For sites that name none: people stay logged in over edits, as long as this process lives."""

_ROUTING_SETTINGS = (
    *("default_handler_class", "default_handler_args", "default_host", "xsrf_cookies"),
    *("static_path", "static_url_prefix", "static_handler_class", "static_handler_args"),
)
_CLASS_SETTINGS = ("default_handler_class", "static_handler_class", "log_function")


def build_application(
    site: Site,
    modules: HandlerModules,
    application_class: Callable[..., A] = Application,  # type: ignore[assignment]
) -> A:
    """Build the Application that serves *site*; *modules* must have loaded it.

    Relative paths in the settings, and the ``path`` of a StaticFileHandler, are meant from the
    project folder. ``debug`` and ``autoreload`` never reach Tornado: on a change they would
    replace this process. Raises SiteError with every problem found.
    """
    problems = check(site)
    if problems:
        raise SiteError(problems, site.folder)
    return finish(building(site, modules, application_class))


def building(
    site: Site,
    modules: HandlerModules,
    application_class: Callable[..., A] = Application,  # type: ignore[assignment]
    served: object = None,
) -> Work[A]:
    """Do as `build_application` does, bit by bit, with a site in which `check` found nothing.

    Rules and templates of what is *served* are used again where nothing about them changed.
    """
    problems: list[Problem] = []
    loader = SiteLoader(site, modules.cache_lines)
    settings = _settings(site, modules, loader, problems)
    if isinstance(served, Application):
        before = served.settings.get("template_loader")
        if isinstance(before, SiteLoader):
            loader.take_over(before)
    known = known_rules(served)
    rules = yield from part(site_rules(site, modules, problems, known), 0, 0.6)
    if "template_loader" in settings:
        problems += yield from part(template_problems(loader, _ui_names(settings)), 0.6, 0.6)
    if problems:
        raise SiteError(problems, site.folder)
    try:
        application = application_class([], **settings)
        yield from part(_add_rules(application, rules), 0.6, 1)
    except Exception as error:
        problem = Problem(SITE_FILE, 0, 0, f"Tornado refuses the settings: {describe(error)}")
        raise SiteError([problem], site.folder) from error
    _own_template_cache(application)
    return application


def _add_rules(application: Application, rules: dict[str, list[SiteRule]]) -> Work[None]:
    """Give *application* its rules by host, as its constructor and ``add_handlers`` would."""
    for host, own in rules.items():
        routers = [application.wildcard_router]
        if host:
            application.add_handlers(host, [])
            # The last rule is for every host; before it stands the one that was added.
            routers = [application.default_router.rules[-2].target]
            if application.default_host is not None:
                routers.append(application.wildcard_router.rules[-1].target)
        for index, rule in enumerate(own):
            yield index / len(own)
            for router in routers:
                router.add_rules([rule])


def assemble(site: Site, modules: HandlerModules) -> Application:
    """Return an Application without rules that routes as *site* does; not to be served."""
    settings = _settings(site, modules, SiteLoader(site, modules.cache_lines), [])
    return Application(**{key: settings[key] for key in _ROUTING_SETTINGS if key in settings})


# Settings


def _settings(
    site: Site, modules: HandlerModules, loader: SiteLoader, problems: list[Problem]
) -> dict[str, Any]:
    settings = copy.deepcopy(site.settings)  # Tornado writes into xsrf_cookie_kwargs.
    for key in _CLASS_SETTINGS:
        if isinstance(settings.get(key), str):
            settings[key] = _resolve_setting(key, settings[key], modules, problems)
    for key in ("ui_modules", "ui_methods"):
        if key in settings:
            settings[key] = _resolve_ui(key, settings[key], modules, problems)
    problems += _setting_problems(settings)
    _replace_debug(settings)
    _set_paths(site, settings, loader)
    settings["cookie_secret"] = _cookie_secret(settings.get("cookie_secret"))
    return settings


def _setting_problem(key: str, text: str) -> Problem:
    return Problem(SITE_FILE, 0, 0, f"setting {key!r}: {text}")


def _resolve_setting(
    key: str, dotted: str, modules: HandlerModules, problems: list[Problem]
) -> Any:
    try:
        return modules.resolve(dotted)
    except ImportError as error:
        problems.append(_setting_problem(key, f"{dotted}: {error}"))
        return None


def _resolve_ui(key: str, value: Any, modules: HandlerModules, problems: list[Problem]) -> Any:
    """Return what Tornado takes for ``ui_modules`` from dotted names: modules, lists, tables."""
    if isinstance(value, str):
        return _resolve_setting(key, value, modules, problems) or {}
    if isinstance(value, list):
        return [_resolve_ui(key, each, modules, problems) for each in value]
    if isinstance(value, dict):
        return {name: _resolve_ui(key, each, modules, problems) for name, each in value.items()}
    problems.append(_setting_problem(key, "must name a module, for example handlers.ui"))
    return {}


def _setting_problems(settings: dict[str, Any]) -> Iterator[Problem]:
    for key in settings:
        if key in ("handlers", "transforms") or not key.isidentifier():
            yield _setting_problem(key, "is no setting of a Tornado Application")
    handler = settings.get("default_handler_class")
    if handler is not None and not is_class(handler, RequestHandler):
        yield _setting_problem("default_handler_class", "is not a RequestHandler")
    handler = settings.get("static_handler_class")
    if handler is not None and not is_class(handler, StaticFileHandler):
        yield _setting_problem("static_handler_class", "is not a StaticFileHandler")


def _replace_debug(settings: dict[str, Any]) -> None:
    """Leave of ``debug`` all that it bundles but the restart of this process."""
    if settings.get("debug"):
        settings.setdefault("compiled_template_cache", False)
        settings.setdefault("static_hash_cache", False)
        settings.setdefault("serve_traceback", True)
    settings["debug"] = False
    settings["autoreload"] = False


def _set_paths(site: Site, settings: dict[str, Any], loader: SiteLoader) -> None:
    static = settings.get("static_path") or (STATIC if (site.folder / STATIC).is_dir() else "")
    if static:
        settings["static_path"] = str(site.folder / static)
        settings["static_handler_args"] = dict(settings.get("static_handler_args") or {})
    path = site.folder / settings.get("template_path", TEMPLATES)
    settings["template_path"] = _TemplatePath(path)
    if path == site.folder / TEMPLATES:
        settings.setdefault("template_loader", loader)


def _cookie_secret(secret: Any) -> Any:
    """Return *secret* as Tornado wants it: text, or texts by a key version that is a number."""
    if isinstance(secret, dict):
        return {int(version): text for version, text in secret.items()}
    return secret or _COOKIE_SECRET


# Templates


class _TemplatePath(str):
    """A path that equals only itself.

    ``RequestHandler`` keeps template loaders by path, for the whole process; an edited site has
    the same path but other templates.
    """

    __slots__ = ("__weakref__",)

    def __new__(cls, path: Path) -> _TemplatePath:
        return super().__new__(cls, path)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)


def _own_template_cache(application: Application) -> None:
    """Let Tornado's cache forget the loader when *application* is gone, and older ones now."""
    loaders = RequestHandler._template_loaders
    with RequestHandler._template_loader_lock:
        for path, loader in list(loaders.items()):
            # A handler's own get_template_path() gives a plain path, equal before and after.
            if isinstance(loader, SiteLoader) and not isinstance(path, _TemplatePath):
                del loaders[path]
    weakref.finalize(application, _forget_loader, application.settings.get("template_path"))


def _forget_loader(path: Any) -> None:
    RequestHandler._template_loaders.pop(path, None)


def _ui_names(settings: dict[str, Any]) -> frozenset[str]:
    methods = settings.get("ui_methods", {})
    return frozenset(methods if isinstance(methods, dict) else dir(methods))
