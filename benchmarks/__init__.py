"""What the bot costs and how quick it is, measured against local doubles: `make bench`."""
