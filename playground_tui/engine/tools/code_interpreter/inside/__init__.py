"""What runs inside the sandbox. The engine imports nothing of it: it hands the files in."""
