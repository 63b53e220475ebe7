"""System prompts of tuned models: how one is written for a task, and how one is checked."""
