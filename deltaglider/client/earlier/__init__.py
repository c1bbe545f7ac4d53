"""The methods of the versions 4 to 6 that this one has other words for, doing what they said.

Code that has them goes on; new code finds the better word in each docstring. ``docs/migration.md`` has the table.
"""

from deltaglider.client.earlier.deleting import DeleteMethods
from deltaglider.client.earlier.looking import LookMethods
from deltaglider.client.earlier.sharing import ShareMethods
from deltaglider.client.earlier.storing import StoreMethods

__all__ = ["EarlierMethods"]


class EarlierMethods(StoreMethods, LookMethods, ShareMethods, DeleteMethods):
    """All of them."""
