"""The configuration document as versions: keeper.py decides, book.py keeps, ground.py does.

The document is always the newest version that is not `applying`, whole: the file is replaced at once, after
the version is in the book and before a daemon is told. A start after a kill finds by the file's hash how far
it came, and either goes on or forgets the version as if it had never been.
"""
