"""The first start, in copies of the checkout: with Pythons that have nothing, or too little."""

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from app import bootstrap
from app.bootstrap import Need
from tests import __main__ as runner

ROOT = bootstrap.ROOT
STARTERS = ("main.py", "app/__init__.py", "app/bootstrap.py", "tests/__main__.py")

APPLICATION = """
import os, sys
def main():
    print(sys.argv[1:], "LOOPSCOPE_STAGE" in os.environ)
    print(sys.prefix)
    return 7
"""

GOOD = {"PySide6-Essentials": "6.11.3", "tornado": "6.6.1", "qasync": "0.28.0", "Pygments": "2.21"}


# What is there already


@pytest.mark.parametrize(
    ("version", "expected"),
    [("6.11.3", (6, 11, 3)), ("6.12.0rc1", (6, 12, 0)), ("7", (7,)), ("", ()), ("next", ())],
)
def test_numbers(version: str, expected: tuple[int, ...]) -> None:
    assert bootstrap.numbers(version) == expected


@pytest.mark.parametrize(
    ("pyside", "python", "refused"),
    [
        ("6.12.0", (3, 11), True),
        ("6.12.0", (3, 12), False),
        ("6.12.0", (3, 14), False),
        ("6.11.3", (3, 11), False),
        ("6.12.1", (3, 11), False),
    ],
)
def test_refusal(pyside: str, python: tuple[int, int], refused: bool) -> None:
    assert bool(bootstrap.refusal(pyside, python)) is refused


def test_problems_names_what_is_missing_and_what_is_old(tmp_path: Path) -> None:
    lay_out(tmp_path, {"tornado": "6.5.9", "Pygments": "2.18", "pytest-qt": "4.5.0"})
    shutil.rmtree(tmp_path / "pytest_qt")  # its metadata alone is not enough
    needs = (
        Need("tornado", "tornado", (6, 6, 1)),
        Need("Pygments", "pygments", (2, 18)),
        Need("qasync", "qasync", (0, 28)),
        Need("pytest-qt", "pytest_qt", (4,)),
    )
    assert bootstrap.problems(needs, [str(tmp_path)]) == [
        "tornado is 6.5.9, 6.6.1 or newer is needed",
        "qasync is missing",
        "pytest-qt is missing",
    ]


# What the files say


def test_minimum_versions_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["test"]
    lower = {
        (requirement.name, Version(specifier.version))
        for requirement in map(Requirement, lines)
        for specifier in requirement.specifier
        if specifier.operator == ">="
    }
    needs = bootstrap.TEST.needs
    assert lower == {(n.distribution, Version(".".join(map(str, n.minimum)))) for n in needs}


@pytest.mark.parametrize("kit", [bootstrap.RUNTIME, bootstrap.TEST], ids=lambda kit: str(kit.lock))
def test_lock_has_pins_and_hashes_and_no_addresses(kit: bootstrap.Kit) -> None:
    text = (ROOT / kit.lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=sha256:)|file:| /", text, re.MULTILINE)
    pins = pinned(text)
    for need in kit.needs:
        version = pins[need.distribution.lower()]
        assert bootstrap.numbers(version) >= need.minimum
    assert not bootstrap.refusal(pins["pyside6-essentials"], (3, 11))


def test_the_test_lock_contains_the_runtime_lock() -> None:
    small, large = (
        pinned((ROOT / kit.lock).read_text("utf-8")) for kit in (bootstrap.RUNTIME, bootstrap.TEST)
    )
    assert small.items() <= large.items()


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE))


@pytest.mark.parametrize("name", STARTERS)
def test_an_old_python_can_read(name: str) -> None:
    ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 7))


# True starts


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has nothing but the standard library."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh copy: see ``make_checkout``."""
    return make_checkout(tmp_path)


def make_checkout(parent: Path) -> Path:
    """A copy of what starts the program, with a stub as the program and tiny wheels to install."""
    folder = parent / "a checkout"
    for name in STARTERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "app/application.py").write_text(APPLICATION, "utf-8")
    (folder / "tests/__init__.py").touch()
    pins = []
    for name, version in GOOD.items():
        wheel = make_wheel(parent / "wheels", name, version)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        pins.append(f"{name}=={version} --hash=sha256:{digest}\n")
    (folder / "requirements.lock").write_text("".join(pins), "utf-8")
    return folder


def contents(name: str, version: str) -> dict[str, str]:
    """The files of a small distribution."""
    module = {"PySide6-Essentials": "PySide6"}.get(name, name.lower().replace("-", "_"))
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": "",
        f"{module}/QtWidgets.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in files)
    return files


def lay_out(folder: Path, versions: Mapping[str, str]) -> Path:
    """Distributions as if installed in ``folder``."""
    for name, version in versions.items():
        for file, text in contents(name, version).items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, "utf-8")
    return folder


def make_wheel(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in contents(name, version).items():
            archive.writestr(file, text)
    return wheel


def begin(
    python: Path, arguments: Sequence[str | Path], folder: Path, **extra: str | Path
) -> "subprocess.Popen[str]":
    """Start ``python`` in ``folder``, its pip knowing no index but the wheels beside it."""
    kept = {
        key: text
        for key, text in os.environ.items()
        if not key.startswith(("PIP_", "PYTHON", "LOOPSCOPE_", "QT_")) and key != "DISPLAY"
    }
    pip = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder.parent / "wheels"),
    }
    return subprocess.Popen(
        [python, *arguments],
        cwd=folder,
        env=kept | pip | {key: str(text) for key, text in extra.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def start(
    python: Path, folder: Path, *arguments: str | Path, **extra: str | Path
) -> tuple[int, list[str], list[str]]:
    """Run to the end: the status, the lines on stdout, the lines on stderr."""
    with begin(python, arguments or ["main.py"], folder, **extra) as process:
        out, err = process.communicate(timeout=50)
    return process.returncode, out.splitlines(), err.splitlines()


def test_a_python_that_has_everything_is_used_as_it_is(bare: Path, checkout: Path) -> None:
    have = lay_out(checkout.parent / "have", GOOD)
    status, out, err = start(bare, checkout, "main.py", "--port", "0", PYTHONPATH=have)
    assert (status, out[0], err) == (7, "['--port', '0'] False", [])
    assert not (checkout / ".venv").exists()


class Made(NamedTuple):
    """A checkout after two first starts at once, and what each of them said."""

    folder: Path
    venv: str
    statuses: list[int]
    said: list[tuple[str, str]]

    def python(self) -> Path:
        return bootstrap._python(Path(self.venv))


@pytest.fixture(scope="module")
def made(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = make_checkout(tmp_path_factory.mktemp("made"))
    command = ["main.py", "--lang", "a b"]
    with begin(bare, command, folder) as one, begin(bare, command, folder) as two:
        said = [process.communicate(timeout=50) for process in (one, two)]
    return Made(folder, str((folder / ".venv").resolve()), [one.returncode, two.returncode], said)


def test_two_first_starts_at_once(made: Made) -> None:
    assert made.statuses == [7, 7], made.said
    assert [out.splitlines() for out, _ in made.said] == [
        ["['--lang', 'a b'] False", made.venv]
    ] * 2
    waited, worked = sorted(err for _, err in made.said)
    assert waited.startswith("Loopscope: another start is setting up") or not waited
    assert "first start here: making" in worked
    assert worked.endswith("Loopscope: ready\n")


def test_the_next_start_is_quiet(made: Made, bare: Path) -> None:
    for python in (bare, made.python()):
        assert start(python, made.folder) == (7, ["[] False", made.venv], [])


def test_what_cannot_be_installed(made: Made, bare: Path) -> None:
    lock = made.folder / "requirements-test.lock"
    lock.write_text("pytest==9.0.0 --hash=sha256:" + "0" * 64, "utf-8")
    status, out, err = start(bare, made.folder, "-m", "tests")
    assert (status, out) == (1, [])
    assert err[0].startswith("Loopscope: downloading and installing the test tools")
    assert err[-1].startswith("Loopscope: cannot install the test tools: No matching distribution")
    assert start(bare, made.folder)[0] == 7


@pytest.fixture
def settled(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose environment is complete, made without the slow parts."""
    home = checkout / ".venv"
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    lay_out(next(home.glob("**/site-packages")), GOOD)
    (home / bootstrap._OURS).touch()
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    mark = bootstrap._mark(home, bootstrap.RUNTIME)
    mark.write_text(bootstrap._fingerprint(bootstrap.RUNTIME), "utf-8")
    return checkout


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
@pytest.mark.parametrize("change", ["new lock", "no mark", "package lost", "other Python"])
def test_an_environment_is_remade(settled: Path, bare: Path, change: str, inside: bool) -> None:
    folder = settled
    python = bootstrap._python(folder / ".venv") if inside else bare
    assert start(python, folder)[0] == 7
    mark = bootstrap._mark(folder / ".venv", bootstrap.RUNTIME)
    if change == "new lock":
        (folder / "requirements.lock").write_text("# nothing any more", "utf-8")
    elif change == "no mark":
        mark.unlink()
    elif change == "package lost":
        shutil.rmtree(next((folder / ".venv").glob("**/qasync")))
    else:
        mark.write_text(mark.read_text("utf-8").replace("cp", "cp9"), "utf-8")
    with begin(python, ["main.py"], folder) as process:
        assert process.stderr is not None
        assert process.stderr.readline().endswith("is unfinished or out of date\n")
        assert "first start here: making" in process.stderr.readline()
        process.terminate()
    assert not mark.exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_a_set_up_that_is_stopped(
    bare: Path, checkout: Path, number: signal.Signals, expected: int
) -> None:
    with begin(bare, ["main.py"], checkout) as process:
        assert process.stderr is not None
        assert "making" in process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (expected, "")
    assert err == "Loopscope: set-up stopped; start again to go on\n"
    assert not bootstrap._complete(checkout / ".venv", bootstrap.RUNTIME)


def test_a_strange_environment_is_kept(bare: Path, checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").write_text("precious", "utf-8")
    with begin(bare, ["main.py"], checkout) as process:
        assert process.stderr is not None
        assert process.stderr.readline().endswith("it is kept as .venv.old\n")
        process.terminate()
    assert (checkout / ".venv.old" / "mine").read_text("utf-8") == "precious"


def test_a_folder_of_something_else_is_refused(bare: Path, checkout: Path) -> None:
    status, _, err = start(bare, checkout, LOOPSCOPE_VENV="app")
    assert status == 1
    assert len(err) == 1
    assert "is not a virtual environment" in err[0]


def test_a_place_that_cannot_be_written(bare: Path, checkout: Path) -> None:
    status, _, err = start(bare, checkout, LOOPSCOPE_VENV="main.py/venv")
    assert status == 1
    assert len(err) == 1
    assert "cannot write" in err[0]


def test_pyside_that_crashes_here(bare: Path, checkout: Path) -> None:
    have = lay_out(checkout.parent / "have", GOOD | {"PySide6-Essentials": "6.12.0"})
    status, _, err = start(bare, checkout, PYTHONPATH=have)
    if sys.version_info >= (3, 12):
        assert (status, err) == (7, [])
    else:
        assert (status, len(err)) == (1, 1)
        assert err[0].startswith("Loopscope: PySide6 6.12.0 crashes on Python 3.11")


def test_qt_without_its_system_libraries(bare: Path, checkout: Path) -> None:
    have = lay_out(checkout.parent / "have", GOOD)
    (have / "PySide6/QtWidgets.py").write_text("raise ImportError('libEGL.so.1: cannot open')")
    status, out, err = start(bare, checkout, PYTHONPATH=have)
    assert (status, out, len(err)) == (1, [], 1)
    assert err[0].startswith("Loopscope: Qt cannot be loaded: libEGL.so.1: cannot open")
    if sys.platform.startswith("linux"):
        assert "apt install libgl1 libegl1" in err[0]


@pytest.mark.parametrize(
    ("pretence", "expected"),
    [
        (
            "sys.version_info = (3, 8, 18); sys.version = '3.8.18 (main)'",
            "Loopscope needs Python 3.11 or newer, this is 3.8.18",
        ),
        (
            "import importlib.util; importlib.util.find_spec = lambda name: None",
            "Loopscope: this Python lacks its venv module; on Debian and Ubuntu:"
            " apt install python3-venv",
        ),
    ],
    ids=["old Python", "no venv module"],
)
def test_a_python_that_cannot_do_it(
    bare: Path, checkout: Path, pretence: str, expected: str
) -> None:
    code = f"import runpy, sys; sys.path.insert(0, '.'); {pretence};"
    code += " runpy.run_path('main.py', run_name='__main__')"
    assert start(bare, checkout, "-c", code) == (1, [], [expected])


# The runner of the tests


@pytest.mark.parametrize(
    ("check", "pytest_status", "expected"), [(0, 0, 0), (1, 0, 1), (0, 5, 5), (1, 2, 2)]
)
def test_the_runner_fails_if_anything_failed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    check: int,
    pytest_status: int,
    expected: int,
) -> None:
    code = f"print('why'); raise SystemExit({check})"
    monkeypatch.setattr(runner, "CHECKS", {"good": ("-c", ""), "probe": ("-c", code)})
    monkeypatch.setattr(runner, "test", lambda arguments: pytest_status)
    assert runner.main([]) == expected
    said = capsys.readouterr().out
    assert "good: passed" in said
    assert ("why" in said) is bool(check)
    assert said.endswith("FAILED before the tests: probe\n") is bool(check)


def test_the_runner_with_arguments_runs_only_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHECKS", {"probe": ("-c", "raise SystemExit(1)")})
    monkeypatch.setattr(runner, "test", len)
    assert runner.main(["-k", "name", "-x"]) == 3
