"""Looking at files."""

from pathlib import Path


def read(file: Path) -> bytes:
    """What is in a file; nothing when it is not there."""
    return file.read_bytes() if file.exists() else b""


def write(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def there(file: Path) -> bool:
    return file.exists()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def others_may(file: Path) -> int:
    """What group and others may do with a file, as mode bits."""
    return file.stat().st_mode & 0o077
