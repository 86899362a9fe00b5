"""Which awaits in a coroutine's source are independent of each other: those that surely are."""

from __future__ import annotations

import ast
import textwrap

import pytest

from app.recording.awaits import sequences

MODULE = """
import asyncio
from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

class Database:
    async def get(self, key): ...

db, other, lock, kept = Database(), Database(), asyncio.Lock(), {}
client = AsyncHTTPClient.__new__(AsyncHTTPClient)

async def fetch(key):
    await asyncio.sleep(0.1)
    return key

async def query(key):
    return await db.get(key)

async def locked(key):
    async with lock:
        return await fetch(key)

async def keep(key):
    kept[key] = await fetch(key)

def cache(function):
    return function

@cache
async def cached(key):
    return await fetch(key)

class Handler(RequestHandler):
    async def user(self):
        return await fetch(self.get_argument("user"))

    async def news(self):
        return await fetch("news")

    async def count(self):
        self.number = await fetch(1)
        return self.number

    async def tell(self):
        self.write("hello")
        return await fetch(1)

    async def ours(self):
        return await self.pool.get("ours")

    async def theirs(self):
        return await self.pool.get("theirs")

    async def get(self, number):
"""
INDEPENDENT = {
    "calls of a function": "a = await fetch(1)\nb = await fetch(2)",
    "what the route gave": "a = await fetch(number)\nb = await fetch(number)",
    "plain values": "i = int(number) + 1\na = await fetch(i)\nb = await fetch(i)",
    "arguments": "q = self.get_argument('q')\na = await fetch(q)\nb = await fetch(q)",
    "own methods that only read": "a = await self.user()\nb = await self.news()",
    "the last is returned": "a = await fetch(1)\nreturn await fetch(2)",
    "part of an expression": "a = (await fetch(1)).upper()\nb = int(await fetch(2))",
    "different objects": "a = await db.get(1)\nb = await other.get(2)",
    "different attributes": "a = await self.db.get(1)\nb = await self.cache.get(1)",
    "set on the handler": "self.a = await fetch(1)\nself.b = await fetch(2)",
    "sleeps": "await asyncio.sleep(1)\nawait gen.sleep(1)",
    "of nothing but sleep": "await fetch(1)\nawait fetch(2)",
    "a client made on the spot": (
        "a = await AsyncHTTPClient().fetch('a')\nb = await AsyncHTTPClient().fetch('b')"
    ),
    "a client of the module's": "a = await client.fetch('a')\nb = await client.fetch('b')",
    "one local client": "c = AsyncHTTPClient()\na = await c.fetch('a')\nb = await c.fetch('b')",
    "in a branch": "if number:\n    a = await fetch(1)\n    b = await fetch(2)",
    "in a try": "try:\n    a = await fetch(1)\n    b = await fetch(2)\nexcept OSError:\n    pass",
    "with a timeout": (
        "a = await asyncio.wait_for(fetch(1), 1)\nb = await asyncio.wait_for(fetch(2), 1)"
    ),
}
DEPENDENT = {
    "the second needs the first": "a = await fetch(1)\nb = await fetch(a)",
    "the same name": "a = await fetch(1)\na = await fetch(2)",
    "an unpacked name": "a, b = await fetch(1)\nc = await fetch(b)",
    "one object": "a = await db.get(1)\nb = await db.get(2)",
    "one object behind a function": "a = await query(1)\nb = await db.get(2)",
    "one object passed on": "a = await Database.get(db, 1)\nb = await Database.get(db, 2)",
    "one lock": "a = await locked(1)\nb = await locked(2)",
    "one dict that is changed": "a = await keep(1)\nb = await keep(2)",
    "one attribute behind methods": "a = await self.ours()\nb = await self.theirs()",
    "set on the handler, then used": "self.a = await fetch(1)\nb = await fetch(self.a)",
    "set behind a method": "a = await self.count()\nb = await fetch(self.number)",
    "a method that writes": "a = await self.tell()\nb = await self.tell()",
    "methods that are not known": "a = await self.load()\nb = await self.find()",
    "the base class": "a = await super().load()\nb = await super().find()",
    "one decorated function": "a = await cached(1)\nb = await cached(2)",
    "a flush and a sleep": "await self.flush()\nawait asyncio.sleep(1)",
    "a pause before a call": "await asyncio.sleep(1)\na = await fetch(1)",
    "bare calls with one effect": "await keep(1)\nawait keep(2)",
    "bare calls that are not known": "await gen.with_timeout(1, 2)\nawait gen.moment(1)",
    "something between": "a = await fetch(1)\nself.write(a)\nb = await fetch(2)",
    "writes of what was awaited": "self.write(await fetch(1))\nself.write(await fetch(2))",
    "in a loop": "for i in range(9):\n    a = await fetch(1)\n    b = await fetch(2)",
    "in async with": "async with lock:\n    a = await fetch(1)\n    b = await fetch(2)",
    "in async for": "async for i in number:\n    a = await fetch(1)\n    b = await fetch(2)",
    "tasks that run already": (
        "s = asyncio.create_task(fetch(1))\nt = asyncio.create_task(fetch(2))\n"
        "a = await s\nb = await t"
    ),
    "the same with a timeout": (
        "s = asyncio.create_task(fetch(1))\nt = asyncio.create_task(fetch(2))\n"
        "a = await asyncio.wait_for(s, 1)\nb = await asyncio.wait_for(t, 1)"
    ),
    "together already": "a, b = await asyncio.gather(fetch(1), fetch(2))",
    "a nested function": (
        "async def one():\n    return number.pop()\na = await one()\nb = await one()"
    ),
    "two branches": "if number:\n    a = await fetch(1)\nelse:\n    b = await fetch(2)",
    "one at all": "a = await fetch(1)",
}


def groups_in(body: str) -> list[list[int]]:
    """Return the lines, counted from 1, of the independent awaits in *body*."""
    before = MODULE.rstrip("\n").count("\n") + 1
    source = MODULE.rstrip("\n") + "\n" + textwrap.indent(body, " " * 8) + "\n"
    names = {"__name__": "handlers.m"}
    exec(compile(source, "m.py", "exec"), names)
    found = sequences(ast.parse(source), before, names)
    return [[statement.first - before for statement in group] for group in found]


@pytest.mark.parametrize("case", INDEPENDENT)
def test_independent_awaits_are_found(case: str) -> None:
    groups = groups_in(INDEPENDENT[case])
    assert [len(group) for group in groups] == [2]


@pytest.mark.parametrize("case", DEPENDENT)
def test_awaits_that_may_depend_are_left_in_peace(case: str) -> None:
    assert groups_in(DEPENDENT[case]) == []


def test_all_of_a_group_are_independent_and_groups_are_told_apart() -> None:
    body = "a = await fetch(1)\nb = await fetch(2)\nb = await fetch(3)\nc = await fetch(4)"
    assert groups_in(body) == [[1, 2], [3, 4]]


def test_other_functions_are_not_looked_at() -> None:
    assert sequences(ast.parse("async def f():\n    a = await g()\n    b = await h()"), 7, {}) == []
