"""`python -m appliance.isdn.supplementary.parsing > appliance/isdn/supplementary/parsed.py`

The ASN.1 of the asn1 folder as asn1tools reads it, so that a box need not: its parser takes 5 MB and 0.2 s.
"""

from importlib import resources
from pprint import pformat

FOLDER = "asn1"
_WIDTH = 200


def text() -> str:
    """The module parsed.py."""
    import asn1tools  # here: codec.py has it without its parser

    folder = resources.files(__package__) / FOLDER
    texts = {file.name: file.read_text("ascii") for file in folder.iterdir() if file.name.endswith(".asn")}
    modules = asn1tools.parse_string("\n".join(texts[name] for name in sorted(texts)))
    return (f'"""Made by parsing.py out of the {FOLDER} folder: change that, and make this anew."""\n'
            "# ruff: noqa: E501\n\n"
            "from typing import Any\n\n"
            f"MODULES: dict[str, Any] = \\\n{pformat(modules, width=_WIDTH, compact=True)}\n")


if __name__ == "__main__":
    print(text(), end="")
