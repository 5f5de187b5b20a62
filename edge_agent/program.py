"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    try:
        return version("biotrakr")
    except PackageNotFoundError:
        return "0+source"
