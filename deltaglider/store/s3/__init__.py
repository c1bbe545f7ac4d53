"""The S3 store: Amazon's and everything compatible, on aiobotocore.

``store`` has the class; each verb that is more than one request has a module, and what they share lies below:
``session`` (one client,
its limits), ``answers`` (S3's records and ours), ``errors`` and ``faults`` (what went wrong, in our words).
"""

from deltaglider.store.s3.store import S3Store as S3Store
