"""Moderation: trained adults read what young people wrote, before anybody else does."""
