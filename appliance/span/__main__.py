"""`python -m appliance.span` is spand. It starts with the garbage collector off: there is none to find."""

import gc
import runpy

gc.disable()
runpy.run_module("appliance.span.daemon", run_name="__main__")
