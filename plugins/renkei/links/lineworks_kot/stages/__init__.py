"""What each task of a run does."""
