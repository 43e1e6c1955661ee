"""The sample deployment: a seeded simulation of crimes, marks and venues, put in through the real ways in."""
