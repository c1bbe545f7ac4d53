"""Requests for one object without botocore's machinery, which costs four times what sending them does.

botocore works out anew for each request where it goes, what signs it and who wants to hear of it. For one bucket the
answer is always the same: so it is learned from a request that botocore sent and that was answered well, and requests
like it are signed and sent straight through the same connections. botocore stays the owner of all that is not plain:
the first request, what it retries, redirects, whatever a shape here does not hold; it sends what was not answered well
here, as if nothing had been sent.
"""

from deltaglider.store.s3.direct.requests import DirectRequests

__all__ = ["DirectRequests"]
