"""A small client of the web, and how it dials: for checks, watches, and those who vouch for others."""
