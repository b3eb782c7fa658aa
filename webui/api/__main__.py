"""`python -m webui.api`: the OpenAPI document."""

import json
from importlib.metadata import version

from webui.api.operations import TITLE, api

if __name__ == "__main__":
    document = api.document(TITLE, version("branchline"))
    print(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True))
