"""Training rows drafted for a task, each with why it helps and where it comes from; people review all of them."""
