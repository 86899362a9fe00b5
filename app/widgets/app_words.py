"""What a route of the user's own application does, in words."""

from __future__ import annotations

from app.server.app_route import AppRoute

from .i18n import tr


def explained(route: AppRoute) -> str:
    """Say in a sentence who answers what *route* matches, and with what."""
    if route.shadowed:
        return tr("Never reached: the same pattern stands above")
    if route.fault is not None:
        return tr(route.fault.text, **route.fault.values)
    match route.kind:
        case "static":
            return tr("Sends files from {folder}", folder=route.detail)
        case "redirect":
            return tr("Redirects to {url}", url=route.detail)
        case "fallback":
            return tr("Passes the request on to {name}", name=route.detail)
        case "websocket":
            return tr("Becomes a WebSocket") + _arguments(route)
        case "handler":
            return _called(route)
        case "router":
            return tr("Another router decides")
    return tr("Called with the request")


def _called(route: AppRoute) -> str:
    verbs = [verb for verb in route.methods if verb not in ("HEAD", "OPTIONS")] or route.methods
    if not verbs:
        return tr("Implements no method: every request gets 405")
    calls = ", ".join(f"{verb.lower()}({', '.join(_names(route))})" for verb in verbs)
    return tr("Calls {calls}", calls=calls) + _initialized(route)


def _names(route: AppRoute) -> list[str]:
    return [tr("group {n}", n=g) if g.isdigit() else g for g in route.groups]


def _arguments(route: AppRoute) -> str:
    return f" · open({', '.join(_names(route))})" if route.groups else _initialized(route)


def _initialized(route: AppRoute) -> str:
    return f" · initialize({route.kwargs})" if route.kwargs else ""
