"""Cache: what is remembered on this machine.

References by their SHA-256, what verifications proved, what HEADs told of stored objects, and the hashes of local
files. Nothing here is needed for correctness, and all of it may be deleted at any time.
"""
