"""A daemon with nothing in it, for the launcher to start: argv[1] is its name, then a daemon's arguments."""

import sys

from appliance.bus.runner import Context, main
from appliance.errors import ConfigError


async def serve(context: Context) -> None:
    if (context.state_dir / f"{context.name}.wrong").exists():
        raise ConfigError(f"{context.name}: line 7: no such thing")
    if context.name == "webui":
        (context.run_dir / "web.url").write_text(f"http://127.0.0.1:{context.config.web.port}/\n")
    await context.up()
    await context.stop.wait()
    print(f"{context.name} ends")


sys.exit(main(sys.argv[1], serve, sys.argv[2:]))
