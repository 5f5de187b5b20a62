"""What can go wrong with the embedded services.

::

    EmbeddedError
    ├── UnsupportedPlatformError      this machine cannot bring its own services
    ├── PrepareError             the packages could not be fetched or unpacked
    ├── DirectoryError           a folder cannot be used
    │   ├── DirectoryUnreachableError     the servers' user may not enter it
    │   ├── DirectoryInUseError           another process runs a server in it
    │   └── DirectoryNotOursError         it holds something else
    └── ServiceError             a server misbehaved
        ├── StartFailedError              it ended, or never became ready
        ├── PortTakenError                somebody else listens on its port
        ├── StillRunningError             it has to be stopped first
        └── NotRunningError               it has to be started first
"""

from __future__ import annotations

from pathlib import Path

ELSEWHERE = (
    "Use `docker compose up` instead, or point BIOTRAKR_DATABASE_URL and BIOTRAKR_MQTT_URL "
    "at a TimescaleDB and an MQTT broker of your own."
)


class EmbeddedError(Exception):
    """Anything the embedded services can raise."""


class UnsupportedPlatformError(EmbeddedError):
    """This machine cannot bring its own services; `reason` says what is missing."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The embedded services cannot be set up here: {reason}. {ELSEWHERE}")


class PrepareError(EmbeddedError):
    """A step of fetching or unpacking failed; `output` is what the tool printed."""

    def __init__(self, step: str, output: str) -> None:
        self.step = step
        self.output = output
        super().__init__(
            f"Setting up the embedded services failed while {step}:\n{_indented(output)}\n"
            f"Check the network and the machine's apt sources, then try again. {ELSEWHERE}"
        )


class DirectoryError(EmbeddedError):
    """A folder cannot be used; `directory` is which one."""

    def __init__(self, directory: Path, message: str) -> None:
        self.directory = directory
        super().__init__(message)


class DirectoryUnreachableError(DirectoryError):
    """The user the servers run as may not enter `barrier`, a parent of `directory`."""

    def __init__(self, directory: Path, barrier: Path, user: str) -> None:
        self.barrier = barrier
        self.user = user
        super().__init__(
            directory,
            f"{directory} cannot be used: the servers run as {user!r}, who may not enter "
            f"{barrier}. Choose another folder, or `chmod o+x {barrier}`.",
        )


class DirectoryInUseError(DirectoryError):
    """Another process runs a server in `directory`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            directory,
            f"{directory} is in use by another running process. Stop that one first, "
            "or choose another folder.",
        )


class DirectoryNotOursError(DirectoryError):
    """`directory` holds something other than this service's data."""

    def __init__(self, directory: Path, found: str) -> None:
        self.found = found
        super().__init__(
            directory, f"{directory} holds {found}. Choose an empty folder or a new one."
        )


class ServiceError(EmbeddedError):
    """A server misbehaved; `service` is which one."""

    def __init__(self, service: str, message: str) -> None:
        self.service = service
        super().__init__(message)


class StartFailedError(ServiceError):
    """The server ended, or never became ready; `log` is what it said."""

    def __init__(self, service: str, why: str, log: str) -> None:
        self.why = why
        self.log = log
        super().__init__(service, f"{service} did not start: {why}. It said:\n{_indented(log)}")


class PortTakenError(ServiceError):
    """Somebody else listens on `port`."""

    def __init__(self, service: str, port: int) -> None:
        self.port = port
        super().__init__(
            service,
            f"{service} cannot listen on 127.0.0.1:{port}: another process does. "
            f"Stop that process, or start {service} in a new folder.",
        )


class StillRunningError(ServiceError):
    """The server has to be stopped before `action`."""

    def __init__(self, service: str, action: str) -> None:
        self.action = action
        super().__init__(service, f"{service} is running: call stop() or kill() before {action}.")


class NotRunningError(ServiceError):
    """The server has to be started before `action`."""

    def __init__(self, service: str, action: str) -> None:
        self.action = action
        super().__init__(service, f"{service} is not running: call start() before {action}.")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()) or "    (nothing)"
