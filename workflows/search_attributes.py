"""What operators find cases by and read at a glance in the Temporal UI.

Attributes hold opaque ids, codes and days, never personal data.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)
from temporalio.service import RPCError, RPCStatusCode

POOL = SearchAttributeKey.for_keyword("LtciPool")
PERSON = SearchAttributeKey.for_keyword("LtciPerson")  # an opaque id
STATE = SearchAttributeKey.for_keyword("LtciState")
DEADLINE = SearchAttributeKey.for_datetime("LtciDeadline")  # a business instant
WAITS_FOR = SearchAttributeKey.for_keyword("LtciWaitsFor")
PATIENCE = 30.0  # seconds a server may take to learn of them
_TYPES = {
    POOL.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    PERSON.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    STATE.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    DEADLINE.name: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    WAITS_FOR.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
}


def about(
    pool: str, person: str = "", *, state: str = "", waits_for: str = ""
) -> TypedSearchAttributes:
    """What is known of a case when it starts; what it will show first costs no event then."""
    told = {POOL: pool, PERSON: person, STATE: state, WAITS_FOR: waits_for}
    return TypedSearchAttributes(
        [SearchAttributePair(key, value) for key, value in told.items() if value]
    )


async def register(client: Client) -> None:
    """Makes the attributes known to the namespace, and returns once they may be used."""
    known = await _known(client)
    missing = {name: kind for name, kind in _TYPES.items() if name not in known}
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:  # another worker was first
            raise
    await _usable(client)


async def _known(client: Client) -> set[str]:
    asked = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        told = await client.operator_service.list_search_attributes(asked)
    except RPCError as error:
        if error.status is not RPCStatusCode.UNIMPLEMENTED:  # the test server lists none
            raise
        return set()
    return set(told.custom_attributes)


async def _usable(client: Client) -> None:
    """Servers learn of a new attribute with their next look at the namespace: some seconds."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            await client.count_workflows(" and ".join(f"{name} is null" for name in _TYPES))
            return
        except RPCError as error:
            if error.status is RPCStatusCode.UNIMPLEMENTED:
                return
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.1)


class Board:
    """What a workflow shows of itself. Only changes are written: each is an event of history."""

    def __init__(self, title: str) -> None:
        self._title = title
        # A run that goes on for another finds its attributes in place.
        there = workflow.info().typed_search_attributes
        self._shown = (there.get(STATE) or "", there.get(WAITS_FOR) or "", there.get(DEADLINE))

    def show(
        self,
        state: str,
        *,
        waits_for: str = "",
        deadline: datetime | None = None,
        lines: Sequence[str] = (),
    ) -> None:
        """Puts state, reason of waiting and next deadline where operators look."""
        if self._shown != (state, waits_for, deadline):
            workflow.upsert_search_attributes(self._changes(state, waits_for, deadline))
            self._shown = (state, waits_for, deadline)
        workflow.set_current_details(self._page(state, waits_for, deadline, lines))

    def _changes(
        self, state: str, waits_for: str, deadline: datetime | None
    ) -> list[SearchAttributeUpdate[Any]]:
        old_state, old_waits_for, old_deadline = self._shown
        changes: list[SearchAttributeUpdate[Any]] = []
        if state != old_state:
            changes.append(STATE.value_set(state))
        if waits_for != old_waits_for:
            changes.append(WAITS_FOR.value_set(waits_for) if waits_for else WAITS_FOR.value_unset())
        if deadline != old_deadline:
            changes.append(DEADLINE.value_set(deadline) if deadline else DEADLINE.value_unset())
        return changes

    def _page(
        self, state: str, waits_for: str, deadline: datetime | None, lines: Sequence[str]
    ) -> str:
        page = [f"### {self._title}", "", f"**{state}**"]
        if waits_for:
            page.append(f"- waits for: {waits_for}")
        if deadline:
            page.append(f"- next deadline: {deadline.date().isoformat()}")
        if lines:
            page += ["", *(f"1. {line}" for line in lines)]
        return "\n".join(page)
