"""The cards of a request's lifecycle."""

from __future__ import annotations

import pytest
from pytestqt.modeltest import ModelTester

from app.recording.events import Request, Stage, Wait
from app.widgets.lifecycle import StepsModel, is_error, steps

from .sample import request


def stages(*rows: tuple[str, int, int | None], detail: str | None = None) -> list[Stage]:
    """Return stages in order; the last gets *detail*."""
    last = len(rows) - 1
    return [
        Stage(name, start, end, detail if seq == last else None)
        for seq, (name, start, end) in enumerate(rows)
    ]


def kinds(request: Request, found: list[Stage], waits: list[Wait] | None = None) -> list[str]:
    """Return the cards as ``kind name`` with their depth as indentation."""
    return [f"{'  ' * s.depth}{s.kind} {s.name}" for s in steps(request, found, waits or [])]


def test_stages_are_nested_and_waits_stand_within() -> None:
    done = Request(*request(1, 0, 100, 200, "GET /"))
    found = stages(
        ("set_default_headers", 0, 1),
        ("initialize", 2, 3),
        ("prepare", 4, 5),
        ("get", 6, 90),
        ("finish", 80, 89),
        ("on_finish", 95, 96),
    )
    wait = Wait(1, 1, 1, "sleep #3", "handlers/a.py:3 in get", 10, 70, 5)
    assert kinds(done, found, [wait]) == [
        "stage set_default_headers",
        "stage initialize",
        "stage prepare",
        "stage get",
        "  wait sleep #3",
        "  stage finish",
        "stage on_finish",
    ]


def test_what_an_xsrf_rejection_skips_stands_where_it_would_have_been() -> None:
    refused = Request(*request(1, 0, 100, 403, "POST /login"))
    found = stages(
        ("set_default_headers", 0, 1),
        ("initialize", 2, 3),
        ("check_xsrf_cookie", 4, 5),
        ("send_error", 6, 20),
        ("finish", 10, 15),
        ("on_finish", 21, 22),
    )
    found[2] = found[2]._replace(detail="HTTPError: HTTP 403: Forbidden")
    assert kinds(refused, found) == [
        "stage set_default_headers",
        "stage initialize",
        "error check_xsrf_cookie",
        "skipped prepare",
        "skipped post",
        "stage send_error",
        "  stage finish",
        "stage on_finish",
    ]


def test_what_is_to_come_is_pending_while_the_request_lasts() -> None:
    running = Request(*request(1, 0, None, None, "GET /"))
    found = stages(
        ("set_default_headers", 0, 1), ("initialize", 2, 3), ("prepare", 4, 5), ("get", 6, None)
    )
    assert kinds(running, found)[-3:] == ["running get", "pending finish", "pending on_finish"]


def test_nothing_recorded_shows_what_is_missing() -> None:
    done = Request(*request(1, 0, 100, 200, "GET /"))
    assert {line.split()[0] for line in kinds(done, [])} == {"skipped"}


@pytest.mark.parametrize(
    ("detail", "error"),
    [
        ("HTTPError: HTTP 403: Forbidden", True),
        ("ZeroDivisionError: division by zero", True),
        ("CancelledError", True),
        ("Finish", False),
        ("home.html", False),
        ("", False),
        (None, False),
    ],
)
def test_errors_are_told_from_other_details(detail: str | None, error: bool) -> None:
    assert is_error(detail) is error


def test_the_model_is_sound_while_cards_come_and_go(qtmodeltester: ModelTester) -> None:
    model = StepsModel()
    done = Request(*request(1, 0, 100, 200, "GET /"))
    found = stages(("set_default_headers", 0, 1), ("initialize", 2, 3), ("prepare", 4, 5))
    for count in (1, 2, 3, 0, 3):
        model.show_steps(steps(done, found[:count], []))
        assert model.rowCount() == len(steps(done, found[:count], []))
    qtmodeltester.check(model)
