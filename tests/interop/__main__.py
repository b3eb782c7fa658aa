from tests.interop.matrix import DOCUMENT, document

DOCUMENT.write_text(document(), encoding="utf-8")
