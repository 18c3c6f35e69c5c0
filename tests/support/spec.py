"""Rules told as stories: given what happened, when a command comes, then what follows.

`Decider(decide, evolve, initial).given(...).when(...).then(...)`; refusals by their reason.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Generic, TypeVar

import pytest

from kernel.refusal import Refused

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")


class Decider(Generic[C, S, E]):
    """One kind of stream under test. Immutable: `given` makes another one."""

    def __init__(
        self,
        decide: Callable[[C, S], Sequence[E]],
        evolve: Callable[[S, E], S],
        initial: S,
    ) -> None:
        self._decide = decide
        self._evolve = evolve
        self.state = initial

    def given(self, *events: E) -> "Decider[C, S, E]":
        """After these events."""
        return Decider(self._decide, self._evolve, reduce(self._evolve, events, self.state))

    def after(self, *commands: C) -> "Decider[C, S, E]":
        """After these commands, where their events would only repeat other tests."""
        decider = self
        for command in commands:
            decider = decider.given(*self._decide(command, decider.state))
        return decider

    def when(self, command: C) -> "Outcome[C, S, E]":
        return Outcome(lambda: self._decide(command, self.state))


class Outcome(Generic[C, S, E]):
    """What a command leads to; nothing runs before it is asked."""

    def __init__(self, decide: Callable[[], Sequence[E]]) -> None:
        self._decide = decide

    def events(self) -> list[E]:
        return list(self._decide())

    def then(self, *expected: E) -> None:
        """Exactly these events; none means that the command was obeyed before."""
        assert list(expected) == self.events()

    def then_refused(self, reason: str, **facts: Any) -> None:
        """A rule forbids it; of its facts, those named are compared."""
        with pytest.raises(Refused) as caught:
            self._decide()
        assert reason == caught.value.reason
        assert facts == {name: caught.value.facts.get(name) for name in facts}
