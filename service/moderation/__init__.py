"""The queue, the safeguarding lead and the detector that orders the queue."""
