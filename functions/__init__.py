"""One folder per chore, the same rooms in each."""
