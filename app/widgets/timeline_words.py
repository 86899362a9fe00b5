"""The exact figures behind a place in the timeline, as the text of a tooltip."""

from __future__ import annotations

from bisect import bisect_left
from html import escape

from app.recording.events import WINDOW, Block, Run, Stage, Wait, domain_of, request_of
from app.recording.store import Store

from .i18n import tr
from .timeline_lanes import Bar, Lane
from .timeline_messages import counts_of, stages_in
from .timeline_view import View, duration, moment

_NEAR = 2
_STACK_LINES = 12
ALARM = "red"


def lane_words(
    store: Store, lane: Lane, view: View, x: float, now_ns: float, alarm: str = ALARM
) -> str:
    """Return what happened at *x* in a request's lane: stage, run and wait.

    *alarm* is the colour of what went wrong; here and below.
    """
    request = store.request(lane.request_id)
    if request is None:
        return ""
    time = view.time(x)
    lines = [f"<b>{escape(lane.title)}</b>"]
    end = now_ns if request.end_ns is None else request.end_ns
    state = str(request.status) if request.status else tr("under way")
    lines.append(f"{state} · {duration(end - request.start_ns)} · {escape(request.handler or '–')}")
    if lane.websocket:
        into, out = counts_of(store, lane.request_id)
        lines.append(tr("messages: {count} in, {out} out", count=f"{into:,}", out=f"{out:,}"))
    near = view.scale * _NEAR
    for stage in stages_in(store, lane.request_id, view):
        until = now_ns if stage.end_ns is None else stage.end_ns
        if stage.start_ns - near <= time < until + near:
            lines.append(_stage(stage, now_ns))
    wait_bar = _nearest(lane.waits, x)
    wait_row = store.waits.get(wait_bar.key) if wait_bar else None
    if wait_row is not None:
        lines += _wait(store, Wait(*wait_row), now_ns)
    run = run_at(store, time, view.scale * _NEAR, lane.request_id)
    if run is not None:
        lines += _run(store, run, alarm)
    return _tip(lines)


def loop_words(store: Store, view: View, x: float, alarm: str = ALARM) -> str:
    """Return what the loop did at *x*: the run, or the runs of that pixel, and their tick."""
    start, end = view.time(int(x)), view.time(int(x) + 1)
    rows = store.runs_between(int(start), int(end) + 1)
    if len(rows) > 1:
        busy = sum(min(row[3], end) - max(row[2], start) for row in rows)
        share = min(100, round(100 * busy / (end - start)))
        return _tip(
            [
                f"<b>{tr('{count} runs in this pixel', count=f'{len(rows):,}')}</b>",
                tr("{time} each pixel, {share} % busy", time=duration(end - start), share=share),
                tr("Zoom in to tell them apart."),
            ]
        )
    run = run_at(store, view.time(x), view.scale * _NEAR)
    if run is None:
        return _tip([f"<b>{tr('The loop sleeps')}</b>", tr("It waits in select() for work.")])
    owner = request_of(run.owner)
    whose = f"#{owner}" if owner else tr(domain_of(run.owner))
    lines = [*_run(store, run, alarm, bold=True), tr("belongs to: {owner}", owner=whose)]
    tick = store.tick(run.tick_id)
    if tick is not None:
        lines.append(
            tr(
                "its tick: select {time}, handles {ready}, timers {timers}, sockets {sockets}",
                time=duration(tick.select_ns - tick.start_ns),
                ready=f"{tick.ready:,}",
                timers=f"{tick.timers:,}",
                sockets=f"{tick.descriptors:,}",
            )
        )
    return _tip(lines)


def window_words(store: Store, view: View, x: float, alarm: str = ALARM) -> str:
    """Return what the window's lane shows, and what it cannot show."""
    lines = [
        f"<b>{tr('Runs of the window itself')}</b>",
        tr("Painting and input happen between ticks; the loop does not see them."),
    ]
    ids = store.run_ids(WINDOW)
    time, slack = view.time(x), view.scale * _NEAR
    at = bisect_left(ids, time - slack, key=lambda id_: (store.runs.get(id_) or (0,) * 9)[3])
    run = store.run(ids[at]) if at < len(ids) else None
    if run is not None and run.start_ns - slack <= time <= run.end_ns + slack:
        lines += _run(store, run, alarm)
    return _tip(lines)


def run_at(store: Store, time: float, slack: float, owner: int | None = None) -> Run | None:
    """Return the run at an instant, or the nearest within *slack*; of one owner only, if given."""
    at = store.runs.ended(time - slack)
    best: Run | None = None
    gap = slack
    for row in store.runs.rows[at : at + 200]:
        if row[2] > time + slack:
            break
        if owner is None or row[5] == owner:
            away = max(row[2] - time, time - row[3], 0)
            if away <= gap:
                best, gap = Run(*row), away
                if not away:
                    break
    return best


def _nearest(bars: list[Bar], x: float) -> Bar | None:
    inside = [bar for bar in bars if bar.left - _NEAR <= x < bar.right + _NEAR]
    return inside[-1] if inside else None


def _stage(stage: Stage, now_ns: float) -> str:
    end = now_ns if stage.end_ns is None else stage.end_ns
    detail = f" · {escape(stage.detail)}" if stage.detail else ""
    return f"<tt>{escape(stage.name)}</tt> · {duration(end - stage.start_ns)}{detail}"


def _wait(store: Store, wait: Wait, now_ns: float) -> list[str]:
    end = now_ns if wait.end_ns is None else wait.end_ns
    text = tr("waits for {future}", future=escape(wait.future))
    lines = [f"{text} · {duration(end - wait.start_ns)}", f"<tt>{escape(wait.where)}</tt>"]
    by = store.run(wait.resolved_by_run_id)
    if by is not None:
        owner = request_of(by.owner)
        who = f" (#{owner})" if owner else ""
        lines.append(tr("resolved by {run}", run=escape(store.name_of(by)) + who))
    elif wait.end_ns is None:
        lines.append(tr("not resolved yet"))
    return lines


def _block(block: Block, alarm: str) -> list[str]:
    place = f"{block.file}:{block.line} · {block.function}" if block.file else block.function
    text = tr("blocked the loop at {place}", place=escape(place))
    lines = [f'<b><font color="{alarm}">{text}</font></b>']
    if block.delayed_count:
        lines.append(tr("{count} other requests waited", count=f"{block.delayed_count:,}"))
    stack = block.stack.splitlines()[-_STACK_LINES:]
    spaced = (escape(line).replace("    ", "&nbsp;" * 4) for line in stack)
    return [*lines, *(f'<tt><font color="{alarm}">{line}</font></tt>' for line in spaced)]


def _run(store: Store, run: Run, alarm: str, *, bold: bool = False) -> list[str]:
    name = escape(store.name_of(run))
    name = f"<b>{name}</b>" if bold else f"<tt>{name}</tt>"
    lines = [
        f"{tr('run')} {name} · {duration(run.end_ns - run.start_ns)}",
        f"{tr('tick')} {run.tick_id:,} · {moment(run.start_ns - store.origin_ns)}",
    ]
    block = store.block_of(run.id)
    if block is not None:
        lines += _block(block, alarm)
    cause = store.run(run.cause_run_id)
    if cause is not None:
        owner = request_of(cause.owner)
        who = f" (#{owner})" if owner else ""
        lines.append(tr("scheduled by {run}", run=escape(store.name_of(cause)) + who))
    elif not run.cause_run_id:
        lines.append(tr("scheduled by the selector"))
    waited = run.start_ns - run.scheduled_ns
    if run.scheduled_ns and waited > 0:
        lines.append(tr("{time} after it was scheduled", time=duration(waited)))
    return lines


def _tip(lines: list[str]) -> str:
    return "<qt>" + "<br>".join(lines) + "</qt>"
