"""Hosts as cookies see them: this machine, addresses, domains and sites. Nothing is looked up."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine by name or address, without looking it up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def site_of(url: str) -> tuple[str, str]:
    """Return the site of *url*: scheme and registrable domain, here the last two labels.

    A lone label under ``localhost`` is a site of its own, as in Chrome.
    """
    parts = urlsplit(url)
    host = host_of(url)
    if _address(host) is None:
        host = ".".join(host.split(".")[-2:])
    return parts.scheme.lower(), host


def host_of(url: str) -> str:
    """Return the host of *url*, in ASCII. Raises ValueError where there is none."""
    host = urlsplit(url).hostname
    if not host:
        raise ValueError(f"no host in the URL {url!r}")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_address(host: str) -> bool:
    """Return whether *host* is an IP address."""
    return _address(host) is not None


def domain_matches(host: str, domain: str) -> bool:
    """Return whether *host* is *domain* or stands below it (RFC 6265bis §5.1.3)."""
    if host == domain:
        return True
    return host.endswith("." + domain) and not is_address(host)
