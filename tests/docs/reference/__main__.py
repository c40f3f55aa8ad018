"""Writes docs/reference anew::

python -m tests.docs.reference
"""

from tests.docs.reference.writing import write

if __name__ == "__main__":
    write()
