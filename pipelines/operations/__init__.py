"""What an operator asks and orders: status, checks, explain, estimates, pauses."""
