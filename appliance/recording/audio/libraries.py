"""The codecs' own libraries, Debian's, called through their C interfaces."""

from typing import Any

from cffi import FFI

from appliance.errors import StateError


def load(ffi: FFI, *names: str) -> Any:
    """The first of these that is installed. StateError: none is."""
    problem = ""
    for name in names:
        try:
            return ffi.dlopen(name)
        except OSError as error:
            problem = str(error)
    raise StateError(f"recordings cannot be coded: {problem}: install the package of {names[0]}")
