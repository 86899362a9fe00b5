"""The first start: from nothing but Python to a running Loopscope, without a question asked.

If the running Python has everything needed, it is used as it is. Otherwise a virtual
environment is made once, in ``.venv`` beside ``main.py`` or where ``LOOPSCOPE_VENV`` says
(relative paths count from there), from a lock file with hashes, and the same command runs
again inside it. An environment counts as made only when its last file, the completion mark,
is written; one that was interrupted, is out of date or has lost its Python is made anew.

Everything said here goes to stderr: stdout belongs to the program. Standard library only,
in syntax that Python 3.7 can read, so that an old Python can say what is wrong.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts us with an old Python gets here)
    sys.exit("Loopscope needs Python 3.11 or newer, this is " + sys.version.split()[0])

import contextlib
import ctypes
import hashlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
"""The folder of ``main.py``."""

QT_PACKAGES = "libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
"""The Debian packages without which Qt cannot be loaded at all."""

DISPLAY_PACKAGES = (
    "libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1"
    " libxcb-render-util0 libxcb-shape0"
)
"""The Debian packages without which Qt cannot open a window on X11."""

_STAGE = "LOOPSCOPE_STAGE"  # how far the start had come when this process replaced the last one
_OURS = "made-by-loopscope"  # the first file in an environment made here
_MISDIRECTING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|ProxyError|Max retries"
    r"|Connection (?:broken|aborted|refused|reset)|Network is unreachable"
)


class Need(NamedTuple):
    """One distribution that must be there, the module it brings and its oldest good version."""

    distribution: str
    module: str
    minimum: tuple[int, ...]


class Kit(NamedTuple):
    """What one way of starting needs, the lock file that pins it, and what it costs to get."""

    lock: str
    needs: tuple[Need, ...]
    cost: str


RUNTIME = Kit(
    "requirements.lock",
    (
        Need("PySide6-Essentials", "PySide6", (6, 11, 3)),
        Need("tornado", "tornado", (6, 6, 1)),
        Need("qasync", "qasync", (0, 28, 0)),
        Need("Pygments", "pygments", (2, 18)),
    ),
    "Qt and Tornado, about 113 MB" if sys.platform == "darwin" else "Qt and Tornado, about 82 MB",
)

TEST = Kit(
    "requirements-test.lock",
    (
        *RUNTIME.needs,
        Need("pytest", "pytest", (8,)),
        Need("pytest-qt", "pytestqt", (4, 5)),
        Need("pytest-timeout", "pytest_timeout", (2, 3)),
        Need("pytest-xdist", "xdist", (3, 6)),
        Need("ruff", "ruff", (0, 17)),
        Need("mypy", "mypy", (2, 4)),
        Need("import-linter", "importlinter", (2, 1)),
    ),
    "the test tools, about 32 MB",
)


class SetupError(Exception):
    """Set-up cannot go on: one line for the user, and what pip last said, if it was pip."""

    def __init__(self, line: str, *, last_words: Sequence[str] = ()) -> None:
        super().__init__(line)
        self.last_words = last_words


class Terminated(BaseException):
    """SIGTERM came during set-up."""


def prepare(kit: Kit = RUNTIME) -> None:
    """Return if this Python can run Loopscope; otherwise start again in one that can.

    Ends the process with one line on stderr when neither is possible: status 1, or 130 and
    143 when Ctrl-C or SIGTERM stopped the set-up.
    """
    with _ends_clearly():
        if _fit_here(kit):
            _check_qt()
        else:
            _start_elsewhere(kit)


def problems(needs: Sequence[Need], path: Sequence[str] | None = None) -> list[str]:
    """What of ``needs`` is missing or too old among the modules on ``path`` (``sys.path``)."""
    path = sys.path if path is None else path
    found = []
    for need in needs:
        version = _version(need.distribution, path)
        if not version or importlib.machinery.PathFinder.find_spec(need.module, path) is None:
            found.append(f"{need.distribution} is missing")
        elif numbers(version) < need.minimum:
            oldest = ".".join(map(str, need.minimum))
            found.append(f"{need.distribution} is {version}, {oldest} or newer is needed")
    return found


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``"6.11.3rc1"`` gives ``(6, 11, 3)``."""
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, leading[0].split("."))) if leading else ()


def refusal(pyside: str, python: tuple[int, int]) -> str:
    """Why this PySide6 must not run on this Python; empty if it may.

    PySide6 6.12.0 loses a reference to ``None`` in every call that returns it to a Python
    before 3.12, and aborts the process after some thousands of them (PYSIDE-3474).
    """
    if numbers(pyside) != (6, 12, 0) or python >= (3, 12):
        return ""
    return (
        f"PySide6 {pyside} crashes on Python {python[0]}.{python[1]}; use Python 3.12 or newer,"
        " or install PySide6-Essentials 6.11.3"
    )


def environment() -> Path:
    """Where the virtual environment is or will be."""
    return (ROOT / (os.environ.get("LOOPSCOPE_VENV") or ".venv")).resolve()


# Is it all there?


def _fit_here(kit: Kit) -> bool:
    venv = environment()
    inside = Path(sys.prefix).resolve() == venv
    if inside and (venv / _OURS).exists() and not _complete(venv, kit):
        return False
    if problems(kit.needs):
        return False
    reason = refusal(_version("PySide6-Essentials", sys.path), sys.version_info[:2])
    if reason:
        raise SetupError(reason)
    return True


def _version(distribution: str, path: Sequence[str]) -> str:
    for found in importlib.metadata.distributions(name=distribution, path=list(path)):
        return found.version or ""
    return ""


def _ready(venv: Path, kit: Kit) -> bool:
    packages = sysconfig.get_path("purelib", "venv", {"base": str(venv), "platbase": str(venv)})
    return _complete(venv, kit) and _python(venv).exists() and not problems(kit.needs, [packages])


def _complete(venv: Path, kit: Kit) -> bool:
    try:
        return _mark(venv, kit).read_text("utf-8") == _fingerprint(kit)
    except (OSError, ValueError):
        return False


def _mark(venv: Path, kit: Kit) -> Path:
    return venv / f"complete-{kit.lock}"


def _fingerprint(kit: Kit) -> str:
    """What an environment was made from: the lock file's content and the kind of Python."""
    try:
        content = (ROOT / kit.lock).read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise SetupError(f"cannot read {ROOT / kit.lock}: {error.strerror}") from error
    return f"{hashlib.sha256(content).hexdigest()} {sysconfig.get_config_var('EXT_SUFFIX')}\n"


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _check_qt() -> None:
    """Load Qt now, so that a missing system library is one clear line and not a crash."""
    try:
        qt = importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        hint = f"; on Debian and Ubuntu: apt install {QT_PACKAGES}" if _on_linux() else ""
        raise SetupError(f"Qt cannot be loaded: {error}{hint}") from error
    if _wants_x11():
        plugin = Path(str(qt.__file__)).parent / "Qt/plugins/platforms/libqxcb.so"
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise SetupError(
                f"Qt cannot open a window: {error}; on Debian and Ubuntu: apt install"
                f" {DISPLAY_PACKAGES}; or start with --offscreen"
            ) from error


def _on_linux() -> bool:
    return sys.platform.startswith("linux")


def _wants_x11() -> bool:
    """Whether Qt will choose its X11 plug-in, which aborts the process if it cannot load."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    return (
        _on_linux()
        and bool(os.environ.get("DISPLAY"))
        and not os.environ.get("WAYLAND_DISPLAY")
        and chosen in ("", "xcb")
        and "--offscreen" not in sys.argv
    )


# Making the environment


def _start_elsewhere(kit: Kit) -> NoReturn:
    stage = os.environ.pop(_STAGE, "")  # popped: no child of the program shall see it
    venv = environment()
    if stage == "made":
        missing = "; ".join(problems(kit.needs)) or "its completion mark is gone"
        raise SetupError(f"{venv} does not work: {missing}; remove it and start again")
    base = getattr(sys, "_base_executable", "")
    if not stage and base and Path(sys.prefix).resolve() == venv:
        _run_again(base, "leaving")  # a Python must not replace the ground it stands on
    if not _ready(venv, kit):
        with _terminable(), _lock(venv) as lock:
            if not _ready(venv, kit):
                _make(venv, kit, lock)
    _run_again(str(_python(venv)), "made")


def _make(venv: Path, kit: Kit, lock: int) -> None:
    if not _ready(venv, RUNTIME):
        _require_venv_module()
        try:
            _clear(venv)
        except OSError as error:
            raise _unwritable(venv, error) from error
        _say(f"first start here: making {venv}")
        failing = f"cannot make {venv}"
        _run([sys.executable, "-I", "-m", "venv", "--without-pip", str(venv)], lock, failing)
        _run([str(_python(venv)), "-I", "-m", "ensurepip", "--default-pip"], lock, failing)
    for part in dict.fromkeys((RUNTIME, kit)):
        if not _ready(venv, part):
            _install(venv, part, lock)
    _say("ready")


def _require_venv_module() -> None:
    specs = map(importlib.util.find_spec, ("venv", "ensurepip"))
    if not all(spec and spec.origin for spec in specs):
        raise SetupError(
            "this Python lacks its venv module; on Debian and Ubuntu: apt install python3-venv"
        )


def _clear(venv: Path) -> None:
    """Leave an empty folder with our name in it; what we did not make is kept, moved aside."""
    if (venv / _OURS).exists():
        _say(f"{venv} is unfinished or out of date")
        for kit in (RUNTIME, TEST):
            _mark(venv, kit).unlink(missing_ok=True)
        for entry in venv.iterdir():  # all but our name, so that this too can be interrupted
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _OURS:
                entry.unlink()
    elif venv.exists() and not (venv.is_dir() and not any(venv.iterdir())):
        if venv.name != ".venv" and not (venv / "pyvenv.cfg").exists():
            raise SetupError(f"{venv} is not a virtual environment: name another folder")
        aside = _unused(venv.with_name(venv.name + ".old"))
        venv.rename(aside)
        _say(f"{venv} is not complete and not made here: it is kept as {aside.name}")
    venv.mkdir(parents=True, exist_ok=True)
    (venv / _OURS).write_text("Made by Loopscope, and made anew by it whenever needed.\n", "utf-8")
    (venv / ".gitignore").write_text("*\n", "utf-8")


def _unused(path: Path) -> Path:
    counted = (path.with_name(f"{path.name}{count or ''}") for count in range(1000))
    return next(candidate for candidate in counted if not candidate.exists())


def _install(venv: Path, kit: Kit, lock: int) -> None:
    _say(f"downloading and installing {kit.cost}")
    command = [str(_python(venv)), "-I", "-X", "utf8", "-m", "pip", "install", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--only-binary", ":all:"]
    command += ["--require-hashes", "-r", str(ROOT / kit.lock)]
    _run(command, lock, f"cannot install {kit.cost.partition(',')[0]}", _report)
    try:
        _mark(venv, kit).write_text(_fingerprint(kit), "utf-8")
    except OSError as error:
        raise _unwritable(venv, error) from error


def _report(line: str) -> None:
    """Show the lines of pip from which one sees that it goes on."""
    got = re.match(
        r"\s*(?:Downloading|Using cached) ([^\s/-]+)-([^\s/-]+)-\S+\.whl \((.+ MB)\)", line
    )
    if got:
        _say(f"  {got[1]} {got[2]}, {got[3]}")
    elif line.startswith("Installing collected packages"):
        _say("  unpacking")
    elif "Retrying (Retry(total=4" in line:  # the first of five
        _say("  no answer, trying again")


def _run(
    command: list[str], lock: int, failing: str, heard: Callable[[str], None] | None = None
) -> None:
    """Run one command of the set-up to its end, or raise SetupError with its last words.

    The command holds the lock as long as it lives, even if it should outlive this process.
    """
    neighbours = {key: text for key, text in os.environ.items() if key not in _MISDIRECTING}
    words: deque[str] = deque(maxlen=400)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=neighbours,
        pass_fds=() if sys.platform == "win32" else (lock,),
        process_group=None if sys.platform == "win32" else 0,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    words.append(line.rstrip())
                if heard:
                    heard(line)
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        raise SetupError(f"{failing}: {_reason(words)}", last_words=list(words)[-8:])


def _end(process: "subprocess.Popen[str]") -> None:
    """Stop a command with all that it started: it is a process group of its own."""
    try:
        _signal_all(process, signal.SIGTERM)
        process.wait(5)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal_all(process, _HARD)


def _reason(words: Sequence[str]) -> str:
    """The one line of pip's many that tells why."""
    text = "\n".join(words)
    if _UNREACHABLE.search(text):
        return "the package index cannot be reached (no network?)"
    if "DO NOT MATCH THE HASHES" in text:
        return "a download is not the file that the lock file names"
    errors = [line for line in words if line.startswith("ERROR:")]
    if errors:
        return errors[-1].removeprefix("ERROR:").strip()
    return words[-1].strip() if words else "no reason given"


def _unwritable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        f"cannot write {path}: {error.strerror}; name a folder of your own in LOOPSCOPE_VENV"
    )


# One at a time, and only while wanted


@contextlib.contextmanager
def _lock(venv: Path) -> Iterator[int]:
    """Let one process at a time set up; another one waits and says so.

    The lock sits on the lock file, which is there anyway and never changes hands. Where the
    file system has no locks, there is none: better than not to start.
    """
    with _open_for_locking(ROOT / RUNTIME.lock) as file:
        told = False
        while not _try_lock(file):
            if not told:
                _say(f"another start is setting up {venv}: waiting for it")
                told = True
            time.sleep(0.2)
        yield file.fileno()


def _open_for_locking(path: Path) -> BinaryIO:
    try:
        return path.open("r+b")  # some network file systems lock only what may be written
    except OSError:
        pass
    try:
        return path.open("rb")
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from error


if sys.platform == "win32":
    import msvcrt

    _HARD = signal.SIGTERM  # all the same there

    def _try_lock(file: BinaryIO) -> bool:
        file.seek(1 << 30)  # beyond the content: pip must be able to read it meanwhile
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _signal_all(process: "subprocess.Popen[str]", number: int) -> None:
        process.send_signal(number)

else:
    import fcntl

    _HARD = signal.SIGKILL

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def _signal_all(process: "subprocess.Popen[str]", number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


# Coming and going


def _run_again(python: str, stage: str) -> NoReturn:
    """Replace this process by the same command in another Python."""
    os.environ[_STAGE] = stage
    os.environ.pop("__PYVENV_LAUNCHER__", None)  # macOS: would lead back to this Python
    command = [python, *sys.orig_argv[1:]]
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        if os.name == "nt":  # exec there returns to the shell at once, with the program running
            sys.exit(_wait_for(subprocess.Popen(command)))
        os.execv(python, command)
    except OSError as error:
        raise SetupError(f"cannot run {python}: {error.strerror}") from error


def _wait_for(process: "subprocess.Popen[bytes]") -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the program heard Ctrl-C too, and ends as it sees fit


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that no pip is left behind."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _ends_clearly() -> Iterator[None]:
    try:
        yield
        os.environ.pop(_STAGE, None)
    except SetupError as error:
        for line in error.last_words:
            print("  |", line[:160], file=sys.stderr)
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _say("set-up stopped; start again to go on")
        sys.exit(130)
    except Terminated:
        _say("set-up stopped; start again to go on")
        sys.exit(143)


def _say(line: str) -> None:
    print("Loopscope:", line, file=sys.stderr, flush=True)
