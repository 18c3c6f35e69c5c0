"""Finds letters in the services' logs, and reads no letter that is not what its hash says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ltci.events.v1 import feed_pb2
from ltci.letters.v1 import events_pb2 as pb

from cli.output import BAD_INPUT, FAILED, Failure
from kernel.clock import SHANGHAI
from kernel.letters.compose import LetterDamaged, read
from kernel.letters.event import TYPE
from kernel.letters.issuing import letter_stream

SERVICES = ("assessment", "payment", "provider")  # those that write letters
PAGE = 1_000
Feeds = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Found:
    """A letter in a service's log."""

    service: str
    position: int
    known_at: datetime
    event: pb.LetterIssued

    @property
    def document(self) -> dict[str, Any]:
        """The letter, once its bytes are those that its hash names. Refuses with a `Failure`."""
        try:
            told = read(self.event.document, self.event.hash)
        except LetterDamaged:
            told = {}
        if told.get("letter") != self.event.letter:
            raise Failure(
                f"the letter at {self.service}:{self.position} is not what its hash says",
                f"{self.service}:{self.position} 处的文书与其摘要不符",
                reason="LETTER_DAMAGED",
                where="LETTER",
                code=FAILED,
            )
        return told

    def as_json(self) -> dict[str, Any]:
        told = self.document
        return {
            "letter": self.event.letter,
            "number": told["number"],
            "kind": self.event.kind,
            "title": told["title"],
            "person": self.event.person,
            "pool": self.event.pool,
            "application": self.event.application,
            "decision": self.event.decision,
            "issued_date": self.event.issued_date,
            "officer": self.event.officer,
            "good": told["good"],
            "hash": self.event.hash,
            "recorded_as": f"{self.service}:{self.position}",
        }


async def letters_of(feeds: Feeds, person: str) -> list[Found]:
    """The letters about a person, in the order in which they were issued."""
    found = [
        _found(service, event)
        for service in SERVICES
        async for event in _events(feeds[service], person)
        if event.type == TYPE
    ]
    return sorted(found, key=lambda one: (one.known_at, SERVICES.index(one.service), one.position))


async def letter_of(feeds: Feeds, told: str) -> Found:
    """The letter with that id. Refuses with a `Failure` what is no id, and what is not there."""
    try:
        stream = letter_stream(UUID(told))
    except ValueError:
        raise _unknown(told) from None
    for service in SERVICES:
        answer = await feeds[service].ReadEvents(feed_pb2.ReadEventsRequest(stream=str(stream)))
        for event in answer.events:
            return _found(service, event)
    raise _unknown(told)


async def _events(feed: Any, person: str) -> AsyncIterator[feed_pb2.RecordedEvent]:
    request = feed_pb2.ListCaseEventsRequest(person=person, page_size=PAGE)
    while True:
        answer = await feed.ListCaseEvents(request)
        for event in answer.events:
            yield event
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return


def _found(service: str, event: feed_pb2.RecordedEvent) -> Found:
    return Found(
        service=service,
        position=event.position,
        known_at=event.recorded_time.ToDatetime(tzinfo=SHANGHAI),
        event=pb.LetterIssued.FromString(event.payload),
    )


def _unknown(told: str) -> Failure:
    return Failure(
        f"no letter has the id {told}",
        f"没有编号为 {told} 的文书",
        where="LETTER",
        right="`ltci letters CASE` lists a person's letters",
        right_zh="可用 `ltci letters CASE` 列出某人的文书",
        code=BAD_INPUT,
    )
