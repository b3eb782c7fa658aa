"""People and queues: agents, groups, skills, queues, calendars, recording rules, surveys; seen and changed.

Everything is read from the document in force and written by setting its keys, after a preview of the effect.
"""
