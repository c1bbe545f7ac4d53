"""Layout: what lies in a bucket, and what it is called.

Pure functions and values, no I/O: URIs, stored and logical keys, deltaspaces, the ``dg-*`` metadata in all its
dialects, the policy that says what is worth a delta, and the order of a logical listing. ``docs/bucket-format``
describes the same to people.
"""
