"""Indexes of some rows of a table, alike in SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex

_WHERE = "where"


def partial_index(name: str, *columns: Any, where: str) -> Index:
    """`columns`: as Index takes them. `where`: which rows, in SQL that both know.

    `postgresql_where` would import PostgreSQL's dialect where an index is described: 3 MB of each box.
    """
    return Index(name, *columns, sqlite_where=text(where), info={_WHERE: where})


@compiles(CreateIndex, "postgresql")
def _in_postgresql(create: CreateIndex, compiler: Any, **options: Any) -> str:
    index: Any = create.element
    if where := index.info.get(_WHERE):
        index.dialect_options["postgresql"]["where"] = text(where)
    described: str = compiler.visit_create_index(create, **options)
    return described
