"""The synthetic partner: made up, modelled on no real system. What it is for and what it leaves out: LIMITS.md."""
