"""Rows read and written without query sets, where somebody waits for it.

Django takes longer to write these statements than PostgreSQL to answer them. Values
are prepared and read by their fields, as Django does it; no signal is sent. A column
is named as its attribute is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


def select(model: type[M], then: str, values: Sequence[Any], **more: str) -> list[M]:
    """Return the rows that `then` asks for, each with what the SQL of `more` answers.

    The caller's `values` are texts and numbers, as they are stored.
    """
    table, fields = model._meta.db_table, model._meta.concrete_fields
    names = [field.attname for field in fields]
    columns = [f"{table}.{name}" for name in names]
    columns += [f"({sql}) AS {name}" for name, sql in more.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM {table} {then}",  # noqa: S608
            values,
        )
        found = [list(row) for row in cursor.fetchall()]
    ops = connection.ops
    for place, field in enumerate(fields if found else ()):
        column = field.cached_col
        converters = ops.get_db_converters(column) + field.get_db_converters(connection)
        for convert in converters:
            for row in found:
                row[place] = convert(row[place], column, connection)
    rows = []
    for row in found:
        rows.append(model.from_db("default", names, row[: len(names)]))
        vars(rows[-1]).update(zip(more, row[len(names) :], strict=True))
    return rows


def for_update() -> str:
    """Return what locks the rows of a SELECT; SQLite has one writer anyway."""
    return "FOR UPDATE" if connection.features.has_select_for_update else ""


def insert(
    *rows: Model, then: str = "", values: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Add rows of one model by one statement that ends in `then`, with its `values`.

    Return what it is RETURNING. The rows do not learn their automatic keys.
    """
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if field is not meta.auto_field]
    names = ", ".join([field.attname for field in fields])
    places = f"({', '.join(['%s'] * len(fields))})"
    prepared = [
        field.get_db_prep_save(getattr(row, field.attname), connection)
        for row in rows
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({names}) "  # noqa: S608
            f"VALUES {', '.join([places] * len(rows))} {then}",
            [*prepared, *values],
        )
        return cursor.fetchall() if "RETURNING" in then else []


def update(
    model: type[Model], changes: Mapping[str, Any], *, where: Mapping[str, Any]
) -> int:
    """Change the rows whose columns are as in `where`, None for NULL; count them."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    known = {name: value for name, value in where.items() if value is not None}
    prepared = [
        fields[name].get_db_prep_save(value, connection)
        for name, value in (*changes.items(), *known.items())
    ]
    new = ", ".join([f"{name} = %s" for name in changes])
    old = " AND ".join(
        [f"{name} = %s" for name in known]
        + [f"{name} IS NULL" for name in where if name not in known]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {new} WHERE {old}",  # noqa: S608
            prepared,
        )
        changed: int = cursor.rowcount
    return changed
