# What is built into the card's interpreter, to start from: make -C ports/rp2 FROZEN_MANIFEST=.../manifest.py
# Ref: MicroPython, "MicroPython manifest files": its build reads this with functions of its own.
module("rp2.py", base_path="$(PORT_DIR)/modules")                     # the PIO assembler
module("_boot.py", base_path=".")                 # ours: the port's would mount all flash as one file system
require("usb-device-cdc")                         # of micropython-lib
package("firmware", base_path="..", files=(
    "__init__.py", "wire.py", "control.py", "image.py",
    *("linecard/" + name + ".py" for name in (
        "__init__", "alarms", "card", "clock", "main", "octets", "packets", "span", "tdm")),
    *("linecard/framer/" + name + ".py" for name in ("__init__", "ds26521", "falc", "framer")),
    "linecard/hal/__init__.py", "linecard/hal/rp2.py",
    *("linecard/guard/" + name + ".py" for name in (
        "__init__", "boot", "button", "contact", "crash", "guard", "kept", "leds", "relay", "sensors",
        "session", "slots", "update", "watchdog")),
))
