"""Indexes of some rows."""

import subprocess
import sys

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, Table, make_url
from sqlalchemy.schema import CreateIndex

from appliance.store.partial import partial_index

numbers = Table("numbers", MetaData(), Column("number", Integer))
PARTIAL = partial_index("numbers_over", numbers.c.number, where="number > 7")
WHOLE = Index("numbers_all", numbers.c.number)


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_both_are_told_of_which_rows(name: str) -> None:
    dialect = make_url(f"{name}://").get_dialect()()
    for _ in range(2):                            # described again, it is no other
        assert str(CreateIndex(PARTIAL).compile(dialect=dialect)).split() == (
            "CREATE INDEX numbers_over ON numbers (number) WHERE number > 7".split())
        assert "WHERE" not in str(CreateIndex(WHOLE).compile(dialect=dialect))


def test_a_box_does_not_import_postgresql() -> None:
    program = ("import sys, appliance.centre.daemon;"
               "print(*(name in sys.modules for name in ('sqlalchemy', 'sqlalchemy.dialects.postgresql',"
               " 'sqlalchemy.dialects.mysql')))")
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["True", "False", "False"]
