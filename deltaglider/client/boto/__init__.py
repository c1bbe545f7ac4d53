"""The client as boto3's: the same names, parameters, answers and errors, over the original files.

``BotoMethods`` is what the asynchronous client inherits. A parameter that is not known is refused, never ignored.
"""

from deltaglider.client.boto.buckets import BucketCalls
from deltaglider.client.boto.copying import CopyCalls
from deltaglider.client.boto.exceptions import EXCEPTIONS
from deltaglider.client.boto.listing import ListMethods
from deltaglider.client.boto.meta import ClientMeta
from deltaglider.client.boto.native import NativeMethods
from deltaglider.client.boto.reading import ReadMethods
from deltaglider.client.boto.transfers import TransferMethods
from deltaglider.client.boto.urls import UrlCalls
from deltaglider.client.boto.writing import WriteMethods

__all__ = ["EXCEPTIONS", "BotoMethods"]


class BotoMethods(
    ReadMethods, WriteMethods, CopyCalls, ListMethods, TransferMethods, UrlCalls, BucketCalls, NativeMethods
):
    """All of them.

    Attributes:
        exceptions: The classes of errors that botocore makes of S3's model: ``client.exceptions.NoSuchKey``.
    """

    exceptions = EXCEPTIONS

    @property
    def meta(self) -> ClientMeta:
        """What is known of the client: ``region_name``, ``endpoint_url``, ``events``."""
        return ClientMeta(self._settings, self._parts.store)
