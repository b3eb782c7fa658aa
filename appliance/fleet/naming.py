"""replace, at its end: the new box has the host name that the old one had; the inventory's may be another."""

from collections.abc import Mapping

from appliance.fleet.course import End, State
from appliance.fleet.documents import No
from appliance.fleet.driving import Note, Work
from appliance.fleet.link import Link, LinkError
from appliance.fleet.reach import Reach


async def host_name(link: Link) -> str:
    """What the box calls itself. LinkError, No."""
    said = await link.ask("show version | json")
    bad = said.end()
    if bad is not None:
        raise No(bad.state, bad.why)
    try:
        return str(said.json()["name"])
    except (KeyError, TypeError, ValueError):
        raise No(State.FAILED, "the box does not say its name") from None


async def host_name_of(box: str, reach: Reach) -> str:
    """LinkError, No."""
    async with reach(box) as link:
        return await host_name(link)


def naming(work: Work, names: Mapping[str, str], reach: Reach) -> Work:
    """`work`, and then the box's host name. It has the configuration by then: a name that it does not take is
    said, and fails nothing."""
    async def named(box: str, note: Note) -> End:
        end, wanted = await work(box, note), names.get(box, "")
        if end.state is not State.DONE or not wanted:
            return end
        await note("naming")
        try:
            async with reach(box) as link:
                if await host_name(link) != wanted:
                    said = await link.ask(f"hostname {wanted}")
                    bad = said.end()
                    if bad is not None:
                        raise No(bad.state, bad.why)
        except (LinkError, No) as error:
            why = f"its host name is not {wanted}: {error}"
            return End(end.state, f"{end.why}; {why}" if end.why else why, end.facts)
        return End(end.state, end.why, {**end.facts, "hostname": wanted})
    return named
