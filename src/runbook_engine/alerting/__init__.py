"""Alerts of other systems: reading what they send, finding the runbooks that are for them, knowing what was sent before.

``cli`` joins it with running and with incidents.
"""
