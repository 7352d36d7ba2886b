"""From names to SQL: field paths, joins and formulas of one SELECT statement.

Must not parse SOQL or run SQL. Invariant: values from outside travel as parameters, never as SQL text.
"""
