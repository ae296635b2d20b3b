"""What the users of a campaign do, by what it is done with. Each deed takes a user, who picks with what."""
