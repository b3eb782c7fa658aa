"""Numbers in one form, and the tables that are read from files: lists of callers, regions."""

import csv
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from appliance.centre.entry.lists import NumberList, load_list
from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.regions import BUILT_IN, Region, Regions, load_regions
from appliance.config.entry import RegionGroupConfig
from appliance.config.lines import NumbersConfig
from appliance.errors import ConfigError

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHENZHEN = Numbers(NumbersConfig(country="CN", area="755"))
TODAY = datetime(2026, 11, 22, 12, tzinfo=SHANGHAI).timestamp()


def file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path: Path, text: str | bytes) -> NumberList:
    return load_list(file(tmp_path, text), SHENZHEN, SHANGHAI)


def grade(listed: NumberList, number: str, at: float = TODAY) -> str | None:
    row = listed.find(SHENZHEN.canonical(number), at)
    return None if row is None else row.grade


@pytest.mark.parametrize(("number", "form"), [
    ("13800138000", "+8613800138000"), ("013800138000", "+8613800138000"),
    ("+8613800138000", "+8613800138000"), ("8613800138000", "+8613800138000"),
    ("008613800138000", "+8613800138000"),
    ("075588881234", "+8675588881234"), ("88881234", "+8675588881234"), ("8675588881234", "+8675588881234"),
    ("01088881234", "+861088881234"), ("4008001234", "+864008001234"), ("00442071234567", "+442071234567"),
    ("8001", "8001"), ("95598", "95598"), ("10086", "10086"), ("110", "110"), ("", ""), ("*31#", "*31#"),
])
def test_a_number_has_one_form(number: str, form: str) -> None:
    assert SHENZHEN.canonical(number) == form
    assert SHENZHEN.canonical(form) == form


@pytest.mark.parametrize(("country", "area", "number", "form"), [
    ("US", "", "2125551234", "+12125551234"), ("US", "", "12125551234", "+12125551234"),
    ("US", "", "0114420712345", "+4420712345"), ("DE", "30", "030123456", "+4930123456"),
    ("GB", "", "02071234567", "+442071234567"), ("HK", "", "21234567", "+85221234567"),
    ("RU", "", "84951234567", "+74951234567"),
])
def test_in_other_countries_too(country: str, area: str, number: str, form: str) -> None:
    assert Numbers(NumbersConfig(country=country, area=area)).canonical(number) == form


@pytest.mark.parametrize("country", ["CN", "DE", "GB", "US", "FR", "JP", "IT"])
def test_numbers_with_a_prefix_are_those_of_phonenumbers(country: str) -> None:
    """A second opinion: the library's example numbers, as they are dialled there and in E.164."""
    plan = Numbers(NumbersConfig(country=country))
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(country, kind)
        assert number is not None
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        dialled = re.sub("[^0-9]", "", phonenumbers.format_number(
            number, phonenumbers.PhoneNumberFormat.NATIONAL))
        assert [plan.canonical(one) for one in (e164, dialled)] == [e164, e164]


def test_a_list_knows_numbers_and_beginnings_however_they_are_written(tmp_path: Path) -> None:
    listed = read(tmp_path, "number,grade,note,expires\n"
                  "138 0013-8000,gold,王先生,\n"
                  "+86138*,silver,,\n"
                  "0755*,local,,\n"
                  "8001,own,,\n"
                  "1390013*,soon,,2026-11-22\n"
                  "13900138000,past,,2026-11-22 11:59\n")
    assert grade(listed, "+8613800138000") == grade(listed, "013800138000") == "gold"
    assert grade(listed, "13800138001") == "silver"
    assert grade(listed, "88881234") == "local" and grade(listed, "02188881234") is None
    assert grade(listed, "8001") == "own" and grade(listed, "80011") is None
    assert grade(listed, "13900138000") == "soon"                # the row for the number itself has expired
    tomorrow = datetime(2026, 11, 23, tzinfo=SHANGHAI).timestamp()
    assert grade(listed, "13900138000", tomorrow - 1) == "soon" and not grade(listed, "13900138000", tomorrow)


def test_columns_may_be_fewer_and_in_another_order_and_a_spreadsheets(tmp_path: Path) -> None:
    listed = read(tmp_path, b'\xef\xbb\xbfGrade,Number\r\nvip,"13800138000"\r\n\r\n,13900139000\r\n')
    assert (grade(listed, "13800138000"), grade(listed, "13900139000")) == ("vip", "")
    assert len(read(tmp_path, "number\n13800138000\n13800138000\n")) == 1         # twice the same


@pytest.mark.parametrize(("text", "says"), [
    ("number,grade\n13800138000\n13x,gold\n", ["table.csv:3: number: '13x': write a number"]),
    ("number\n*\n+\n", ["table.csv:2: number: '*'", "table.csv:3: number: '+'"]),
    ("number,grade\n1,a\n2,b\n1,b\n", ["table.csv:4: number: 1: a row before says something else of it"]),
    ("number,expires\n1,tomorrow\n", ["table.csv:2: expires: 'tomorrow': write 2026-12-31"]),
    ("number,grade\n1," + "x" * 33, ["table.csv:2: grade: "]),
    ("number,note\n1,Li, Wei\n", ["table.csv:2: 3 values for 2 columns: put a text with a comma in quotes"]),
    ("nummer\n1\n", ["table.csv:1: no column number: the first line names the columns"]),
    ("number;grade\n1;a\n", ["table.csv:1: no column number"]),
    ("number,colour\n1,red\n", ["table.csv:1: no column can be called 'colour'"]),
    ("number,number\n1,2\n", ["table.csv:1: a column is there twice"]),
    ("", ["table.csv:1: no column number"]),
    ('number,note\n1,"two\nlines"\n2x,\n', ["table.csv:4: number: '2x'"]),
    ('number\n"1\n', ["table.csv:2: unexpected end of data"]),
    ("number,note\n1,李\n".encode("gb18030"), ["table.csv:2: not UTF-8: save it as CSV UTF-8"]),
    ("number\n" + "x\n" * 60, ["table.csv:51: number:", "table.csv: and 10 mistakes more"]),
])
def test_every_mistake_has_its_line(tmp_path: Path, text: str | bytes, says: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    for wanted in says:
        assert any(wanted in line for line in str(caught.value).splitlines()), str(caught.value)


def test_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"table\.csv: No such file"):
        load_list(tmp_path / "table.csv", SHENZHEN, SHANGHAI)


def china(*groups: RegionGroupConfig, tables: tuple[Path, ...] = ()) -> Regions:
    return load_regions(tables, groups, SHENZHEN)


def where(regions: Regions, number: str) -> str:
    return str(regions.find(SHENZHEN.canonical(number)))


@pytest.mark.parametrize(("number", "region"), [
    ("01088881234", "北京/北京"), ("075588881234", "广东/深圳"), ("88881234", "广东/深圳"),
    ("+862488881234", "辽宁/沈阳 抚顺 铁岭 本溪"), ("0898 66881234", "海南"), ("+85221234567", "香港"),
    ("13800138000", "None"), ("8001", "None"), ("95598", "None"), ("", "None"),
])
def test_chinas_fixed_lines_are_known(number: str, region: str) -> None:
    assert where(china(), number.replace(" ", "")) == region


def test_the_table_has_every_area_code_and_no_other() -> None:
    """A second opinion: an area code is what phonenumbers allows a number of a fixed line to begin with."""
    with BUILT_IN.open(encoding="utf-8") as lines:
        codes = {row["prefix"] for row in csv.DictReader(lines) if row["prefix"].startswith("0")}

    def is_code(code: str) -> bool:
        numbers = [phonenumbers.PhoneNumber(86, int(f"{code[1:]}{first}{'2' * more}"))
                   for first in "2345678" for more in (6, 7)]
        fixed = phonenumbers.PhoneNumberType.FIXED_LINE
        return any(phonenumbers.number_type(one) == fixed for one in numbers)

    possible = ["010", *(f"02{last}" for last in "0123456789"),
                *(f"0{code}" for code in range(310, 1000) if code // 100 not in (0, 1, 2))]
    assert {code for code in possible if is_code(code)} - {"0978"} == codes      # nobody says where that is
    assert len({region.name for code in codes if (region := china().find(f"+86{code[1:]}"))}) == 31


def test_a_loaded_table_goes_before_and_the_longest_beginning_counts(tmp_path: Path) -> None:
    table = file(tmp_path, "prefix,region,place\n"
                 "1380755,广东,深圳\n138,手机\n0755,特区,深圳\n07552,广东,龙岗\n")
    regions = china(tables=(table,))
    assert where(regions, "13807551234") == "广东/深圳" and where(regions, "+8613800138000") == "手机"
    assert where(regions, "075528881234") == "广东/龙岗" and where(regions, "075588881234") == "特区/深圳"


def test_groups_are_of_regions_and_places() -> None:
    regions = china(RegionGroupConfig(name="south", of=["广东", "广西", "海南"]),
                    RegionGroupConfig(name="harbour", of=["辽宁/大连", "山东/青岛"]))
    shenzhen, dalian = regions.find("+8675588881234"), regions.find("+8641188881234")
    assert (regions.group(shenzhen), regions.group(dalian), regions.group(None)) == ("south", "harbour", "")
    assert regions.group(regions.find("+862488881234")) == ""
    assert regions.matches(shenzhen, "south") and regions.matches(shenzhen, "广东/深圳")
    assert not regions.matches(shenzhen, "广东/广州") and not regions.matches(None, "广东")
    assert Region("辽宁", ("沈阳", "抚顺")).is_in("辽宁/抚顺")


@pytest.mark.parametrize(("wanted", "says"), [
    ("广冬", "'广冬': the tables have no such region"), ("广东/北京", "广东 has no such place, it has 东莞"),
    ("海南/三亚", "'海南/三亚': the tables have no such region")])
def test_a_group_of_nowhere_is_refused(wanted: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"centre.regions.groups: south: .*{says}"):
        china(RegionGroupConfig(name="south", of=[wanted]))


@pytest.mark.parametrize(("row", "says"), [
    ("755,\n", "table.csv:2: a row is the beginning"), ("07x5,广东\n", "table.csv:2: a row"),
    ("0755,广东/深圳\n", "table.csv:2: a row is the beginning"),
    ("0755,广东\n0755,广西\n", "table.csv:3: prefix: 0755 is there twice, first in line 2"),
])
def test_wrong_rows_of_regions(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        china(tables=(file(tmp_path, "prefix,region,place\n" + row),))
