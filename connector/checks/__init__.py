"""What may be wrong between a mapping and an org: rules over what the org says about itself, each one idea a module.

Must not write to an org, log in or print. Invariant: every rule is told all there is and returns all it finds, so that an admin sees
every problem at once; what an org does not tell is a doubt or is said in ``looked_at``, never taken for good.

    look.look -> said.Said -> whole.findings -> Findings(problems, doubts, looked_at)
"""
