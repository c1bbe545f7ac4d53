"""Cache: what is remembered on this machine.

References by their SHA-256, and what verifications proved. Nothing here is needed for correctness, and all of it may be
deleted at any time.
"""
