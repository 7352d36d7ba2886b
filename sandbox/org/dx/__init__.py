"""Salesforce DX source → schema values, one kind of metadata a module.

Must not walk directories or combine files: metadata.py does. Source: Metadata API Developer Guide. Invariant: what is not
understood is refused with its file's name, or listed as ignored, never passed over in silence.
"""
