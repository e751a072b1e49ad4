"""An Asterisk of our own: installed where the system has none that is new enough, rendered, started and stopped.

Debian and Ubuntu of today carry no Asterisk 22, Debian's next release does: its package is unpacked into a folder of
its own and run there with chroot. Tested with 22.10.1.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath

from asterisk_conf.render import Folders, Node, render

OLDEST = (22, 10)
RELEASE = "forky"
OWN_ROOT = Path("/var/lib/burgernet/asterisk")
INSTANCES = Path("/srv/burgernet")
INSTALL_BOUND_S = 1200
START_BOUND_S = 60
STOP_BOUND_S = 10
BUILD_FROM_SOURCE = (
    "Asterisk 22.10 or newer can also be built from source (see asterisk_conf/README.md); "
    "install it on this machine and it will be found."
)


class NoAsterisk(Exception):
    """Asterisk cannot be installed or started here; the message says why and what to do."""


@dataclass(frozen=True)
class Installed:
    """An Asterisk program: under `root` (run with chroot), or the system's own (`root` is /)."""

    root: Path

    def command(self, *words: str) -> list[str]:
        return ["asterisk", *words] if self.root == Path("/") else ["chroot", str(self.root), "asterisk", *words]

    def version(self) -> tuple[int, int] | None:
        """(major, minor), None when it does not run."""
        try:
            said = subprocess.run(self.command("-V"), capture_output=True, text=True, timeout=20, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        found = re.search(r"Asterisk (\d+)\.(\d+)", said)
        return (int(found[1]), int(found[2])) if found else None

    def fits(self) -> bool:
        return (self.version() or (0, 0)) >= OLDEST

    def modules(self) -> str:
        """The folder of the modules, as Asterisk sees it. Raises NoAsterisk."""
        for pattern in ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules"):
            for found in self.root.glob(pattern):
                return "/" + str(found.relative_to(self.root))
        raise NoAsterisk(f"no Asterisk modules below {self.root}")


@dataclass(frozen=True)
class Instance:
    """One running configuration of an installed Asterisk: its own folders below /srv/burgernet/NAME. `prompts`: where
    it finds the prompts, when not among them."""

    installed: Installed
    name: str
    prompts: PurePath | None = None

    @property
    def inside(self) -> Path:
        """The instance's folder as Asterisk sees it."""
        return INSTANCES / self.name

    @property
    def folder(self) -> Path:
        """The same folder as this process sees it."""
        return self.installed.root / self.inside.relative_to("/")

    @property
    def sounds(self) -> Path:
        return self.folder / "sounds"

    @property
    def sounds_inside(self) -> PurePath:
        return self.prompts or self.inside / "sounds"

    def console(self, words: str) -> str:
        """What Asterisk's console answers to a command. Raises NoAsterisk."""
        conf = str(self.inside / "etc/asterisk.conf")
        command = self.installed.command("-C", conf, "-rx", words)
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=15, check=True).stdout
        except (OSError, subprocess.SubprocessError) as fault:
            raise NoAsterisk(f"Asterisk {self.name} does not answer on its console") from fault


def find() -> Installed | None:
    """The Asterisk to use: the system's own when new enough, else ours; None when neither is there."""
    candidates = [Installed(Path("/"))] if shutil.which("asterisk") else []
    if (OWN_ROOT / "usr/sbin/asterisk").exists():
        candidates.append(Installed(OWN_ROOT))
    return next((found for found in candidates if found.fits()), None)


def install(say: Callable[[str], None]) -> Installed:
    """Makes sure that there is an Asterisk, and says what happens. Needs no network when it is. Raises NoAsterisk."""
    if found := find():
        say(f"Asterisk {'.'.join(map(str, found.version() or ()))} is here ({found.root})")
        return found
    if os.geteuid() != 0:
        raise NoAsterisk(f"installing Asterisk needs root: run this with sudo. {BUILD_FROM_SOURCE}")
    if not shutil.which("debootstrap"):
        raise NoAsterisk(f"debootstrap is missing: apt-get install debootstrap. {BUILD_FROM_SOURCE}")
    say(f"Installing Asterisk into {OWN_ROOT} (about 500 MB, one to three minutes)")
    partial = OWN_ROOT.with_name("asterisk.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    _unpack(partial, say)
    _name_the_host(partial)
    if not Installed(partial).fits():
        raise NoAsterisk(f"the Asterisk that was installed is older than {OLDEST}. {BUILD_FROM_SOURCE}")
    shutil.rmtree(OWN_ROOT, ignore_errors=True)
    partial.rename(OWN_ROOT)
    installed = Installed(OWN_ROOT)
    say(f"Asterisk {'.'.join(map(str, installed.version() or ()))} installed")
    return installed


def write(instance: Instance, node: Node) -> None:
    """Writes the node's configuration into the instance's folders, readable by Asterisk alone."""
    write_files(instance, partial(render, node))


def write_files(instance: Instance, configuration: Callable[[Folders, str], Mapping[str, str]]) -> None:
    """Writes what `configuration` makes of the instance's folders and account: file name -> text."""
    owner = _account(instance.installed)
    folders = Folders(str(instance.inside), instance.installed.modules(), str(instance.sounds_inside))
    for name in ("etc", "var", "spool", "spool/recording", "run", "log", "sounds", "sounds/music"):
        folder = instance.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        _give(folder, owner)
    for name, text in configuration(folders, owner.pw_name).items():
        file = instance.folder / "etc" / name
        file.touch(mode=0o600)
        file.chmod(0o600)  # one that was there keeps its mode, and passwords go in
        file.write_text(text, "utf-8")
        _give(file, owner)


@contextmanager
def running(instance: Instance) -> Iterator[subprocess.Popen[bytes]]:
    """Asterisk as a child of this process, fully booted inside the block, ended after it. Raises NoAsterisk."""
    with alone(instance):
        process = start(instance)
        try:
            yield process
        finally:
            stop(process)


@contextmanager
def alone(instance: Instance) -> Iterator[None]:
    """Only one process at a time leads an instance; the lock ends with the process. Raises NoAsterisk."""
    instance.folder.mkdir(parents=True, exist_ok=True)
    with (instance.folder / "leader").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NoAsterisk(
                f"another process runs the Asterisk instance {instance.name}; end that one first"
            ) from None
        yield


def start(instance: Instance) -> subprocess.Popen[bytes]:
    """Starts the instance and returns when it is fully booted. Raises NoAsterisk after 60 s, with its last words."""
    _end_an_earlier_life(instance)
    conf = str(instance.inside / "etc/asterisk.conf")
    output = (instance.folder / "log/console").open("wb")
    with output:
        process = subprocess.Popen(
            instance.installed.command("-f", "-C", conf), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    over = time.monotonic() + START_BOUND_S
    while time.monotonic() < over and process.poll() is None:
        try:
            if "fully booted" in instance.console("core waitfullybooted"):
                return process
        except NoAsterisk:
            time.sleep(0.2)
    stop(process)
    words = (instance.folder / "log/console").read_text("utf-8", "replace")[-800:]
    raise NoAsterisk(f"Asterisk {instance.name} did not start within {START_BOUND_S} s. Its last words:\n{words}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends an Asterisk that was started here; by force after 10 s."""
    process.terminate()
    try:
        process.wait(STOP_BOUND_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _unpack(target: Path, say: Callable[[str], None]) -> None:
    command = ["debootstrap", "--variant=minbase", "--include=asterisk", RELEASE, str(target)]
    if not Path("/usr/share/debootstrap/scripts", RELEASE).exists():
        command += ["", "sid"]  # a debootstrap older than the release: the script of unstable serves it
    log = target.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output, text=True)
        assert process.stdout is not None
        for number, line in enumerate(process.stdout):
            output.write(line)
            if number % 60 == 0:
                say(f"  {line.removeprefix('I: ').strip()}")
        if process.wait(INSTALL_BOUND_S):
            raise NoAsterisk(f"debootstrap failed; see {log}. {BUILD_FROM_SOURCE}")


def _name_the_host(root: Path) -> None:
    """Without this every call waits for a name look-up."""
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n::1 localhost\n")
    if Path("/etc/resolv.conf").exists():
        shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")


def _account(installed: Installed) -> pwd.struct_passwd:
    """The account that the package made for Asterisk, else our own: ids as inside the root."""
    for line in (installed.root / "etc/passwd").read_text().splitlines():
        entry = line.split(":")
        if entry[0] == "asterisk" and os.geteuid() == 0:
            return pwd.struct_passwd((*entry[:2], int(entry[2]), int(entry[3]), *entry[4:]))
    return pwd.getpwuid(os.geteuid())


def _give(path: Path, owner: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _end_an_earlier_life(instance: Instance) -> None:
    """A parent that was killed leaves its Asterisk behind: end the one that runs on this very configuration."""
    conf = str(instance.inside / "etc/asterisk.conf").encode()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if conf in words and b"-f" in words:
            os.kill(int(entry.parent.name), signal.SIGKILL)
            time.sleep(0.5)
