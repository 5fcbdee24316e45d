"""Files of /etc that one server alone sees otherwise: users that exist for it only, lookups that ask no name server."""

from __future__ import annotations

from tests.servers.recipe import Place

BIND = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"'
NO_SERVER = "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\n"


def with_files(files: dict[str, str]) -> tuple[str, ...]:
    """What to put before a command: each file of the values stands where its key says, for that command alone."""
    pairs = [word for place, path in files.items() for word in (path, place)]
    return ("unshare", "--mount", "sh", "-c", BIND, "sh", *pairs, "--")


def with_tree(root: str) -> tuple[str, ...]:
    """What to put before a command that finds its files where its package would have put them: ``root`` over /usr."""
    mount = f'mount -t overlay -o lowerdir={root}/usr:/usr overlay /usr && exec "$0" "$@"'
    return ("unshare", "--mount", "sh", "-c", mount)


def without_name_server(place: Place) -> tuple[str, ...]:
    """What to put before a command that gives up when the name of an address cannot be asked for."""
    return with_files({"/etc/nsswitch.conf": str(place.write("nsswitch.conf", NO_SERVER))})


def with_users(place: Place, *users: str) -> tuple[str, ...]:
    """What to put before a command so that these users and groups exist for it."""
    numbered = list(enumerate(users, 59_000))
    lines = {
        "/etc/passwd": "".join(f"{user}:x:{number}:{number}::/nonexistent:/bin/false\n" for number, user in numbered),
        "/etc/group": "".join(f"{user}:x:{number}:\n" for number, user in numbered),
    }
    files = {}
    for path, more in lines.items():
        with open(path, encoding="utf-8") as known:
            files[path] = str(place.write(path.rpartition("/")[2], known.read() + more))
    return with_files(files)
