"""Which store an endpoint names: Amazon's own, or one that is compatible."""

from __future__ import annotations

from urllib.parse import urlsplit

AWS = "https://s3.amazonaws.com"
"""What Amazon's S3 is called here, in all its regions."""

_AWS_DOMAINS = (
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
)


def is_aws(endpoint: str) -> bool:
    """Whether an endpoint is Amazon's own.

    Args:
        endpoint: A URL.

    Returns:
        Whether.
    """
    try:
        host = urlsplit(endpoint).hostname
    except ValueError:
        return False
    return f".{host or ''}".endswith(_AWS_DOMAINS)


def takes_bucket_names(endpoint: str) -> bool:
    """Whether an endpoint is Amazon's for all buckets of a region, with the bucket's name before its own.

    Args:
        endpoint: A URL.

    Returns:
        Whether; an endpoint of a private network (``vpce``) takes the name in the path.
    """
    return is_aws(endpoint) and (urlsplit(endpoint).hostname or "").startswith(("s3.", "s3-"))


def identity(endpoint: str) -> str:
    """An endpoint for messages and for keying caches.

    Args:
        endpoint: A URL, or nothing for Amazon's.

    Returns:
        It without user, password and trailing slash; one and the same for all of Amazon's.
    """
    if not endpoint or is_aws(endpoint):
        return AWS
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return endpoint
    if not parts.netloc:
        return endpoint
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
