"""The box's own settings on the bus: who asks is checked here, what is done is root's."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
import yaml

from appliance.box.area import Answers, Area
from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import Value, VerbError
from appliance.box.provision import verbs
from appliance.bus.client import Refused
from appliance.bus.messages import (
    CardButton,
    ChangeProvision,
    ConfirmNetwork,
    Done,
    Event,
    GetProvision,
    Provide,
    ProvisionReply,
    ResetBox,
    RevertNetwork,
    TryNetwork,
)
from appliance.bus.runner import Context

SHOWN_S = 10.0

log = logging.getLogger(__name__)


class Provisioning(Area):
    """`hostname`: the box's name now."""

    def __init__(self, context: Context, hostname: Callable[[], str]) -> None:
        self._context, self._hostname, self._claim = context, hostname, asyncio.Lock()
        self._shown: tuple[float, ProvisionReply] | None = None      # and when it was asked
        self.changed: Callable[[], None] = lambda: None              # told when the document may be another
        self.answers: Answers = {
            GetProvision: self._get, Provide: self._provide, ChangeProvision: self._change,
            TryNetwork: self._try, ConfirmNetwork: self._confirm, RevertNetwork: self._revert,
            ResetBox: self._reset}

    async def hear(self, event: Event) -> None:
        if isinstance(event, CardButton) and event.asked == "factory-reset":
            self._context.keep(self._button())

    async def _button(self) -> None:
        try:
            await self._reset(ResetBox(name=self._hostname(), by="button"))
        except Refused as error:
            log.error("factory reset by the button: %s", error)

    async def _get(self, request: GetProvision) -> ProvisionReply:
        """root's answer is a process: pages that are open ask every few seconds."""
        now = asyncio.get_running_loop().time()
        if self._shown is None or now >= self._shown[0] + SHOWN_S:
            self._shown = now, msgspec.convert(await self._root("show-provision"), ProvisionReply)
        return self._shown[1]

    async def admin_keys(self) -> list[str]:
        """Who may tend the box by SSH. Refused: this machine has no document, or one that cannot be read."""
        try:
            document = yaml.safe_load((await self._get(GetProvision())).document)
        except yaml.YAMLError:
            raise Refused("the provisioning document is not in order") from None
        keys = document.get("admin_keys") if isinstance(document, dict) else None
        return [str(key) for key in keys] if isinstance(keys, list) else []

    async def _provide(self, request: Provide) -> Done:
        if self._claim.locked():
            raise Refused("another code is being looked at: try again")
        async with self._claim:
            if not (await self._root("check-claim", verbs.Claim(request.claim)))["right"]:
                raise Refused("this is not the box's claim code: it is on the label and the console")
        return await self._done("provision", verbs.Provide(request.document, request.by, request.check))

    async def _change(self, request: ChangeProvision) -> Done:
        return await self._done("change-provision", verbs.Change(request.keys, request.by))

    async def _try(self, request: TryNetwork) -> Done:
        return await self._done("try-network", verbs.TryNetwork(request.network, request.for_s))

    async def _confirm(self, request: ConfirmNetwork) -> Done:
        return await self._done("confirm-network", verbs.Confirm(request.through, request.by))

    async def _revert(self, request: RevertNetwork) -> Done:
        return await self._done("revert-network")

    async def _reset(self, request: ResetBox) -> Done:
        if request.name != self._hostname():
            raise Refused(f"the box's name is {self._hostname()!r}, not {request.name!r}: nothing is erased")
        log.warning("factory reset, by %s", request.by)
        await self._root("factory-reset", verbs.Reset(request.by, request.audit))
        return await self._done("reboot")

    async def _done(self, verb: str, arguments: msgspec.Struct | None = None) -> Done:
        try:
            await self._root(verb, arguments)
        finally:
            self._shown = None
            self.changed()
        return Done()

    async def _root(self, verb: str, arguments: msgspec.Struct | None = None) -> dict[str, Value]:
        try:
            return await ask(self._context.run_dir, verb, arguments)
        except VerbError as error:
            raise Refused(str(error)) from None
