"""Cases that ACRO judges too, and what it says."""
