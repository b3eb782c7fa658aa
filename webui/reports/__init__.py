"""Reports: figures of queues, agents, trunks and flows as tables, charts and files, saved and sent by time.

choice: what is asked for; ranges: who may; tables: what acdd says to it; charts: one figure drawn; words,
shown: in the reader's language; pages: the routes; exports, paper: files; saved, timing, sending,
saved_pages: those that come by themselves.
"""
