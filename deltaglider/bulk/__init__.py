"""Bulk: many objects.

Two sorted streams are compared, a plan comes out, bounded workers carry it out.
"""
