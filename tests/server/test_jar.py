"""The cookie jar against RFC 6265bis and the words of the browsers' developer tools."""

from __future__ import annotations

import pytest

from app.server.hosts import site_of
from app.server.jar import LAX_UNSAFE_S, MAX_AGE, PER_DOMAIN, Cookie, Jar
from app.server.set_cookie import parse_date, parse_set_cookie

NOW = 1_700_000_000.0
HERE = "http://127.0.0.1:8888/"
EXAMPLE = "http://www.example.com/"


def jar_with(*headers: str, url: str = HERE) -> Jar:
    jar = Jar()
    for header in headers:
        assert jar.store(url, header, NOW).stored
    return jar


def reasons(jar: Jar, url: str, **options: str) -> dict[str, str]:
    _, withheld = jar.header(url, NOW, **options)  # type: ignore[arg-type]
    return {name: reason for name, reason, _ in withheld}


def test_sends_back_what_was_set() -> None:
    jar = jar_with("a=1", 'b="two words"; Path=/', "c=x=y")
    assert jar.header(HERE, NOW) == ('a=1; b="two words"; c=x=y', [])


def test_longer_paths_come_first_then_older_cookies() -> None:
    jar = jar_with("a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/x", "d=4; Path=/")
    assert jar.header(HERE + "x/y", NOW)[0] == "b=2; c=3; a=1; d=4"


def test_ports_do_not_matter_but_names_do() -> None:
    jar = jar_with("a=1")
    assert jar.header("http://127.0.0.1:9999/", NOW)[0] == "a=1"
    assert jar.header("http://localhost:8888/", NOW)[0] == ""
    assert reasons(jar, "http://localhost:8888/") == {"a": "DomainMismatch"}


def test_replacing_keeps_the_creation_time() -> None:
    jar = jar_with("a=1", "b=2")
    verdict = jar.store(HERE, "a=3", NOW + 5)
    assert (verdict.reason, verdict.cookie and verdict.cookie.created) == ("Replaced", NOW)
    assert jar.header(HERE, NOW)[0] == "a=3; b=2"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/", "/"),
        ("http://h", "/"),
        ("http://h/a", "/"),
        ("http://h/a/", "/a"),
        ("http://h/a/b", "/a"),
    ],
)
def test_default_path(url: str, path: str) -> None:
    assert jar_with("a=1", url=url).cookies()[0].path == path


@pytest.mark.parametrize(
    ("path", "asked", "sent"),
    [
        ("/", "/x", True),
        ("/x", "/x", True),
        ("/x", "/x/", True),
        ("/x", "/x/y", True),
        ("/x/", "/x/y", True),
        ("/x/", "/x", False),
        ("/x", "/xy", False),
        ("/x", "/", False),
    ],
)
def test_path_matching(path: str, asked: str, sent: bool) -> None:
    jar = jar_with(f"a=1; Path={path}")
    found = reasons(jar, "http://127.0.0.1" + asked)
    assert found == ({} if sent else {"a": "NotOnPath"})


@pytest.mark.parametrize(
    ("url", "domain", "kept"),
    [
        (EXAMPLE, "example.com", "example.com"),
        (EXAMPLE, ".Example.com", "example.com"),
        (EXAMPLE, "www.example.com", "www.example.com"),
        (EXAMPLE, "other.com", None),
        (EXAMPLE, "a.www.example.com", None),
        (EXAMPLE, "com", None),
        (EXAMPLE, "ample.com", None),
        ("http://localhost/", "localhost", "localhost"),
        ("http://a.localhost/", "localhost", None),
        (HERE, "127.0.0.1", "127.0.0.1"),
        (HERE, "0.0.1", None),
        (HERE, "localhost", None),
    ],
)
def test_domain_attribute(url: str, domain: str, kept: str | None) -> None:
    verdict = Jar().store(url, f"a=1; Domain={domain}", NOW)
    assert verdict.reason == ("Stored" if kept else "InvalidDomain")
    assert (verdict.cookie and verdict.cookie.domain) == kept


def test_domain_cookies_reach_subdomains_and_host_only_ones_do_not() -> None:
    jar = jar_with("wide=1; Domain=example.com", "own=2", url=EXAMPLE)
    assert jar.header("http://api.example.com/", NOW)[0] == "wide=1"
    assert reasons(jar, "http://api.example.com/") == {"own": "DomainMismatch"}
    assert jar.header("http://badexample.com/", NOW)[0] == ""


@pytest.mark.parametrize(
    ("attributes", "expires"),
    [
        ("", None),
        ("; Max-Age=60", NOW + 60),
        ("; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", NOW + 60),
        ("; Max-Age=abc; Expires=Wed, 15 Nov 2023 00:00:00 GMT", 1_700_006_400.0),
        ("; Max-Age=99999999999999999999", NOW + MAX_AGE),
        ("; Expires=Fri, 31 Dec 9999 23:59:59 GMT", NOW + MAX_AGE),
        ("; Expires=never", None),
    ],
)
def test_expiry(attributes: str, expires: float | None) -> None:
    assert jar_with("a=1" + attributes).cookies()[0].expires == expires


@pytest.mark.parametrize(
    "ending", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_removal(ending: str) -> None:
    jar = jar_with("a=1")
    assert jar.store(HERE, f"a=; {ending}", NOW).reason == "Removed"
    assert len(jar) == 0


def test_removal_needs_the_same_path() -> None:
    jar = jar_with("a=1; Path=/x")
    jar.store(HERE, "a=; Path=/; Max-Age=0", NOW)
    assert [cookie.path for cookie in jar] == ["/x"]


def test_expired_cookies_are_withheld_then_dropped() -> None:
    jar = jar_with("a=1; Max-Age=10", "b=2")
    header, withheld = jar.header(HERE, NOW + 10)
    assert header == "b=2"
    assert [(each.name, each.reason) for each in withheld] == [("a", "Expired")]
    jar.store(HERE, "c=3", NOW + 10)
    assert [cookie.name for cookie in jar] == ["b", "c"]


@pytest.mark.parametrize(
    ("url", "header", "reason"),
    [
        (EXAMPLE, "a=1; Secure", "SecureOnly"),
        (HERE, "a=1; Secure", "Stored"),
        ("http://[::1]/", "a=1; Secure", "Stored"),
        ("http://evil.localhost/", "a=1; Secure", "Stored"),
        ("https://www.example.com/", "a=1; Secure", "Stored"),
        (HERE, "a=1; SameSite=None", "SameSiteNoneInsecure"),
        (HERE, "a=1; SameSite=None; Secure", "Stored"),
        (HERE, "__Secure-a=1", "InvalidPrefix"),
        (HERE, "__secure-a=1; Secure", "Stored"),
        (HERE, "__Host-a=1; Secure", "InvalidPrefix"),
        (HERE, "__Host-a=1; Secure; Path=/; Domain=127.0.0.1", "InvalidPrefix"),
        (HERE, "__Host-a=1; Secure; Path=/", "Stored"),
        (HERE, "__Host-a", "InvalidPrefix"),
        (HERE, "a=\x00", "DisallowedCharacter"),
        (HERE, "a=1\r\nb=2", "DisallowedCharacter"),
        (HERE, "", "NoCookieContent"),
        (HERE, "=; Path=/", "NoCookieContent"),
        (HERE, "a=" + "x" * 4096, "NameValuePairExceedsMaxSize"),
        (HERE, "a=" + "x" * 4095, "Stored"),
        (HERE, "nameless", "Stored"),
    ],
)
def test_reasons_to_refuse(url: str, header: str, reason: str) -> None:
    verdict = Jar().store(url, header, NOW)
    assert verdict.reason == reason
    assert verdict.stored == (reason == "Stored")


def test_secure_cookies_are_not_sent_in_the_clear_nor_overwritten() -> None:
    jar = jar_with("a=1; Secure", url="https://www.example.com/")
    assert reasons(jar, EXAMPLE) == {"a": "SecureOnly"}
    assert jar.store(EXAMPLE, "a=2", NOW).reason == "OverwriteSecure"
    assert jar.store(EXAMPLE, "b=2", NOW).reason == "Stored"


SAME_SITE = ("n=1; SameSite=None; Secure", "l=2; SameSite=lax", "s=3; SameSite=Strict", "u=4")


@pytest.mark.parametrize(
    ("method", "context", "sent"),
    [
        ("POST", "same-site", "n=1; l=2; s=3; u=4"),
        ("GET", "cross-site-navigation", "n=1; l=2; u=4"),
        ("POST", "cross-site-navigation", "n=1"),
        ("GET", "cross-site", "n=1"),
    ],
)
def test_same_site(method: str, context: str, sent: str) -> None:
    jar, later = jar_with(*SAME_SITE), NOW + LAX_UNSAFE_S
    header, _ = jar.header(HERE, later, method=method, same_site_context=context)  # type: ignore[arg-type]
    assert header == sent


def test_without_same_site_a_young_cookie_goes_along_with_a_form() -> None:
    jar, soon = jar_with(*SAME_SITE), NOW + LAX_UNSAFE_S - 1
    header, _ = jar.header(HERE, soon, method="POST", same_site_context="cross-site-navigation")
    assert header == "n=1; u=4"
    assert jar.header(HERE, soon, method="POST", same_site_context="cross-site")[0] == "n=1"


def test_same_site_reasons() -> None:
    found = reasons(jar_with(*SAME_SITE), HERE, same_site_context="cross-site")
    assert found == {
        "l": "SameSiteLax",
        "s": "SameSiteStrict",
        "u": "SameSiteUnspecifiedTreatedAsLax",
    }


def test_cross_site_responses_cannot_set_lax_cookies() -> None:
    verdict = Jar().store(HERE, "a=1; SameSite=Lax", NOW, same_site_context="cross-site")
    assert verdict.reason == "SameSiteLax"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777.0),
        ("Sun Nov  6 08:49:37 1994", 784111777.0),
        ("06 nov 1994 8:49:37", 784111777.0),
        ("31 Feb 2020 00:00:00", None),
        ("1 Jan 1600 00:00:00", None),
        ("1 Jan 2020 24:00:00", None),
        ("1 Jan 2020", None),
        ("", None),
        ("99999 Jan 2020 1:1:1", None),
    ],
)
def test_dates(text: str, expected: float | None) -> None:
    assert parse_date(text) == expected


def test_parsing_keeps_quotes_and_lets_the_last_attribute_win() -> None:
    parsed = parse_set_cookie(' a = "1" ; PATH=/x; Path = /y ;HttpOnly;;Odd=' + "z" * 2000)
    assert (parsed.name, parsed.value) == ("a", '"1"')
    assert parsed.attributes == {"path": "/y", "httponly": "", "": ""}


def test_flags_are_recorded() -> None:
    cookie = jar_with("a=1; HttpOnly; Secure; SameSite=strict").cookies()[0]
    assert (cookie.http_only, cookie.secure, cookie.same_site) == (True, True, "Strict")
    assert cookie.size == 2


def test_the_oldest_are_evicted() -> None:
    jar = jar_with(*(f"c{number}=1" for number in range(PER_DOMAIN)))
    verdict = jar.store(HERE, "last=1", NOW)
    assert [cookie.name for cookie in verdict.evicted] == ["c0"]
    assert len(jar) == PER_DOMAIN


def test_edits_by_hand() -> None:
    jar = Jar()
    cookie = Cookie("user", "admin", "127.0.0.1")
    jar.put(cookie)
    assert jar.header(HERE, NOW)[0] == "user=admin"
    assert jar.value_of("user", HERE, NOW) == "admin"
    assert jar.value_of("user", EXAMPLE, NOW) is None
    assert jar.remove(cookie)
    assert not jar.remove(cookie)
    jar.put(cookie)
    jar.clear()
    assert not jar.cookies()


@pytest.mark.parametrize("url", ["", "/path", "http:///x"])
def test_a_url_needs_a_host(url: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Jar().header(url, NOW)


def test_sites() -> None:
    assert site_of("http://a.example.com:81/") == ("http", "example.com")
    assert site_of("http://127.0.0.1/") != site_of("http://localhost/")
    assert site_of("http://evil.localhost/") != site_of("http://localhost/")
