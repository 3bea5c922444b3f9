"""A tree made ready to be asked of many events: three-valued logic after Kleene, and quick ways for long lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from converter.oracle.events import Event, values
from converter.oracle.lists import any_text
from converter.oracle.references import refers
from converter.oracle.scalars import Ask, ask
from converter.oracle.tree import (
    And,
    Compare,
    Exists,
    Leaf,
    Node,
    Not,
    Null,
    Or,
    Reference,
    Scalar,
    Test,
    Text,
)

Truth = Callable[[Event], "bool | None"]
# Fewer alternatives than this are asked one by one.
FEWEST = 3


def truth(node: Node) -> Truth:
    """The node as a function of an event."""
    match node:
        case Leaf():
            return leaf(node)
        case Not(part=part):
            return _negated(truth(part))
        case And(parts=parts):
            return _every([truth(part) for part in parts])
        case Or(parts=parts):
            return _some(_alternatives(parts))
    raise TypeError(node)


def _negated(inner: Truth) -> Truth:
    def negated(event: Event) -> bool | None:
        answer = inner(event)
        return None if answer is None else not answer

    return negated


def _every(parts: Sequence[Truth]) -> Truth:
    def every(event: Event) -> bool | None:
        answer: bool | None = True
        for part in parts:
            one = part(event)
            if one is False:
                return False
            if one is None:
                answer = None
        return answer

    return every


def _some(parts: Sequence[Truth]) -> Truth:
    if len(parts) == 1:
        return parts[0]

    def some(event: Event) -> bool | None:
        answer: bool | None = False
        for part in parts:
            one = part(event)
            if one:
                return True
            if one is None:
                answer = None
        return answer

    return some


def any_of(answer: Ask, held: Sequence[Scalar]) -> bool | None:
    """Whether any of the values will do."""
    found: bool | None = False
    for value in held:
        one = answer(value)
        if one:
            return True
        if one is None:
            found = None
    return found


def leaf(node: Leaf) -> Truth:
    """The leaf as a function of an event."""
    if node.field is None:
        return _keyword(node)
    if isinstance(node.test, Reference):
        return refers(node.field, node.test)
    if isinstance(node.test, Null | Exists):
        return _presence(node.field, there=isinstance(node.test, Exists) and node.test.there)
    return _of_field(node.field, ask(node.test), _of_absent(node.test))


def _presence(field: str, *, there: bool) -> Truth:
    """Whether the field is there, or is not; an empty text may be all that a store keeps of an absent field."""

    def presence(event: Event) -> bool | None:
        held = values(event, field)
        if not held:
            return not there
        return None if all(value == "" for value in held) else there

    return presence


def _of_absent(test: Test) -> bool | None:
    """What a test says of an absent field: false, but that it may be an empty text, and may differ from a number."""
    open_ = (isinstance(test, Text) and not test.parts) or (isinstance(test, Compare) and test.operator == "!=")
    return None if open_ else False


def _of_field(field: str, answer: Ask, absent: bool | None) -> Truth:  # noqa: FBT001 - a truth of three values

    def of_field(event: Event) -> bool | None:
        value = event.get(field)
        if isinstance(value, str):
            return answer(value)
        held = values(event, field)
        return any_of(answer, held) if held else absent

    return of_field


def _keyword(node: Leaf) -> Truth:
    """A keyword is in a value of the event; what only names or joins of values hold depends on how logs are written."""
    return _in_message(ask(node.test))


def _in_message(answer: Ask) -> Truth:
    def keyword(event: Event) -> bool | None:
        found = any_of(answer, [value for field in event for value in values(event, field)])
        if found is False and any(answer(message) is not False for message in _messages(event)):
            return None
        return found

    return keyword


def _messages(event: Event) -> Iterator[str]:
    """The event in the ways in which a message may hold it."""
    pairs = [(field, str(value)) for field in event for value in values(event, field)]
    yield "\n".join(f"{field}: {value}" for field, value in pairs)
    yield " ".join(f"{field}={value}" for field, value in pairs)
    yield " ".join(value for _, value in pairs)
    yield ",".join(f'"{field}":"{value}"' for field, value in pairs)


def _alternatives(parts: Sequence[Node]) -> Sequence[Truth]:
    """The alternatives, in which those that ask a text of the same field are asked as one."""
    groups: dict[str | None, list[Text]] = {}
    rest: list[Node] = []
    for part in parts:
        if isinstance(part, Leaf) and isinstance(part.test, Text):
            groups.setdefault(part.field, []).append(part.test)
        else:
            rest.append(part)
    made = []
    for field, texts in groups.items():
        if len(texts) < FEWEST:
            rest += [Leaf(field, text) for text in texts]
        elif field is None:
            made.append(_in_message(any_text(texts)))
        else:
            made.append(_of_field(field, any_text(texts), False if all(text.parts for text in texts) else None))
    return made + [truth(part) for part in rest]
