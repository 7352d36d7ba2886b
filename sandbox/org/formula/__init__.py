"""Salesforce formulas: a grammar, its syntax tree, and a compiler to SQL.

Must not run anything. Source: Salesforce Help, "Formula Operators and Functions A-Z". Invariant: a formula compiles to one
SQL expression, so that a formula field can be selected, filtered and sorted like any other.
"""
