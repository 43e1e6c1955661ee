"""Moderation and safeguarding: the detector, the queue, the lead, escalation, second looks, wording."""
