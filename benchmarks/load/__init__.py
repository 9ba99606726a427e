"""`make load`: what becomes of a burst that AWS throttles."""
