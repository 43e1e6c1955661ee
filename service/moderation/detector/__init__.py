"""The local safeguarding detector: it marks words so that a queue can be ordered, and it never decides (S3).

Pure: no database, no network, no clock. ``detect`` finds, ``urgency`` orders, ``LABELS`` are the words for people.
"""

from service.moderation.detector.detect import detect
from service.moderation.detector.found import LABELS, Found, urgency

__all__ = ["LABELS", "Found", "detect", "urgency"]
