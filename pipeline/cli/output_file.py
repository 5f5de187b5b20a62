"""A file that appears whole or not at all: nobody reads half an export."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pipeline.cli.errors import CliError


@contextmanager
def whole_file(path: Path | None) -> Iterator[TextIO]:
    """Text that becomes the file `path` once all of it is written; None: standard output.

    Raises CliError when it cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise CliError(f"--output {path}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
