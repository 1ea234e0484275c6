"""Small files of the store, each described by a dataclass: checked when read, written as JSON."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, TypeVar, cast

from pydantic import AwareDatetime, PlainSerializer, ValidationError

from renkei.adapters import adapter_of
from renkei.storage.store import DamagedFileError, MissingKeyError, Store

T = TypeVar("T")
Moment = Annotated[AwareDatetime, PlainSerializer(dt.datetime.isoformat, return_type=str)]
MAX_PLACES = 5  # named of a damaged file


def read(store: Store, key: str, model: type[T]) -> T:
    """What is kept under `key`. Keys that `model` does not have are passed over: another version may have more.

    Raises:
        MissingKeyError: nothing is.
        DamagedFileError: it is torn, or something else; nothing of it is quoted (L6).
    """
    plain = store.read_json(key)
    try:
        return from_plain(model, plain)
    except ValueError as error:
        raise DamagedFileError(key, str(error)) from None


def read_or_none(store: Store, key: str, model: type[T]) -> T | None:
    try:
        return read(store, key, model)
    except MissingKeyError:
        return None


def write(store: Store, key: str, value: object) -> None:
    store.write_json(key, to_plain(value))


def create(store: Store, key: str, value: object) -> bool:
    """Write it only if nothing is there; False when something is."""
    return store.create_json(key, to_plain(value))


def to_plain(value: Any) -> dict[str, Any]:
    """Dicts, lists, texts and numbers.

    Raises:
        ValueError: a field has another type than it says, which `from_plain` would refuse; nothing is quoted (L6).
    """
    try:
        plain = adapter_of(cast(Any, type(value))).dump_python(value, mode="json", warnings="error")
    except ValueError:
        raise ValueError(f"{type(value).__name__} is not what it says") from None
    return cast(dict[str, Any], plain)


def from_plain(model: type[T], value: object) -> T:
    """What `to_plain` made.

    Raises:
        ValueError: it is something else; nothing of it is quoted (L6).
    """
    try:
        return cast(T, adapter_of(cast(Any, model)).validate_python(value))
    except ValidationError as error:
        places = [".".join(map(str, one["loc"])) or one["type"] for one in error.errors(include_input=False)]
        more = ["…"] if len(places) > MAX_PLACES else []
        raise ValueError(f"{model.__name__} is damaged: {', '.join(places[:MAX_PLACES] + more)}") from None
    except (KeyError, TypeError, AttributeError):  # of a model's own reader
        raise ValueError(f"{model.__name__} is damaged") from None
