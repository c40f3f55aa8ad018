"""Starting runbooks: from probes, from a procedure in Markdown, from a few answers. What is written passes the checker.

What is usual for a probe (its parameters, its thresholds, what they mean) is taken from the runbooks that there are.
"""
