"""
Where things are when no config says so: state folder, socket, and the machine's time zone.
"""

import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from orchd.errors import ConfigError

#: Source: ``struct sockaddr_un`` has 108 bytes, the last of which is the NUL.
MAX_SOCKET_PATH_BYTES: Final = 107


def state_dir(env: Mapping[str, str]) -> Path:
    """
    Return ``$STATE_DIRECTORY`` (systemd; the first when there are several), else the user's state folder.
    """
    if given := env.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)

    base = env.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else _home(env) / ".local" / "state") / "orchd"


def socket(env: Mapping[str, str], *, state_dir: Path) -> Path:
    """
    Return the socket's default place: ``$RUNTIME_DIRECTORY``, else ``$XDG_RUNTIME_DIR``, else *state_dir*.
    """
    given = env.get("RUNTIME_DIRECTORY", "").split(":")[0] or env.get("XDG_RUNTIME_DIR", "")
    return (Path(given) if given else state_dir) / "orchd.sock"


def timezone(env: Mapping[str, str], *, root: Path = Path("/")) -> str:
    """
    Return the machine's time zone by its IANA name: ``TZ``, ``/etc/timezone``, ``/etc/localtime``, else UTC.
    """
    named = root / "etc" / "timezone"
    link = root / "etc" / "localtime"
    found = [
        env.get("TZ", "").removeprefix(":"),
        str(link.readlink()).rpartition("zoneinfo/")[2] if link.is_symlink() else "",
        named.read_text(encoding="utf-8", errors="replace").strip() if named.is_file() else "",
    ]
    return next((name for name in found if name and is_zone(name)), "UTC")


def is_zone(name: str) -> bool:
    """
    Tell whether *name* is an IANA zone that this machine knows.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False

    return True


def check_socket(path: Path) -> None:
    """
    Refuse a socket path that is longer than the kernel can hold.

    Raises:
        ConfigError: it is over 107 bytes.
    """
    length = len(str(path).encode())
    if length > MAX_SOCKET_PATH_BYTES:
        raise ConfigError(
            f"the socket path {path} has {length} bytes, and a Unix socket can have {MAX_SOCKET_PATH_BYTES}; "
            'write a shorter one, such as socket = "/run/orchd/orchd.sock", under [daemon]'
        )


def _home(env: Mapping[str, str]) -> Path:
    home = env.get("HOME", "")
    return Path(home) if home.startswith("/") else Path.home()
