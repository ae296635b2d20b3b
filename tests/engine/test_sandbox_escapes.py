"""Code that tries to get out of its sandbox, or to harm the machine from within."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sandbox import SMALL, Bench, bench, shown
from tests.support.wait import until

CANARY = "canary-7f3a9c"

CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def refused(*arguments):
    ctypes.set_errno(0)
    return libc.syscall(*arguments) == -1 and ctypes.get_errno() in (1, 38)
"""


@pytest.fixture
async def tried(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[list[socket.socket]]:
    """Sockets of the host: on loopback, in a file, and with an abstract name."""
    opened = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    opened[0].bind(("127.0.0.1", 0))
    opened[1].bind(str(tmp_path / "socket"))
    opened[2].bind(f"\0{CANARY}-{os.getpid()}")
    for one in opened:
        one.listen()
    yield opened
    for one in opened:
        one.close()


async def test_there_is_no_network(tried: Bench, listeners: list[socket.socket]) -> None:
    places = [one.getsockname() for one in listeners]
    code = f"""
import socket
for family, place in zip((2, 1, 1), {places!r}):
    with socket.socket(family) as tried:
        print(tried.connect_ex(place) != 0)
with socket.socket() as far:
    print(far.connect_ex(("1.1.1.1", 53)) != 0)
try:
    socket.getaddrinfo("example.com", 80)
except OSError:
    print(True)
"""
    assert await tried.text(code) == "True\n" * 5


async def test_sockets_that_no_network_namespace_holds_cannot_be_made(tried: Bench) -> None:
    families = [socket.AF_VSOCK, socket.AF_NETLINK, socket.AF_PACKET, socket.AF_ALG, socket.AF_CAN]
    code = f"""
import socket
for family in {[int(family) for family in families]}:
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind)
        except OSError as error:
            assert error.errno == 97, error
        else:
            print("made", family, kind)
"""
    assert await tried.text(code) == ""


async def test_files_of_the_host_are_not_there(tried: Bench, tmp_path: Path) -> None:
    secret = tmp_path / CANARY
    secret.write_text(CANARY)
    homes = [str(Path.home()), "/etc/shadow", "/etc/passwd", "/home", "/var", "/sys", "/boot", str(tmp_path)]
    code = f"""
import os
from pathlib import Path
for place in {[str(secret), *homes]!r}:
    if Path(place).is_file() or (Path(place).is_dir() and any(not p.is_dir() for p in Path(place).iterdir())):
        print("seen", place)
for place, directories, names in os.walk("/"):
    directories[:] = [name for name in directories if os.path.join(place, name) not in ("/proc", "/usr")]
    if any({CANARY!r} in name for name in directories + names):
        print("found", place)
"""
    assert await tried.text(code) == ""


async def test_nothing_of_the_engine_s_environment_and_memory_is_there(
    tried: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    code = f"""
import os
from pathlib import Path
canary = {CANARY[:4]!r} + {CANARY[4:]!r}
print(canary in str(os.environ))
for process in Path("/proc").iterdir():
    if process.name.isdigit():
        for name in ("environ", "cmdline", "maps", "mountinfo"):
            try:
                text = (process / name).read_text(errors="replace")
            except OSError:
                continue
            if canary in text or "playground-tui" in text and name != "mountinfo":
                print("found", process, name)
print(len([p for p in Path("/proc").iterdir() if p.name.isdigit()]))
"""
    assert await tried.text(code) == "False\n2\n"


async def test_the_worker_holds_nothing_but_its_pipes(tried: Bench) -> None:
    code = "import subprocess; print(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True).stdout)"
    assert (await tried.text(code)).split() == ["0", "1", "2", "3"]


async def test_nothing_outside_can_be_written(tried: Bench) -> None:
    code = """
import os
for place in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/run", "/run/packages", "/run/interpreter", "/mnt", "/proc",
              "/proc/sys/kernel", "/proc/1", "/root", "/home"):
    try:
        open(os.path.join(place, "x"), "w")
    except OSError:
        continue
    print("wrote to", place)
for name in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/run/interpreter/worker.py", "/usr/bin/env",
             "/proc/1/mem", "/proc/1/oom_score_adj"):
    try:
        with open(name, "r+b") as file:
            file.write(b"x")
    except OSError:
        continue
    print("wrote", name)
"""
    printed = await tried.text(code)
    assert printed.replace("wrote /proc/1/oom_score_adj\n", "") == ""


async def test_all_but_its_own_directories_is_mounted_read_only(tried: Bench) -> None:
    code = """
mounts = [line.split() for line in open("/proc/mounts")]
print(*sorted(place for _, place, _, options, *_ in mounts if "ro" not in options.split(",")))
"""
    devices = [f"/dev/{name}" for name in ("full", "null", "pts", "random", "shm", "tty", "urandom", "zero")]
    writable = (await tried.text(code)).split()
    assert [place for place in writable if place not in devices] == ["/mnt/data", "/proc", "/tmp"]


async def test_the_engine_s_environment_is_not_handed_to_bubblewrap(
    tried: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first process can be read from inside, where the engine is not root."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    await tried.run("1")
    sandbox = tried.interpreter._seats["thread_1"].sandbox
    assert sandbox is not None
    for pid in (sandbox._process.pid, sandbox._init):
        assert CANARY not in Path(f"/proc/{pid}/environ").read_text()


async def test_what_made_the_sandbox_cannot_be_ended(tried: Bench) -> None:
    code = """
import os, signal
kept = 1
for pid in (1, os.getppid(), -1, -os.getppid()):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
    assert await tried.text(code) == ""
    assert await tried.text("kept") == "1\n"


async def test_system_calls_that_reach_out_are_refused(tried: Bench) -> None:
    code = (
        CALLS
        + """
import platform
numbers = {"x86_64": dict(ptrace=101, unshare=272, mount=165, setns=308, keyctl=250, bpf=321, memfd=319, shmget=29,
                          process_vm_readv=310, perf=298, userfaultfd=323, clone=56, chroot=161, mq=240),
           "aarch64": dict(ptrace=117, unshare=97, mount=40, setns=268, keyctl=219, bpf=280, memfd=279, shmget=194,
                           process_vm_readv=270, perf=241, userfaultfd=282, clone=220, chroot=51, mq=180)}
table = numbers[platform.machine()]
arguments = {"unshare": (0x10000000,), "clone": (0x10000011, 0, 0, 0, 0), "ptrace": (16, 1, 0, 0),
             "memfd": (b"x", 0), "shmget": (0, 4096, 0o1600), "mq": (b"x", 0o102, 0o600, 0)}
everywhere = dict(io_uring=425, open_tree=428, fsopen=430, clone3=435, pidfd_getfd=438, mount_setattr=442, later=999)
for name, number in {**table, **everywhere}.items():
    if not refused(number, *arguments.get(name, (0, 0, 0, 0, 0))):
        print("allowed", name)
if platform.machine() == "x86_64" and not refused(0x40000000 + 39):
    print("allowed x32")
"""
    )
    assert await tried.text(code) == ""


async def test_no_capability_and_no_way_to_one(tried: Bench) -> None:
    code = """
import os, subprocess
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print([int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")], status["NoNewPrivs"], status["Seccomp"])
print(0 in os.getresuid() + os.getresgid())
"""
    assert await tried.text(code) == "[0, 0, 0] 1 2\nFalse\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True: os.fork()",
        "import subprocess\nsubprocess.run(['bash', '-c', ':(){ :|:& };:'])\nimport time; time.sleep(1)",
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "import multiprocessing as m, time\nfor _ in range(99): m.Process(target=time.sleep, args=(9,)).start()",
    ],
)
async def test_a_fork_bomb_stays_within_its_processes(tried: Bench, code: str) -> None:
    most = 0
    running = asyncio.create_task(tried.run(code))
    while not running.done():
        seat = tried.interpreter._seats.get("thread_1")
        if seat is not None and seat.sandbox is not None:
            most = max(most, _processes_of(seat.sandbox._process.pid))
        await asyncio.sleep(0.005)
    assert 1 < most <= SMALL.processes + 12
    assert "Resource temporarily unavailable" in shown(running.result()) or "can't start new thread" in shown(
        running.result()
    )
    assert await tried.text("print(1 + 1)", thread="thread_2") == "2\n"


def _processes_of(pid: int) -> int:
    found = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found += 1 + _processes_of(int(child))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = bytearray(10 ** 9)", "MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(10 ** 6))", "MemoryError"),
        ("import numpy\nx = numpy.ones(10 ** 8)", "MemoryError"),
        ("import mmap\nx = mmap.mmap(-1, 10 ** 9)\nfor i in range(0, 10 ** 9, 4096): x[i] = 1", "256 MB of memory"),
        (
            "import os, time\nfor _ in range(4):\n    if not os.fork():\n        x = bytearray(10 ** 8)\n"
            "        for i in range(0, 10 ** 8, 4096): x[i] = 1\n        time.sleep(9)\ntime.sleep(9)",
            "256 MB of memory",
        ),
    ],
)
async def test_memory_ends(tried: Bench, code: str, said: str) -> None:
    assert said in await tried.text(code)


async def test_endless_output_is_cut_and_ended(tmp_path: Path) -> None:
    async with bench(tmp_path, replace(SMALL, output=10_000)) as tried:
        printed = await tried.text("while True: print('x' * 1000)")
        assert len(printed) < 11_000
        assert "bytes are left out here" in printed
        assert "(The code was interrupted: it printed more than 4 MB.)" in printed
        assert "printed more than 4 MB" in await tried.text("import os\nos.system('yes')\n1")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("with open('x', 'wb') as f:\n    while True: f.write(bytes(10 ** 6))", "File too large"),
        ("for i in range(99):\n    with open(f'x{i}', 'wb') as f: f.write(bytes(10 ** 6))", "No space left on device"),
        ("with open('/tmp/x', 'wb') as f:\n    while True: f.write(bytes(10 ** 6))", "No space left on device"),
        ("with open('/dev/shm/x', 'wb') as f:\n    while True: f.write(bytes(10 ** 6))", "No space left on device"),
        ("i = 0\nwhile True:\n    open(f'x{i}', 'w').close()\n    i += 1", "more than 500 files in /mnt/data"),
    ],
)
async def test_the_disk_ends(tried: Bench, code: str, said: str) -> None:
    assert said in await tried.text(code)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
        "def go():\n    try:\n        while True: pass\n    finally: go()\ngo()",
        "import re\nre.match('(a+)+$', 'a' * 99 + 'b')",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "import ctypes\nctypes.PyDLL(None).sleep(99)",
        "import time\ntime.sleep(99)",
    ],
)
async def test_code_that_does_not_end_is_ended(tmp_path: Path, code: str) -> None:
    async with bench(tmp_path, replace(SMALL, wall_seconds=0.5)) as tried:
        assert "it ran longer than 0.5 seconds" in await asyncio.wait_for(tried.text(code), 15)
        assert "2\n" in await tried.text("print(1 + 1)")


async def test_processor_time_is_that_of_all_processes(tmp_path: Path) -> None:
    code = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    async with bench(tmp_path, replace(SMALL, cpu_seconds=0.5)) as tried:
        assert "more than 0.5 seconds of processor time" in await tried.text(code)


async def test_what_stays_behind_stands_still(tried: Bench) -> None:
    code = "import os\nif not os.fork():\n    os.setsid()\n    while True: pass\nprint('left')"
    assert await tried.text(code) == "left\n"
    seat = tried.interpreter._seats["thread_1"]
    assert seat.sandbox is not None
    states = [_state(pid) for pid in _family(seat.sandbox._init)]
    assert states == ["T", "T"]


def _family(pid: int) -> list[int]:
    below = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for child in below for one in (child, *_family(child))]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_sandboxes_end_with_their_engine(tmp_path: Path) -> None:
    """However it ends: bubblewrap asks the kernel to be killed with the process that started it."""
    script = f"""
import asyncio, os
from pathlib import Path
from tests.support.sandbox import bench
async def main():
    async with bench(Path({str(tmp_path)!r})) as made:
        await made.run("x = 1")
        print(made.interpreter._seats["thread_1"].sandbox._init, flush=True)
        os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    root = Path(__file__).resolve().parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=root, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    await until(lambda: not Path(f"/proc/{int(said)}").exists())


async def test_two_sandboxes_do_not_see_each_other(tried: Bench) -> None:
    await tried.run("open('mine', 'w').write('x'); import os; os.makedirs('/tmp/mine')", thread="thread_1")
    code = "import os; print(*map(os.listdir, ('/mnt/data', '/tmp')), [p for p in os.listdir('/proc') if p.isdigit()])"
    assert await tried.text(code, thread="thread_2") == "[] [] ['1', '2']\n"
