"""`python -m webui.api`: the OpenAPI document; with --async the AsyncAPI document of the live stream."""

import json
import sys
from importlib.metadata import version

from webui.api.live import described
from webui.api.operations import TITLE, api

if __name__ == "__main__":
    make = described.document if "--async" in sys.argv[1:] else api.document
    print(json.dumps(make(TITLE, version("branchline")), indent=1, ensure_ascii=False, sort_keys=True))
