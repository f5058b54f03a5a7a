"""Run a chore in many accounts and regions, wave by wave, and account for every one of them."""
