"""Incidents: what happened in them, who should be engaged, what is due, whom to tell, and what is learned.

An incident is an append-only list of events in the journal; everything else is a fold of it.
"""
