"""What a confined process can't do, tried from inside."""

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pytest

from diskwright import _process
from diskwright._process import Rule, call_command, spawn, tool_command, tool_rules
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import (
    ConfinementUnavailable,
    ImageUnsafe,
    SourceChanged,
    ToolFailed,
)
from diskwright.formats.identity import take_identity
from diskwright.model.image import DiskFile, ImageFormat
from support import attempts
from support.qemu_images import plain_qcow2, run


def export(path_or_identity, **options):
    """Open it for reading, and close it again."""
    identity = path_or_identity
    if isinstance(identity, str):
        identity = take_identity(identity)
    disk = DiskFile(identity, ImageFormat.QCOW2)
    with QemuNbdExporter(**options).open(disk, connections=1):
        pass


LIMITS = {"AS": 512 << 20, "CPU": 10, "FSIZE": 0, "NOFILE": 64}


needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"
)
BUBBLEWRAP = pytest.param("bubblewrap", marks=needs_bubblewrap)
WAYS = ["landlock", BUBBLEWRAP]

# The oldest kernels with Landlock, and those that see no truncation (Debian 12): the launcher is
# told of that version. None: the one there is.
LANDLOCK_ABIS = [None, 1, 2]
KERNELS = [
    *(pytest.param({"way": "landlock", "abi": abi}, id=f"landlock-{abi}") for abi in LANDLOCK_ABIS),
    pytest.param({"way": "bubblewrap", "abi": None}, id="bubblewrap", marks=needs_bubblewrap),
]
# What lies outside of a namespace is not there, and what lies inside can't be written to
HIDDEN = {"landlock": set(), "bubblewrap": {errno.ENOENT, errno.EROFS}}
BLOCKED = """
import sys
from diskwright import _sandbox, _confine
_sandbox.landlock_abi = lambda: {abi}
sys.exit(_confine.main(sys.argv))
"""


def as_on(abi, command):
    """The launcher's command line, for a kernel with that version of Landlock."""
    if abi is None:
        return command
    return [sys.executable, "-I", "-c", BLOCKED.format(abi=abi), command[-1]]


def confined(what, *, limits=None, victim="", unconfined=False, way="landlock", abi=None):
    """attempts.main as a parser: what it printed, and how it ended."""
    command = call_command(
        "attempts:main",
        [what, victim],
        limits=limits or LIMITS,
        unconfined=unconfined,
        confinement=way,
    )
    spec = command[-1]
    more = [] if abi is None else [str(abi)]
    process = spawn(
        [sys.executable, "-I", attempts.__file__, spec, *more], tool="attempts", stdout=True
    )
    try:
        return process.stdout.read(), process.wait(30), process.stderr_text()
    finally:
        process.stop()


def tried(folder, **options):
    (folder / "there").write_bytes(b"x")
    said, status, stderr = confined("everything", victim=str(folder), **options)
    assert status == 0, stderr
    return json.loads(said)


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request):
    return request.param


@pytest.fixture(scope="module")
def answers(tmp_path_factory, kernel):
    return tried(tmp_path_factory.mktemp("victim"), **kernel)


@pytest.fixture(scope="module")
def unconfined_answers(tmp_path_factory):
    return tried(tmp_path_factory.mktemp("victim"), unconfined=True)


@pytest.mark.parametrize("attempt", attempts.FILES)
def test_a_parser_can_not(answers, attempt, kernel):
    assert answers[attempt] in {errno.EPERM, errno.EACCES} | HIDDEN[kernel["way"]]


@pytest.mark.parametrize("attempt", attempts.CALLS)
def test_a_parser_can_not_call(answers, attempt):
    assert answers[attempt] in (errno.EPERM, errno.EACCES)


@pytest.mark.parametrize("attempt", sorted({*attempts.FILES} - {"change its attributes"}))
def test_it_could_without_confinement(unconfined_answers, attempt):
    """So the test above can fail. (A file system may lack attributes.)"""
    assert unconfined_answers[attempt] in (None, errno.EFBIG)


@pytest.mark.parametrize("attempt", attempts.ALLOWED)
def test_a_parser_still_can(answers, attempt):
    assert answers[attempt] is None


@pytest.mark.parametrize("way", WAYS)
def test_a_call_by_another_architectures_numbers_ends_the_process(way):
    assert confined("x32", way=way)[1] == -signal.SIGSYS


@pytest.mark.parametrize("way", WAYS)
def test_memory_is_limited(way):
    _, status, stderr = confined("allocate", way=way)
    assert status == 1
    assert "MemoryError" in stderr


@pytest.mark.parametrize("way", WAYS)
def test_cpu_time_is_limited(way):
    assert confined("spin", limits=LIMITS | {"CPU": 1}, way=way)[1] == -signal.SIGKILL


def python_command(code, *, rules=(), way="landlock", **options):
    """A python as the tool, which may read its own library."""
    python = os.path.realpath(sys.executable)
    rules = [*tool_rules(python), Rule(sys.base_prefix, "rxd"), *rules]
    command = [python, "-I", "-S", "-c", code]
    return tool_command(command, rules=rules, limits={}, confinement=way, **options)


def python_tool(code, *, abi=None, **options):
    process = spawn(as_on(abi, python_command(code, **options)), tool="python", stdout=True)
    try:
        said = process.stdout.read().decode()
        return said.strip(), process.wait(30), process.stderr_text()
    finally:
        process.stop()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "code",
    ["open('/etc/passwd')", "import os; os.listdir('/var')", "import socket; socket.socket()",
     "import os; os.kill(os.getppid(), 0)", "open('/tmp/diskwright-attempt', 'w')",
     "import os; os.mkdir('/diskwright-attempt')"],
)  # fmt: skip
def test_a_tool_can_not(code, way):
    said, status, stderr = python_tool(code, way=way)
    assert (said, status) == ("", 1)
    refusals = ["PermissionError", *(os.strerror(number) for number in HIDDEN[way])]
    assert any(refusal in stderr for refusal in refusals)


def fork_by(call):
    return f"import os\nif {call} == 0: os._exit(0)\nos.wait()"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "code",
    [
        fork_by("os.fork()"),
        "import os; os.posix_spawn('/usr/bin/true', ['true'], {})",
        "import subprocess; subprocess.run(['/usr/bin/true'])",
    ],
    ids=["fork", "posix_spawn", "vfork"],
)
def test_a_tool_has_no_children(code, way):
    """The parent-death signal is not inherited: a child of a child would outlive us."""
    said, status, stderr = python_tool(code, way=way)
    assert (said, status) == ("", 1)
    assert "Operation not permitted" in stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_still_has_threads(way):
    code = "import threading as t; x = t.Thread(target=print, args=['ran']); x.start(); x.join()"
    assert python_tool(code, way=way) == ("ran", 0, "")


CUT = """
import os
def outcome(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return type(error).__name__
print(outcome(os.open, {readable!r}, os.O_RDONLY | os.O_TRUNC),
      outcome(os.truncate, {readable!r}, 0), outcome(os.truncate, {other!r}, 0),
      outcome(os.open, {other!r}, os.O_ACCMODE), outcome(os.open, {readable!r}, os.O_RDONLY))
"""


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_tool_cuts_no_file_short(tmp_path, kernel):
    """Neither the image it may read nor any other file of the user."""
    readable, other = tmp_path / "image", tmp_path / "other"
    for path in (readable, other):
        path.write_bytes(b"whole")
    code = CUT.format(readable=str(readable), other=str(other))
    said, _, stderr = python_tool(code, rules=[Rule(str(readable), "r")], **kernel)
    assert said == "PermissionError " * 4 + "None", stderr
    assert (readable.read_bytes(), other.read_bytes()) == (b"whole", b"whole")


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_tool_sizes_the_file_it_may_write(tmp_path, kernel):
    """As qemu-img does with its output."""
    target = tmp_path / "target"
    target.write_bytes(b"whole")
    code = f"import os; fd = os.open({str(target)!r}, os.O_RDWR | os.O_CREAT); os.ftruncate(fd, 2)"
    _, status, stderr = python_tool(code, rules=[Rule(str(target), "rw")], **kernel)
    assert (status, stderr, target.read_bytes()) == (0, "", b"wh")


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_gets_nothing_of_our_environment(monkeypatch, way):
    monkeypatch.setenv("LD_PRELOAD_X", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code = "import os; print(sorted({*os.environ} - {'PWD'}), os.environ['HOME'])"
    said, _, _ = python_tool(code, way=way)
    assert said == "['HOME', 'LC_ALL', 'PATH'] /nonexistent"


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_gets_no_descriptor_but_the_standard_ones(way):
    held = socket.socket()
    os.set_inheritable(held.fileno(), True)
    said, _, stderr = python_tool(
        "import os\n"
        "for fd in range(64):\n"
        "    try: os.fstat(fd); print(fd, end=' ')\n"
        "    except OSError: pass",
        way=way,
    )
    held.close()
    assert said == "0 1 2", stderr


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_has_its_own_session(way):
    """In its namespace it would see that of the caller as 0."""
    said, _, _ = python_tool("import os; print(os.getsid(0))", way=way)
    assert int(said) not in (0, os.getsid(0))


def test_what_a_tool_says_without_end_is_kept_in_bounds():
    process = spawn(
        [sys.executable, "-I", "-c", "import sys; sys.stderr.write('x' * 10_000_000)"], tool="x"
    )
    assert process.wait(30) == 0
    assert len(process.stderr_text()) == _process.STDERR_LIMIT_BYTES
    process.stop()


@contextmanager
def shell_with_a_child(script):
    """Unconfined, so that it may have one: the process, and a pidfd of the child it names."""
    command = tool_command(["/bin/sh", "-c", script], rules=[], limits={}, unconfined=True)
    process = spawn(command, tool="a shell", stdout=True)
    child = os.pidfd_open(int(process.stdout.readline()))
    try:
        yield process, child
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
        os.close(child)
        process.stop()


def test_what_a_tool_started_ends_with_it():
    with shell_with_a_child("sleep 600 & echo $!; wait") as (process, child):
        process.stop()
        ended, _, _ = select.select([child], [], [], 10)
        assert ended


def test_whoever_else_holds_its_stderr_is_not_waited_for():
    script = "echo said >&2; setsid sh -c 'echo $$; exec sleep 600' & wait"
    with shell_with_a_child(script) as (process, child):
        process.stop()
        assert process.stderr_text() == "said"
        assert "stderr of a shell" not in {thread.name for thread in threading.enumerate()}
        still_there, _, _ = select.select([child], [], [], 0)
        assert not still_there


def test_what_it_said_is_whole_though_others_hold_its_stderr():
    script = "head -c 50000 /dev/zero | tr '\\0' x >&2; setsid sh -c 'echo $$; exec sleep 600' &"
    with shell_with_a_child(script) as (process, _):
        assert process.wait(30) == 0
        assert process.stderr_text() == "x" * 50_000


@pytest.mark.parametrize("way", WAYS)
def test_a_backing_file_is_not_opened_even_when_nobody_looked_before(tmp_path, way):
    path = tmp_path / "evil.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", str(path))
    with pytest.raises(ImageUnsafe) as caught:
        export(str(path), confinement=way)
    assert caught.value.code_name == "reference-outside"


def test_the_same_backing_file_is_served_without_confinement(tmp_path):
    """So the test above can fail."""
    path = tmp_path / "evil.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", str(path))
    exporter = QemuNbdExporter(unconfined=True)
    with exporter.open(
        DiskFile(take_identity(str(path)), ImageFormat.QCOW2), connections=1
    ) as reader:
        buffer = bytearray(reader.size)
        reader.read_into(0, memoryview(buffer))
    assert buffer.startswith(b"root:")


@pytest.mark.parametrize("way", WAYS)
def test_another_file_under_the_name_is_not_opened(tmp_path, way):
    image = plain_qcow2(tmp_path)
    identity = take_identity(image.path)
    os.rename(image.path, tmp_path / "aside")
    plain_qcow2(tmp_path)
    with pytest.raises(SourceChanged):
        export(identity, confinement=way)


def test_without_landlock_it_refuses(monkeypatch, tmp_path):
    """The launcher is asked to confine on a kernel without Landlock."""
    image = plain_qcow2(tmp_path)
    launcher = _process._launcher
    monkeypatch.setattr(_process, "_launcher", lambda *a, **o: as_on(0, launcher(*a, **o)))
    with pytest.raises(ConfinementUnavailable):
        export(image.path)


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_that_is_not_there_is_named(way):
    command = tool_command(["/nonexistent/tool"], rules=[], limits={}, confinement=way)
    process = spawn(command, tool="tool")
    process.wait(30)
    with pytest.raises(ToolFailed, match="/nonexistent/tool"):
        process.raise_if_refused("/image")
    process.stop()


@pytest.mark.parametrize("way", WAYS)
def test_qemu_opens_the_image_and_system_libraries_only(tmp_path, way):
    image = plain_qcow2(tmp_path)
    log = tmp_path / "log"
    script = (
        "import sys\n"
        "from diskwright.adapters.qemu_nbd import QemuNbdExporter\n"
        "from diskwright.formats.identity import take_identity\n"
        "from diskwright.model.image import DiskFile, ImageFormat\n"
        "disk = DiskFile(take_identity(sys.argv[1]), ImageFormat.QCOW2)\n"
        "with QemuNbdExporter(confinement=sys.argv[2]).open(disk, connections=1) as reader:\n"
        "    reader.read_into(0, memoryview(bytearray(100000)))\n"
    )
    subprocess.run(
        ["strace", "-f", "-ff", "-qq", "-s", "4096", "-e", "trace=execve,open,openat", "-o",
         str(log), sys.executable, "-I", "-c", script, image.path, way],
        check=True,
    )  # fmt: skip
    opened = set()
    for part in tmp_path.glob("log.*"):
        _, found, after = part.read_text().partition('execve("/usr/bin/qemu-nbd"')
        for line in after.splitlines() if found else []:
            if line.startswith("open") and " = -1 " not in line:
                opened.add(line.split('"')[1])
    assert image.path in opened
    system = ("/lib/", "/lib64/", "/usr/lib/", "/usr/local/lib/")
    rest = {p for p in opened - {image.path} if not p.startswith(system)}
    assert rest <= {"/etc/ld.so.cache", "/dev/null"}
