"""run and show: one line of the console on each box."""

from appliance.fleet.course import End, State
from appliance.fleet.driving import Note, Work
from appliance.fleet.link import Said
from appliance.fleet.reach import Reach

JSON_PIPE = "| json"


def asking(line: str, reach: Reach, *, as_json: bool) -> Work:
    """The facts of an end: `out`, text or the JSON's values; `status` of a line that did not end well."""
    async def work(box: str, note: Note) -> End:
        async with reach(box) as link:
            await note("asked")
            return end_of(await link.ask(f"{line} {JSON_PIPE}" if as_json else line), as_json)
    return work


def end_of(said: Said, as_json: bool) -> End:
    bad = said.end()
    if bad is not None:
        return End(bad.state, bad.why, {**bad.facts, "out": said.out})
    return End(State.DONE, "", {"out": said.json() if as_json else said.out})
