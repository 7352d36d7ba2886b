"""SOQL: a grammar, its syntax tree, and a compiler to SQL.

Must not decide who sees what: the rights are handed in. Source: SOQL and SOSL Reference. Invariant: what the platform
refuses is refused with its code and words; what only the platform can do is refused plainly, never half done.
"""
