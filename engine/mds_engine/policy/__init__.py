"""Pure state machines: breakers, limiters, health, budgets. Time and randomness are arguments."""
