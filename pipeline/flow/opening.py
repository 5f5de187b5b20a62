"""Messages decoded and their tags looked up, as many at once as have come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.contracts import codec
from pipeline.contracts.reads import ReadBatch, are_tag_names
from pipeline.contracts.topics import GatewayTopic
from pipeline.contracts.transport import RawMessage
from pipeline.flow.names import Found, Names, Words


@dataclass(slots=True)
class Opened:
    """A read batch whose names of tags may not be checked yet: those that are registered need not.

    `building` and `names` None: the gateway is not registered.
    """

    message: RawMessage
    topic: GatewayTopic
    building: str | None
    names: Names | None
    batch: ReadBatch
    words: Words | None
    found: Found | None = None

    @classmethod
    def of(
        cls, message: RawMessage, topic: GatewayTopic, building: str | None, names: Names | None
    ) -> Opened:
        """Raises MessageError."""
        if names is None:
            batch = codec.decode_batch(message.payload)
            return cls(message, topic, building, names, batch, None)
        words: list[Words] = []
        batch = codec.decode_batch(message.payload, lambda tags: _put_off(names, tags, words))
        kept = words[0] if words else names.words(batch.tags)
        return cls(message, topic, building, names, batch, kept)

    def checked_batch(self) -> ReadBatch:
        """Raises MessageError: a name of a tag is none."""
        if self.found is not None:
            tags, (_, strangers) = self.batch.tags, self.found
            if strangers and not are_tag_names([tags[i] for i in strangers]):
                return codec.decode_batch(self.message.payload)  # raises: it tells which
        return self.batch


def find_tags(batches: Iterable[Opened]) -> None:
    """Fill in `found` where the building is known."""
    by_names: dict[Names, list[Opened]] = {}
    for opened in batches:
        if opened.names is not None:
            by_names.setdefault(opened.names, []).append(opened)
    for names, of_one in by_names.items():
        lists = [(o.words, o.batch.tags) for o in of_one if o.words is not None]
        for opened, found in zip(of_one, names.find(lists), strict=True):
            opened.found = found


def _put_off(names: Names, tags: list[str], words: list[Words]) -> bool:
    """The names will be checked when they have been looked up; what is no text has no words."""
    try:
        words.append(names.words(tags))
    except (TypeError, ValueError):
        return False
    return True
