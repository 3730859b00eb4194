"""The liveness judge: fitted to data sets of people and attacks, and measured on those that it was not fitted to."""
