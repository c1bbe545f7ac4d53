"""Cells of a notebook. Jupyter runs them inside its event loop; the synchronous client has one of its own.

``await`` works in cells, too: then use ``create_async_client``.
"""

# %%
import tempfile
from pathlib import Path

from deltaglider import ObjectInfo, create_client

scratch = tempfile.TemporaryDirectory()
client = create_client(endpoint_url=Path(scratch.name, "store").as_uri())
client.make_bucket("models")

# %%
weights = bytes(range(256)) * 8192
for version in range(3):
    summary = client.upload(weights + bytes([version]), f"s3://models/v{version}/weights.bin")
    print(f"v{version}: {summary.stored_size:,} bytes stored")

# %%
found = [entry for entry in client.list("s3://models/", recursive=True) if isinstance(entry, ObjectInfo)]
print(f"{len(found)} models of {found[0].size:,} bytes")

# %%
copy = Path(scratch.name, "weights.bin")
client.download("s3://models/v2/weights.bin", copy)
print("identical" if copy.read_bytes() == weights + b"\x02" else "DIFFERENT")

# %%
client.close()
scratch.cleanup()
