"""What a server can do wrong, done at each kind of request, and what the program makes of it."""
