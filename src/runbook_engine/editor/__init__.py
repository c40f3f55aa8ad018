"""What an editor asks of a document while it is written, as functions of its text and an offset in it.

Documents may be broken: whatever can still be told is told. Nothing here knows how an editor is spoken to.
"""
