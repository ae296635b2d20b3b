"""The parts of the sandbox by themselves: its filter, its frames, its output, what it is made of, and what is said."""

from __future__ import annotations

import asyncio
import os
import platform
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from playground_tui.engine.tools.base import CannotRun, Logs, Picture
from playground_tui.engine.tools.code_interpreter import cgroup, command, packages, probe, processes, sandbox
from playground_tui.engine.tools.code_interpreter.command import Setup, mounts, options_of, worker_options
from playground_tui.engine.tools.code_interpreter.frames import is_plain
from playground_tui.engine.tools.code_interpreter.limits import Limits
from playground_tui.engine.tools.code_interpreter.marks import Marks
from playground_tui.engine.tools.code_interpreter.output import Output
from playground_tui.engine.tools.code_interpreter.probe import find_setup, why_not
from playground_tui.engine.tools.code_interpreter.sandbox import StartFailed
from playground_tui.engine.tools.code_interpreter.seccomp import filter_for

ALLOW, EPERM, ENOSYS, EAFNOSUPPORT, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x50061, 0x80000000
X86, ARM = 0xC000003E, 0xC00000B7


def verdict(program: bytes, architecture: int, number: int, first: int = 0) -> int:
    """What the kernel would answer: the filter run as classic BPF."""
    steps = list(struct.iter_unpack("=HBBI", program))
    fields, value, at = {0: number, 4: architecture, 16: first}, 0, 0
    while True:
        code, when_true, when_false, operand = steps[at]
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            value = fields[operand]
        else:
            true = {0x15: value == operand, 0x25: value > operand, 0x45: bool(value & operand)}[code]
            at += when_true if true else when_false


@pytest.mark.parametrize(
    ("machine", "architecture", "read", "clone", "sock", "ptrace"),
    [("x86_64", X86, 0, 56, 41, 101), ("aarch64", ARM, 63, 220, 198, 117)],
)
def test_the_filter_refuses_what_it_must(
    machine: str, architecture: int, read: int, clone: int, sock: int, ptrace: int
) -> None:
    program = filter_for(machine)
    assert program is not None and len(program) // 8 < 4096
    assert verdict(program, architecture, read) == ALLOW
    assert verdict(program, architecture, ptrace) == EPERM
    assert verdict(program, architecture, 435) == ENOSYS
    assert verdict(program, architecture, 453) == ENOSYS
    assert verdict(program, architecture, 0x40000000 + read) == ENOSYS
    assert verdict(program, architecture, clone, 0x11) == ALLOW
    assert verdict(program, architecture, clone, 0x10000011) == EPERM
    assert [verdict(program, architecture, sock, family) for family in (1, 2, 10)] == [ALLOW] * 3
    assert [verdict(program, architecture, sock, family) for family in (0, 16, 17, 38, 40)] == [EAFNOSUPPORT] * 5
    assert verdict(program, 0x40000003, read) == KILL


def test_there_is_no_filter_for_a_machine_that_is_not_known() -> None:
    assert filter_for("s390x") is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.txt", True),
        ("out/ü x.csv", True),
        ("", False),
        (".", False),
        ("..", False),
        ("../x", False),
        ("a/../b", False),
        ("/etc/x", False),
        ("a//b", False),
        ("./a", False),
        ("a/", False),
        ("a\nb", False),
        ("a\0b", False),
        ("x" * 256, False),
    ],
)
def test_only_plain_paths_are_taken(name: str, plain: bool) -> None:
    assert is_plain(name) is plain


def _output(*pieces: bytes | str, most: int = 100) -> list[Logs | Picture]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    output = Output(reading, most)
    for piece in pieces:
        if isinstance(piece, bytes):
            os.write(writing, piece)
            assert output.drain()
        else:
            output.picture(piece.encode())
    os.close(writing)
    assert not output.drain()
    os.close(reading)
    return output.finish()


def test_output_keeps_its_beginning_and_its_end() -> None:
    assert _output(b"short") == [Logs("short")]
    assert _output() == []
    assert _output(b"x" * 60 + b"y" * 60) == [Logs("x" * 50 + "\n(20 bytes are left out here.)\n" + "y" * 50)]
    (long,) = _output(*[b"%07d\n" % number for number in range(10_000)])
    assert isinstance(long, Logs)
    assert long.text.startswith("0000000\n") and long.text.endswith("0009999\n")
    assert "(79,900 bytes are left out here.)" in long.text


def test_pictures_part_the_output() -> None:
    assert _output(b"a", "one", "two", b"b") == [Logs("a"), Picture(b"one"), Picture(b"two"), Logs("b")]


def test_remarks_begin_a_line() -> None:
    output = Output(-1, 100)
    output.note("(first)")
    output.add(b"no end")
    output.note("(second)")
    assert output.finish() == [Logs("(first)\nno end\n(second)\n")]


def test_the_packages_are_those_of_the_extra_and_what_they_need() -> None:
    names = {place.name for place in packages.package_places()}
    assert {"numpy", "pandas", "matplotlib", "dateutil", "PIL"} <= names
    assert not names & {"playground_tui", "pytest", "starlette", "sqlalchemy", "openai", "site-packages", ".."}


def test_packages_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "PACKAGES", ("no-such-package-here",))
    assert packages.package_places() == []


def test_requirements_of_extras_are_not_followed() -> None:
    known = SimpleNamespace(requires=["a>=1", 'b; extra == "all"', 'c>2; python_version > "3"', "!"])
    assert list(packages._required(known)) == ["a", "c"]  # type: ignore[arg-type]
    assert list(packages._required(SimpleNamespace(requires=None))) == []  # type: ignore[arg-type]


def _setup(*, root: bool, sized: bool = True) -> Setup:
    return Setup("/usr/bin/bwrap", Path("/usr/bin/python3"), [Path("/somewhere/numpy")], root, sized)


def test_root_makes_no_user_namespace_and_others_must() -> None:
    assert "--unshare-user" in options_of(_setup(root=False))
    assert "CAP_SETUID" not in options_of(_setup(root=False))
    options = options_of(_setup(root=True))
    assert "--unshare-all" not in options and {"--unshare-net", "--unshare-pid", "--unshare-ipc"} <= set(options)
    for some in (options, options_of(_setup(root=False))):
        assert {"--die-with-parent", "--new-session", "--clearenv"} <= set(some)


def test_directories_have_their_size_where_bubblewrap_can() -> None:
    limits = Limits()
    assert str(limits.disk) in mounts(_setup(root=False), limits)
    assert "--size" not in mounts(_setup(root=False, sized=False), limits)


def test_a_python_elsewhere_is_bound_and_its_parents_are_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "python"
    (home / "lib").mkdir(parents=True)
    monkeypatch.setattr(command.sys, "base_prefix", str(home))
    found = mounts(_setup(root=False), Limits())
    assert found[found.index(str(home)) - 1 :][:3] == ["--ro-bind", str(home), str(home)]
    assert found[found.index(str(tmp_path)) - 3 :][:3] == ["--perms", "0755", "--dir"]


def test_a_system_python_needs_no_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.sys, "base_prefix", "/usr")
    assert mounts(_setup(root=False), Limits()).count("/usr") == 2


def test_the_worker_is_told_its_limits() -> None:
    limits = Limits(memory=5, processes=7)
    told = worker_options(limits, 9)
    assert (told["uid"], told["rlimits"]["DATA"], told["rlimits"]["NPROC"]) == (9, 5, 7)


def _version(said: str) -> str:
    return f"#!/bin/sh\necho '{said}'\n"


async def _found(tmp_path: Path, script: str, **options: str) -> Setup:
    bwrap = tmp_path / "bwrap"
    bwrap.write_text(script)
    bwrap.chmod(0o755)
    return await find_setup(lambda _: str(bwrap), **options)


async def test_the_version_of_bubblewrap_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await _found(tmp_path, _version("bubblewrap 0.11.0"))).sized
    assert not (await _found(tmp_path, _version("bubblewrap 0.6.1"))).sized
    with pytest.raises(CannotRun, match=r"bubblewrap 0\.4 at .* is too old: 0\.5 or newer is needed"):
        await _found(tmp_path, _version("bubblewrap 0.4.1"))
    with pytest.raises(CannotRun, match="does not say its version"):
        await _found(tmp_path, _version("hello"))
    monkeypatch.setattr(probe, "_VERSION_SECONDS", 0.05)
    with pytest.raises(CannotRun, match="does not say its version"):
        await _found(tmp_path, "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(CannotRun, match="does not start: "):
        await _found(tmp_path, "#!/no/such/shell\n")


async def test_other_systems_and_machines_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotRun, match=r"there is no bubblewrap for macOS\. Run the engine on a Linux machine"):
        await _found(tmp_path, "", system="darwin")
    with pytest.raises(CannotRun, match="no bubblewrap for freebsd14"):
        await _found(tmp_path, "", system="freebsd14")
    with pytest.raises(CannotRun, match="bubblewrap is not installed"):
        await find_setup(lambda _: None)
    monkeypatch.setattr(probe.platform, "machine", lambda: "s390x")
    with pytest.raises(CannotRun, match="this machine's processor, s390x"):
        await _found(tmp_path, "")


def _settings(tmp_path: Path, values: Mapping[str, str]) -> Path:
    for name, value in values.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("values", "uid", "words"),
    [
        ({"kernel/unprivileged_userns_clone": "0"}, 1000, "sysctl kernel.unprivileged_userns_clone=1"),
        ({"user/max_user_namespaces": "0"}, 1000, "sysctl user.max_user_namespaces=15000"),
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, 1000, "AppArmor denies bubblewrap"),
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, 0, "as they often are in a container"),
        ({"kernel/unprivileged_userns_clone": "1"}, 1000, "as they often are in a container: No permissions"),
    ],
)
def test_why_namespaces_are_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str], uid: int, words: str
) -> None:
    monkeypatch.setattr(probe.os, "geteuid", lambda: uid)
    failed = StartFailed("bwrap: No permissions to create new namespace, likely because ...")
    sentence = str(why_not(failed, "/usr/bin/bwrap", _settings(tmp_path, values)))
    assert sentence.startswith("Code cannot be run: ") and words in sentence


def test_other_reasons_are_told_as_they_are() -> None:
    said = str(why_not(StartFailed("bwrap: Can't find source path /x: No such file or directory"), "bwrap"))
    assert (
        said == "Code cannot be run: the sandbox does not start: Can't find source path /x: No such file or directory."
    )
    said = str(why_not(StartFailed("there is no user that root could become", unsafe=True), "bwrap"))
    assert "would not be tight here: there is no user that root could become" in said
    said = str(why_not(StartFailed("root cannot become another user"), "bwrap"))
    assert said.endswith("root cannot become another user. Run the engine as an ordinary user.")


def test_the_user_of_a_sandbox_is_nobody_s(monkeypatch: pytest.MonkeyPatch) -> None:
    given = "         0          0 4294967295\n"
    monkeypatch.setattr(sandbox, "Path", lambda _: SimpleNamespace(read_text=lambda: given))
    assert 1_879_048_192 <= sandbox.unused_uid() < 2**31
    given = "         0     100000      65536\n"
    assert 65_520 <= sandbox.unused_uid() < 65_534
    given = "         0       1000          1\n"
    with pytest.raises(StartFailed, match="no user that root could become") as failed:
        sandbox.unused_uid()
    assert failed.value.unsafe


def _setup_here(script: Path, text: str) -> Setup:
    script.write_text(text)
    script.chmod(0o755)
    return Setup(str(script), Path("/usr/bin/python3"), [], False)


async def test_a_sandbox_that_does_not_come_up_says_what_bubblewrap_said(tmp_path: Path) -> None:
    setup = _setup_here(tmp_path / "bwrap", "#!/bin/sh\necho first >&2\necho 'bwrap: the reason' >&2\nexit 1\n")
    with pytest.raises(StartFailed, match=r"^bwrap: the reason$"):
        await sandbox.start(setup, Limits())


async def test_a_sandbox_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    setup = _setup_here(tmp_path / "bwrap", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(StartFailed, match=r"^it did not answer$"):
        await sandbox.start(setup, replace(Limits(), start_seconds=0.1))


async def test_what_is_not_confined_is_refused(tmp_path: Path) -> None:
    """A program in the place of bubblewrap that runs the worker as it is: that must never be given code."""
    ready = "import os, struct; os.write(1, struct.pack('>BHQ', 1, 0, 0)); os.read(0, 1)"
    inner = f'#!/bin/sh\nexec 3<&0\n/usr/bin/python3 -c "{ready}" <&3 &\nwait\n'
    (tmp_path / "init").write_text(inner)
    (tmp_path / "init").chmod(0o755)
    setup = _setup_here(tmp_path / "bwrap", f"#!/bin/sh\nexec 3<&0\n{tmp_path}/init <&3 &\nwait\n")
    with pytest.raises(StartFailed, match="rights that it must not have") as failed:
        await sandbox.start(setup, Limits())
    assert failed.value.unsafe


async def test_what_cannot_be_seen_is_refused(tmp_path: Path) -> None:
    ready = "import os, struct, time; os.write(1, struct.pack('>BHQ', 1, 0, 0)); time.sleep(60)"
    setup = _setup_here(tmp_path / "bwrap", f'#!/bin/sh\nexec /usr/bin/python3 -c "{ready}"\n')
    with pytest.raises(StartFailed, match="cannot be seen in /proc"):
        await sandbox.start(setup, Limits())


def test_this_process_is_not_confined() -> None:
    assert not processes.confined(os.getpid(), os.getuid())
    assert not processes.confined(2**22 + 1, os.getuid())


def test_processes_that_are_gone_use_nothing() -> None:
    gone = 2**22 + 1
    assert processes.usage(gone) == processes.Usage(0, 0.0, 0)
    assert processes.in_use(gone, "/") == (0, 0)
    assert processes.memory_shared_out(gone) == 0
    assert 0 < processes.memory_left() <= 1


async def test_usage_counts_what_is_below() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        assert process.pid in processes.children(os.getpid())
        assert process.pid in processes.family(os.getpid())
        assert processes.usage(os.getpid()).tasks >= 2
    finally:
        process.kill()
        await process.wait()


def _tree(tmp_path: Path, own: str, *, files: bool = True) -> tuple[Path, Path]:
    root = tmp_path / "cgroup"
    (root / "user").mkdir(parents=True)
    (root / "cgroup.controllers").write_text("memory pids")
    (tmp_path / "own").write_text(own)
    return root, tmp_path / "own"


def _with_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does: a new group has its files at once."""
    mkdir = Path.mkdir

    def made(path: Path, *arguments: object) -> None:
        mkdir(path)
        for name in ("memory.max", "pids.max", "cgroup.procs", "cgroup.kill"):
            (path / name).write_text("max")

    monkeypatch.setattr(Path, "mkdir", made)


def test_a_control_group_is_made_beside_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, own = _tree(tmp_path, "3:memory:/x\n0::/user/engine\n")
    _with_files(monkeypatch)
    group = cgroup.delegated(Limits(memory=10, disk=5, scratch=1, processes=3), root=root, own=own)
    assert group is not None
    (path,) = (root / "user").iterdir()
    assert [(path / name).read_text() for name in ("memory.max", "pids.max")] == ["17", "11"]
    group.take([42])
    group.kill()
    assert (path / "cgroup.procs").read_text(), (path / "cgroup.kill").read_text() == ("42", "1")
    group.remove()


def test_where_no_control_group_can_be_made_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, own = _tree(tmp_path, "0::/\n")
    assert cgroup.delegated(Limits(), root=root, own=own) is None
    assert sorted(path.name for path in root.iterdir()) == ["cgroup.controllers", "user"]
    own.write_text("1:memory:/x\n")
    assert cgroup.delegated(Limits(), root=root, own=own) is None
    assert cgroup.delegated(Limits(), root=root, own=tmp_path / "gone") is None
    assert cgroup.delegated(Limits(), root=tmp_path, own=own) is None


def test_marks_of_long_ago_go(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "marks")
    assert not marks.add("thread_1")
    assert marks.add("thread_1")
    os.utime(tmp_path / "marks" / "thread_1", (0, 0))
    (tmp_path / "marks" / "thread_3").symlink_to("nowhere")  # to whoever looks, as one that is removed meanwhile
    assert not marks.add("thread_2")
    assert not marks.add("thread_1")
    marks.remove("thread_1")
    marks.remove("thread_1")
    assert not marks.add("thread_1")
    with pytest.raises(ValueError, match="no id of a thread"):
        marks.add("../x")


def test_this_machine_has_a_filter() -> None:
    assert filter_for(platform.machine()) is not None
