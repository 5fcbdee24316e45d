"""A server's recipe, the place it runs in, and starting it: inside a network namespace, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.netns import Namespace

HOST_NAME = "host.example"
# Where several servers start at once each may need this many times its own longest time.
COMPANY = 3.0
MOST_LOG = 6000


class ServerError(RuntimeError):
    """A server did not start, or ended; the message ends with its log."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One port of a server and what a scanner must say of it.

    ``tls``: TLS from the first byte. ``service`` without ``ssl/``. Empty: the server doesn't tell. ``version``:
    ``@PACKAGE`` = the upstream version of that Debian package must appear in the version.
    """

    number: int
    protocol: str = "tcp"
    tls: bool = False
    service: str = ""
    product: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """``packages``: of Debian. ``start`` gets the server's place and returns when it has started its processes.

    ``light``: small and quick enough for every run of the tests. ``seconds``: longest time until it listens.
    ``shifted``: may be reached by a second port too; not when one client's doings change what another one sees.
    """

    name: str
    packages: tuple[str, ...]
    listeners: tuple[Listener, ...]
    start: Callable[[Place], None]
    light: bool = False
    seconds: float = 20.0
    shifted: bool = True


@dataclass(slots=True)
class Place:
    """One server's own folder (any user may write there) and the means to start its processes.

    ``certificate``, ``key``: PEM files, readable for all, self-signed for host.example and www.host.example.
    ``host_name`` is what ``hostname`` says to everything that runs here.
    """

    namespace: Namespace
    folder: Path
    certificate: Path
    key: Path
    host_name: str = HOST_NAME
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> Path:
        """Where the output of all its processes goes."""
        return self.folder / "log"

    def write(self, name: str, text: str | bytes, mode: int = 0o644, user: str | None = None) -> Path:
        """A file below the folder (folders of ``name`` are made), owned by ``user``, root without one."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        if user is not None:
            self._give(path, user)
        return path

    def make_folder(self, name: str, mode: int = 0o755, user: str | None = None) -> Path:
        """A folder below the folder, owned by ``user``."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        if user is not None:
            self._give(path, user)
        return path

    def run(self, *argv: str, user: str | None = None, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start and leave running, in the folder, standard input empty. Ended with its children at the end."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._command(argv, user),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(env),
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def once(
        self,
        *argv: str,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        text: str = "",
        timeout: float = 120.0,
    ) -> str:
        """Run to the end, ``text`` as standard input; the standard output. Another status than 0 raises."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                self._command(argv, user),
                input=text.encode(),
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=self._environment(env),
                timeout=timeout,
                check=False,
            )
            log.write(done.stdout)
        if done.returncode:
            raise ServerError(f"{' '.join(argv)}: status {done.returncode}\n{self.log_text()}")
        return done.stdout.decode("utf-8", "replace")

    def log_text(self) -> str:
        """The end of the log."""
        return self.log.read_bytes()[-MOST_LOG:].decode("utf-8", "replace") if self.log.exists() else "(no log)"

    def _command(self, argv: Sequence[str], user: str | None) -> list[str]:
        name = 'hostname "$0" && exec "$@"'
        rights = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--init-groups"]
        return self.namespace.command("unshare", "--uts", "sh", "-c", name, self.host_name, *rights, *argv)

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        own = {"HOME": str(self.folder), "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        path = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return own | path | dict(env or {})

    def _give(self, path: Path, user: str) -> None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def listening(namespace: Namespace) -> set[tuple[str, int]]:
    """``(protocol, port)`` of every socket inside that listens (TCP) or is bound (UDP)."""
    lines = namespace.run("ss", "-Hlntu").stdout.splitlines()
    found = set()
    for words in map(str.split, lines):
        number = words[4].rpartition(":")[2]
        if number.isdigit():
            found.add((words[0], int(number)))
    return found


def start(recipe: Recipe, place: Place, *, company: bool = False) -> None:
    """Start a server and wait until it listens on all its ports. ``ServerError`` with its log when it doesn't.

    ``company``: others start at the same time, so that it may take longer.
    """
    try:
        recipe.start(place)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{recipe.name}: {error}\n{place.log_text()}") from error
    wanted = {(listener.protocol, listener.number) for listener in recipe.listeners}
    deadline = time.monotonic() + recipe.seconds * (COMPANY if company else 1.0)
    while missing := wanted - listening(place.namespace):
        failed = [process.args for process in place.processes if process.poll()]
        late = time.monotonic() > deadline
        if failed or late:
            why = f"ended: {failed[0]}" if failed else f"does not listen on {sorted(missing)}"
            raise ServerError(f"{recipe.name} {why}\n{place.log_text()}")
        time.sleep(0.1)


def end_all(namespace: Namespace, places: Sequence[Place], patience: float = 3.0) -> None:
    """End everything that runs in the namespace, whoever its parent is: a kind signal first, then the last one."""
    for signal, wait in (("-TERM", patience), ("-KILL", 5.0)):
        deadline = time.monotonic() + wait
        while True:
            pids = namespace_processes(namespace)
            # Behind the question: whoever has ended by then is not asked about again.
            _reap(places)
            if not pids:
                return
            if signal:
                subprocess.run(["kill", signal, *pids], capture_output=True, check=False)
                signal = ""
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)


def namespace_processes(namespace: Namespace) -> list[str]:
    """Process ids of all that lives in the namespace."""
    done = subprocess.run(["ip", "netns", "pids", namespace.name], capture_output=True, text=True, check=False)
    return [pid for pid in done.stdout.split() if pid != str(os.getpid())]


def _reap(places: Sequence[Place]) -> None:
    for place in places:
        for process in place.processes:
            process.poll()


@contextlib.contextmanager
def own_files(namespace: Namespace) -> Iterator[None]:
    """While the block runs, names inside are host.example's and nobody is asked (``ip netns exec`` binds the files)."""
    folder = Path("/etc/netns") / namespace.name
    folder.mkdir(parents=True)
    files = {
        "hosts": f"127.0.0.1 {HOST_NAME} www.{HOST_NAME} localhost\n::1 {HOST_NAME} localhost\n",
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        "hostname": f"{HOST_NAME}\n",
        "mailname": f"{HOST_NAME}\n",
    }
    made = [folder / name for name in files if Path("/etc", name).exists()]
    try:
        for path in made:
            path.write_text(files[path.name], "ascii")
        yield
    finally:
        for path in made:
            path.unlink(missing_ok=True)
        folder.rmdir()


_certificate_lock = threading.Lock()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate and its key in ``folder`` (made once), PEM, for host.example and www.host.example."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    with _certificate_lock:
        if not key.exists():
            _write_certificate(certificate, key)
    return certificate, key


def _write_certificate(certificate: Path, key: Path) -> None:
    names = f"subjectAltName=DNS:{HOST_NAME},DNS:www.{HOST_NAME}"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    options = ["-subj", f"/O=Example/CN={HOST_NAME}", "-addext", names]
    subprocess.run([*command, *options, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    key.chmod(0o644)
    certificate.chmod(0o644)
