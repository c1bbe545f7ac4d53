"""The embedded store behind ``file://`` endpoints: an SQLite index beside blob files.

``store`` has the class; ``catalog`` and ``pages`` are the index's queries, ``index`` its connections, ``blobs`` the
files.
"""

from deltaglider.store.directory.store import DirectoryStore as DirectoryStore
