"""Callbacks: the customer hangs up and keeps the place. Pure.

A callback is a contact without a leg in its queue's line, or one that is not due. Its turn comes as
anybody's: then the agent is rung and after that the customer is dialled (agent-first), or the agent is kept
while the customer is dialled (customer-first). A number has one callback at most, so one live try at most;
and while it is on the line in any other contact it is left alone.
"""
